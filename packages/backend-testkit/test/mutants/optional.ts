/** Mutants of matrix products, convolutions and pools. */

import { accumulator, apply, constant } from '@gradus/backend';
import type { Arg, ContractKernel, ConvolutionKernel, Executable, Kernel, PoolKernel, Window } from '@gradus/backend';
import { Wrapped, redimensioning, reexpressing, rewriting } from './mutant.ts';
import type { Mutant } from './mutant.ts';

const PRODUCTS = [
  'optional / contract / float32 by float32 / sizes',
  'optional / contract / float32 by float32 / transposes',
  'optional / contract / epilogue',
];
const CONVOLUTIONS = ['optional / convolution / forward / 2d / float32'];
const GRADIENTS = ['optional / convolution / inputGradient / 2d / float32', 'optional / convolution / filterGradient / 2d / float32'];
const POOLS = [
  'optional / pool / max / forward / float32',
  'optional / pool / average / forward / float32',
  'optional / pool / max / backward / float32',
  'optional / pool / average / backward / float32',
];

/** dims of a product: sizes, then offset and strides of a and b. */
function product(
  name: string,
  change: (
    dims: Int32Array,
    at: { readonly m: number; readonly n: number; readonly k: number; readonly a: number; readonly b: number },
    kernel: ContractKernel,
  ) => void,
): Mutant {
  return redimensioning(`contract ${name}`, PRODUCTS, (kernel, dims) => {
    if (kernel.kind !== 'contract') return;
    const { rank } = kernel;
    change(dims, { m: rank - 3, n: rank - 2, k: rank - 1, a: rank, b: 2 * rank + 1 }, kernel);
  });
}

function swap(dims: Int32Array, i: number, j: number): void {
  [dims[i], dims[j]] = [dims[j] ?? 0, dims[i] ?? 0];
}

function contractMutants(): Mutant[] {
  return [
    product('skips the last k', (dims, { k }) => (dims[k] = Math.max(0, (dims[k] ?? 0) - 1))),
    product('skips the last m', (dims, { m }) => (dims[m] = Math.max(0, (dims[m] ?? 0) - 1))),
    product('skips the tail of n', (dims, { n }) => (dims[n] = (dims[n] ?? 0) & -4)),
    product('skips the tail of k', (dims, { k }) => (dims[k] = (dims[k] ?? 0) & -4)),
    product('stops after 32 of k', (dims, { k }) => (dims[k] = Math.min(32, dims[k] ?? 0))),
    product('stops after 128 of n', (dims, { n }) => (dims[n] = Math.min(128, dims[n] ?? 0))),
    product('transposes a', (dims, { m, k, a }) => swap(dims, a + 1 + m, a + 1 + k)),
    product('transposes b', (dims, { n, k, b }) => swap(dims, b + 1 + n, b + 1 + k)),
    product('takes the first batch of a', (dims, { m, a }) => dims.fill(0, a + 1, a + 1 + m)),
    product('takes the first batch of b', (dims, { m, b }) => dims.fill(0, b + 1, b + 1 + m)),
    product('exchanges batch axes', (dims, { m, a }) => (m > 1 ? swap(dims, a + 1, a + 2) : undefined)),
    product('ignores the offset of what it writes', (dims, _, { rank }) => (dims[rank + 2 * (rank + 1)] = 0)),
    rewriting('contract skips its epilogue', ['optional / contract / epilogue'], (kernel) =>
      kernel.kind === 'contract'
        ? {
            ...kernel,
            outputs: kernel.outputs.map((o) => (o.value.dtype === kernel.accumulate ? { ...o, value: accumulator(kernel.accumulate) } : o)),
          }
        : kernel,
    ),
    reexpressing('contract doubles its sum', PRODUCTS, (e, kernel) =>
      e.op === 'accumulator' && kernel.kind === 'contract' ? apply('add', e, e) : e,
    ),
    rewriting('contract adds int8 up in float32', ['optional / contract / int32 by int32'], (kernel) =>
      kernel.kind === 'contract' && kernel.accumulate === 'int32' ? viaInt8(kernel) : kernel,
    ),
  ];
}

/** Reads int32 operands as if only their lowest byte counted. */
function viaInt8(kernel: ContractKernel): Kernel {
  const outputs = kernel.outputs.map((o) => ({ ...o, value: apply('and', o.value, constant('int32', 0xff)) }));
  return { ...kernel, outputs };
}

