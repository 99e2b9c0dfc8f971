/** Mutants of quantized products: operands unpacked, added up and scaled in other ways. */

import { accumulator, apply } from '@gradus/backend';
import type { Arg, Executable, QuantizedContractKernel } from '@gradus/backend';
import { decode, encode, hold } from '../../src/oracle/number.ts';
import { Wrapped, reexpressing, rewriting } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { seeing } from './perturbing.ts';

/** What is done in another way. */
interface Mistakes {
  /** The value at `k` of a row of packed bytes. */
  readonly unpack?: (bytes: Int32Array, row: number, k: number, K: number) => number;
  readonly a?: (value: number) => number;
  /** One step of the sum. */
  readonly add?: (sum: number, product: number, k: number) => number;
  /** The group of a k, of so many. */
  readonly groupOf?: (k: number, group: number, groups: number) => number;
  /** The place of a scale. */
  readonly scaleAt?: (n: number, group: number, groups: number, N: number) => number;
  /** How a scaled group is added. */
  readonly scaled?: (total: number, sum: number, scale: number) => number;
  readonly depth?: (K: number) => number;
}

function rightHalf(bytes: Int32Array, row: number, k: number, K: number): number {
  const byte = bytes[row * Math.ceil(K / 2) + (k >> 1)] ?? 0;
  return (byte << (k % 2 === 0 ? 28 : 24)) >> 28;
}

/** What is multiplied, and its sizes. */
interface Factors {
  readonly a: Float64Array;
  readonly b: Int32Array;
  readonly scales: Float64Array;
  readonly N: number;
  readonly K: number;
}

const NOTHING = new Float64Array();

/** The accumulator of one element of the result. */
function elementOf({ bBits, group }: QuantizedContractKernel, mistakes: Mistakes, { a, b, scales, N, K }: Factors, m: number, n: number): number {
  const { unpack = rightHalf, a: see = (value) => value, add = (sum, product) => (sum + product) | 0, depth = (whole) => whole } = mistakes;
  const { groupOf = (k, length) => Math.floor(k / length), scaleAt = (row, at, count) => row * count + at } = mistakes;
  const { scaled = (total, sum, scale) => Math.fround(total + Math.fround(Math.fround(sum) * scale)) } = mistakes;
  const groups = group === null ? 1 : Math.ceil(K / group);
  const sums = Array.from({ length: groups }, () => 0);
  for (let k = 0; k < depth(K); k++) {
    const at = group === null ? 0 : groupOf(k, group, groups);
    const product = see(a[m * K + k] ?? 0) * (bBits === 4 ? unpack(b, n, k, K) : (b[n * K + k] ?? 0));
    sums[at] = add(sums[at] ?? 0, product, k);
  }
  if (group === null) return sums[0] ?? NaN;
  return sums.reduce((total, sum, at) => scaled(total, sum, scales[scaleAt(n, at, groups, N)] ?? NaN), 0);
}

/** Runs products whose result is the accumulator alone, plainly. */
class Plain extends Wrapped {
  readonly #mistakes: Mistakes;
  readonly #planted: () => void;

