/** Where things are in a run's `dims`: see `kernel.ts` for the layout. */

import type { Kernel, Operand } from './kernel.ts';

/** How many sizes open the `dims` of a kernel. */
export function sizeCount(kernel: Kernel): number {
  switch (kernel.kind) {
    case 'map':
    case 'reduce':
    case 'scatter':
    case 'contract':
      return kernel.rank;
    case 'convolution':
      return 3 + 2 * kernel.window.size.length;
    case 'pool':
      return 2 + 2 * kernel.window.size.length;
    case 'attention':
      return 5;
    case 'quantizedContract':
      return 3;
    case 'optimizerStep':
      return 1;
    case 'rowwise':
    case 'scan':
    case 'sort':
    case 'argReduce':
    case 'fft':
      return 2;
    case 'custom':
      return 0;
    default:
      return kernel satisfies never;
  }
}

/** Axes that the strides of an operand of this `space` run over. */
export function axesOf(kernel: Kernel, space: Operand['space']): number {
  switch (kernel.kind) {
    case 'map':
    case 'scatter':
      return kernel.rank;
    case 'reduce':
      return space === 'full' ? kernel.rank : kernel.rank - kernel.folded;
    case 'contract':
      return space === 'full' ? kernel.rank : kernel.rank - 1;
    case 'convolution':
    case 'pool':
      return 2 + kernel.window.size.length;
    case 'quantizedContract':
      return 2;
    default:
      return 0;
  }
}

/** The index in `dims` of each operand's offset; its strides or its length follow. The last entry is the length of `dims`. */
export function operandPositions(kernel: Kernel): number[] {
  const positions: number[] = [];
  let at = sizeCount(kernel);
  for (const operand of kernel.operands) {
    positions.push(at);
    at += 1 + (operand.layout === 'indexed' ? 1 : axesOf(kernel, operand.space));
  }
  positions.push(at);
  return positions;
}

/** The kept (result) sizes of a run: what its outputs and epilogue operands range over. */
export function keptSizes(kernel: Kernel, dims: Int32Array): number[] {
  switch (kernel.kind) {
    case 'map':
    case 'scatter':
      return [...dims.subarray(0, kernel.rank)];
    case 'reduce':
      return [...dims.subarray(0, kernel.rank - kernel.folded)];
    case 'contract':
      return [...dims.subarray(0, kernel.rank - 1)];
    case 'convolution': {
      const spatial = kernel.window.size.length;
      const [n = 0, c = 0, o = 0] = dims;
      const input = dims.subarray(3, 3 + spatial);
      const output = dims.subarray(3 + spatial, 3 + 2 * spatial);
      if (kernel.pass === 'forward') return [n, o, ...output];
      return kernel.pass === 'inputGradient' ? [n, c, ...input] : [o, c / kernel.groups, ...kernel.window.size];
    }
    case 'pool': {
      const spatial = kernel.window.size.length;
      const [n = 0, c = 0] = dims;
      const start = kernel.pass === 'forward' ? 2 + spatial : 2;
      return [n, c, ...dims.subarray(start, start + spatial)];
    }
    case 'quantizedContract':
      return [...dims.subarray(0, 2)];
    default:
      return [];
  }
}