function windowed(
  name: string,
  checks: readonly string[],
  kind: 'convolution' | 'pool',
  change: (kernel: ConvolutionKernel | PoolKernel) => Partial<Window> | { readonly countPadding: boolean },
): Mutant {
  return rewriting(`${kind} ${name}`, checks, (kernel) => {
    if (kernel.kind !== kind) return kernel;
    const changed = change(kernel);
    const parts = ['size', 'stride', 'dilation', 'padding'].some((part) => part in changed) ? { window: { ...kernel.window, ...changed } } : changed;
    const after = { ...kernel, ...parts } as Kernel;
    return JSON.stringify(after) === JSON.stringify(kernel) ? kernel : after;
  });
}

function convolutionMutants(): Mutant[] {
  const ones = (kernel: { readonly window: Window }): number[] => kernel.window.size.map(() => 1);
  return [CONVOLUTIONS, GRADIENTS].flatMap((checks, i) => {
    const of = (name: string, change: Parameters<typeof windowed>[3]): Mutant =>
      windowed(`${i === 0 ? '' : 'gradient '}${name}`, checks, 'convolution', change);
    return [
      of('ignores stride', (kernel) => ({ stride: ones(kernel) })),
      of('ignores dilation', (kernel) => ({ dilation: ones(kernel) })),
      of('ignores padding', (kernel) => ({ padding: kernel.window.padding.map(() => 0) })),
      of('pads one less', (kernel) => ({ padding: kernel.window.padding.map((p) => Math.max(0, p - 1)) })),
      of('exchanges the axes of its stride', (kernel) => ({ stride: kernel.window.stride.toReversed() })),
      of('exchanges the axes of its padding', (kernel) => ({ padding: kernel.window.padding.toReversed() })),
    ];
  });
}

class Pooling extends Wrapped {
  readonly #see: (x: Float32Array) => Float32Array;

  constructor(see: (x: Float32Array) => Float32Array) {
    super();
    this.#see = see;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    const { kernel } = executable;
    const [x, ...others] = args;
    if (kernel.kind !== 'pool' || kernel.mode !== 'max' || kernel.operands[0]?.dtype !== 'float32' || typeof x !== 'object')
      return super.run(executable, args, dims);
    const seen = this.inner.allocate(x.byteLength);
    this.inner.write(seen, new Uint8Array(this.#see(new Float32Array(this.readSync(x, 0, x.byteLength).slice().buffer)).buffer));
    super.run(executable, [seen, ...others], dims);
    this.inner.free(seen);
  }
}

/** A backend that finds maxima in other numbers than those it was given. */
function pooling(name: string, see: (x: Float32Array) => Float32Array): Mutant {
  return {
    name: `pool ${name}`,
    checks: ['optional / pool / max / forward / float32'],
    create: (planted) => {
      planted();
      return new Pooling(see);
    },
  };
}

function poolMutants(): Mutant[] {
  return [
    windowed('ignores stride', POOLS, 'pool', (kernel) => ({ stride: kernel.window.size.map(() => 1) })),
    windowed('ignores dilation', POOLS, 'pool', (kernel) => ({ dilation: kernel.window.size.map(() => 1) })),
    windowed('ignores padding', POOLS, 'pool', (kernel) => ({ padding: kernel.window.size.map(() => 0) })),
    windowed('skips the last of its window', POOLS, 'pool', (kernel) => ({ size: kernel.window.size.map((size) => Math.max(1, size - 1)) })),
    windowed('always counts padding', ['optional / pool / average'], 'pool', () => ({ countPadding: true })),
    windowed('never counts padding', ['optional / pool / average'], 'pool', () => ({ countPadding: false })),
    reexpressing('pool doubles its value', POOLS, (e, kernel) => (e.op === 'accumulator' && kernel.kind === 'pool' ? apply('add', e, e) : e)),
    pooling('ignores NaN', (x) => x.map((value) => (Number.isNaN(value) ? -Infinity : value))),
    pooling('takes the last of equal elements', (x) => x.map((value, i) => value + i * 1e-6)),
    pooling('begins its maximum at 0', (x) => x.map((value) => Math.max(value, 0))),
  ];
}

export function optionalMutants(): Mutant[] {
  return [...contractMutants(), ...convolutionMutants(), ...poolMutants()];
}