  constructor(mistakes: Mistakes, planted: () => void) {
    super();
    this.#mistakes = mistakes;
    this.#planted = planted;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    super.run(executable, args, dims);
    const { kernel } = executable;
    if (kernel.kind !== 'quantizedContract' || kernel.outputs.some(({ value }) => value.op !== 'accumulator') || kernel.outputs.length !== 1) return;
    const result = kernel.operands.length - 1;
    const block = args[result];
    const { dtype = 'int32' } = kernel.operands[result] ?? {};
    if (typeof block !== 'object') return;
    const before = this.readSync(block, 0, block.byteLength);
    const values = decode(dtype, before);
    // Sizes; offset and length of the dense operands; offset and strides of the result.
    const [offset = 0, stride = 0, step = 0] = dims.subarray(3 + 2 * result);
    const [M = 0, N = 0, K = 0] = dims;
    const [a = NOTHING, b = NOTHING, scales = NOTHING] = kernel.operands.slice(0, result).map((_, i) => this.#elements(kernel, args, dims, i));
    const factors: Factors = { a, b: Int32Array.from(b), scales, N, K };
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++) values[offset + m * stride + n * step] = hold(dtype, elementOf(kernel, this.#mistakes, factors, m, n));
    const after = encode(dtype, values);
    if (after.some((byte, i) => byte !== before[i])) this.#planted();
    this.inner.write(block, after);
  }

  #elements(kernel: QuantizedContractKernel, args: readonly Arg[], dims: Int32Array, operand: number): Float64Array {
    const block = args[operand];
    const [offset = 0, length = 0] = dims.subarray(3 + 2 * operand);
    if (typeof block !== 'object') return NOTHING;
    return decode(kernel.operands[operand]?.dtype ?? 'int8', this.readSync(block, 0, block.byteLength)).subarray(offset, offset + length);
  }
}

function plain(name: string, checks: readonly string[], mistakes: Mistakes): Mutant {
  return { name: `quantizedContract ${name}`, checks, create: (planted) => new Plain(mistakes, planted) };
}

const BYTES = ['optional / quantizedContract / int8 by 8 bits / sizes'];
const UNSIGNED = ['optional / quantizedContract / uint8 by 8 bits / sizes'];
const SEVEN = ['optional / quantizedContract / uint8 of 7 bits by 8 bits / sizes'];
const HALVES = ['optional / quantizedContract / int8 by 4 bits / sizes'];
const GROUPS = ['optional / quantizedContract / int8 by 8 bits / groups'];
const GROUPED_HALVES = ['optional / quantizedContract / int8 by 4 bits / groups'];

const int8 = (x: number): number => (x << 24) >> 24;
const int16 = (x: number): number => (x << 16) >> 16;
const saturate16 = (x: number): number => Math.max(-32768, Math.min(32767, x));
const byteOf = (bytes: Int32Array, row: number, k: number, K: number): number => bytes[row * Math.ceil(K / 2) + (k >> 1)] ?? 0;

export function quantizedMutants(): Mutant[] {
  return [
    plain('has the high half first', HALVES, { unpack: (bytes, row, k, K) => rightHalf(bytes, row, k ^ 1, K + (K % 2)) }),
    plain('takes halves for unsigned', HALVES, { unpack: (bytes, row, k, K) => rightHalf(bytes, row, k, K) & 15 }),
    plain('takes halves less 8', HALVES, { unpack: (bytes, row, k, K) => (rightHalf(bytes, row, k, K) & 15) - 8 }),
    plain('takes the low half twice', HALVES, { unpack: (bytes, row, k, K) => rightHalf(bytes, row, k & -2, K) }),
    plain('takes one value a byte', HALVES, { unpack: (bytes, row, k, K) => int8(byteOf(bytes, row, k, K)) }),
    plain('begins a row within a byte', HALVES, { unpack: (bytes, row, k, K) => rightHalf(bytes, 0, row * K + k, 2 * bytes.length) }),
    plain('has halves of sign and magnitude', HALVES, {
      unpack: (bytes, row, k, K) => {
        const half = rightHalf(bytes, row, k, K) & 15;
        return half < 8 ? half : 8 - half;
      },
    }),
    plain('adds up in int8', BYTES, { add: (sum, product) => int8(sum + product) }),
    plain('adds up in int16', BYTES, { add: (sum, product) => int16(sum + product) }),
    plain('saturates in int16', BYTES, { add: (sum, product) => saturate16(sum + product) }),
    plain('adds up in float32', BYTES, { add: (sum, product) => Math.fround(sum + product) }),
    plain('multiplies in int8', BYTES, { add: (sum, product) => sum + int8(product) }),
    plain('of 4 bits adds up in int16', HALVES, { add: (sum, product) => int16(sum + product) }),
    plain('of 7 bits adds up in int16', SEVEN, { add: (sum, product) => int16(sum + product) }),
    plain('skips the last k', BYTES, { depth: (K) => Math.max(0, K - 1) }),
    plain('skips the tail of k', BYTES, { depth: (K) => (K < 16 ? K : K & -16) }),
    plain('of 4 bits skips the last half byte', HALVES, { depth: (K) => K & -2 }),
    plain('stops after 1024 of k', BYTES, { depth: (K) => Math.min(1024, K) }),
    plain('takes a for signed', UNSIGNED, { a: int8 }),
    plain('takes a for unsigned', BYTES, { a: (value) => value & 255 }),
    plain('takes 7 bits for 8', BYTES, { a: (value) => value & 127 }),
    plain('has 6 bits of 7', SEVEN, { a: (value) => Math.min(63, value) }),
    plain('subtracts 128 from a', UNSIGNED, { a: (value) => value - 128 }),
    plain('begins groups one late', GROUPS, { groupOf: (k, group) => Math.floor(Math.max(0, k - 1) / group) }),
    plain('has a group for the tail’s neighbour', GROUPS, {
      groupOf: (k, group, groups) => Math.min(Math.floor(k / group), Math.max(0, groups - 2)),
    }),
    plain('takes all groups for the first', GROUPS, { groupOf: () => 0 }),
    plain('deals k out to the groups', GROUPS, { groupOf: (k, _, groups) => k % groups }),
    plain('has scales by group first', GROUPS, { scaleAt: (n, group, _, N) => group * N + n }),
    plain('has scales of the first row', GROUPS, { scaleAt: (_, group) => group }),
    plain('forgets the scales', GROUPS, { scaled: (total, sum) => total + sum }),
    plain('scales the total', GROUPS, { scaled: (total, sum, scale) => (total + sum) * scale }),
    plain('keeps the last group', GROUPS, { scaled: (_, sum, scale) => sum * scale }),
    plain('adds groups up in bfloat16', GROUPS, { scaled: (total, sum, scale) => hold('bfloat16', total + sum * scale) }),
    plain('rounds scales to float16', GROUPS, { scaled: (total, sum, scale) => total + sum * hold('float16', scale * 1.01) }),
    plain('adds a group up in int8', GROUPED_HALVES, { add: (sum, product) => int8(sum + product) }),
    plain('has the high half first in groups', GROUPED_HALVES, { unpack: (bytes, row, k, K) => rightHalf(bytes, row, k ^ 1, K + (K % 2)) }),
    seeing('quantizedContract', 'quantizedContract takes every scale for positive', GROUPS, ({ operands }) => {
      operands['scales']?.forEach((scale, i, all) => (all[i] = Math.abs(scale)));
    }),
    rewriting('quantizedContract skips its epilogue', ['optional / quantizedContract / epilogue'], (kernel) =>
      kernel.kind === 'quantizedContract'
        ? {
            ...kernel,
            outputs: kernel.outputs.map((o) =>
              o.value.dtype === 'int32' || kernel.group !== null ? { ...o, value: accumulator(o.value.dtype) } : { ...o, value: zero },
            ),
          }
        : kernel,
    ),
    reexpressing('quantizedContract doubles its sum', ['optional / quantizedContract / epilogue'], (e, kernel) =>
      e.op === 'accumulator' && kernel.kind === 'quantizedContract' ? apply('add', e, e) : e,
    ),
  ];
}

const zero = { op: 'constant', dtype: 'float32', value: 0 } as const;

/** The plain version without a mistake, which has to pass. */
export const PLAIN_QUANTIZED: Mutant = plain('plainly', ['optional / quantizedContract'], {});
