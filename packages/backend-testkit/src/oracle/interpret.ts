/** The oracle: runs a kernel on numbers, slowly and by the letter of the contract. It shares no code with any backend. */

import type { Kernel } from '@gradus/backend';
import { interpretAttention } from './attention.ts';
import { Launch } from './launch.ts';
import type { Cells } from './launch.ts';
import { interpretOptimizerStep } from './optimizer-step.ts';
import { interpretContract, interpretConvolution, interpretPool } from './optional.ts';
import { interpretArgReduce, interpretScan, interpretSort } from './ordered.ts';
import { interpretQuantizedContract } from './quantized.ts';
import { interpretMap, interpretReduce, interpretScatter } from './required.ts';
import { interpretRowwise } from './rowwise.ts';

/** Runs `kernel` over one `Cells` an operand (the same object twice where two operands share a block), changing them. */
export function interpret(kernel: Kernel, memory: readonly Cells[], dims: Int32Array, scalars: readonly number[]): void {
  const launch = new Launch(kernel, memory, dims, scalars);
  switch (kernel.kind) {
    case 'map':
      return interpretMap(kernel, launch);
    case 'reduce':
      return interpretReduce(kernel, launch);
    case 'scatter':
      return interpretScatter(kernel, launch);
    case 'contract':
      return interpretContract(kernel, launch);
    case 'convolution':
      return interpretConvolution(kernel, launch);
    case 'pool':
      return interpretPool(kernel, launch);
    case 'rowwise':
      return interpretRowwise(kernel, launch);
    case 'attention':
      return interpretAttention(kernel, launch);
    case 'optimizerStep':
      return interpretOptimizerStep(kernel, launch);
    case 'quantizedContract':
      return interpretQuantizedContract(kernel, launch);
    case 'scan':
      return interpretScan(kernel, launch);
    case 'sort':
      return interpretSort(kernel, launch);
    case 'argReduce':
      return interpretArgReduce(kernel, launch);
    default:
      throw new TypeError(`internal: the oracle does not know ${kernel.kind}`);
  }
}
