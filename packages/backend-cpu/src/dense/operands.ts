/**
 * Dense operands of one run as typed arrays that begin with their first element, so that the loops over them are plain.
 *
 * Floats of 16 bits are numbers in float64 here: what is read is decoded first, what is written is encoded by {@link DenseOperands.finish}.
 * Everything else is seen in place, and an assignment rounds (or wraps) to the dtype.
 */

import { fromBfloat16Bits, fromFloat16Bits, operandPositions, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType, Kernel, TypedArray } from '@gradus/backend';

const DECODE: { readonly [D in DType]?: (bits: number) => number } = { float16: fromFloat16Bits, bfloat16: fromBfloat16Bits };
const ENCODE: { readonly [D in DType]?: (value: number) => number } = { float16: toFloat16Bits, bfloat16: toBfloat16Bits };

export class DenseOperands {
  readonly #kernel: Kernel;
  readonly #views: readonly TypedArray[];
  readonly #dims: Int32Array;
  readonly #positions: readonly number[];
  /** What is still to be encoded, and where to. */
  readonly #unfinished: { readonly from: Float64Array; readonly to: TypedArray; readonly encode: (value: number) => number }[] = [];

  constructor(kernel: Kernel, views: readonly TypedArray[], dims: Int32Array) {
    this.#kernel = kernel;
    this.#views = views;
    this.#dims = dims;
    this.#positions = operandPositions(kernel);
  }

  /** The stored elements of an operand: of 16-bit floats, the bits. */
  raw(operand: number): TypedArray {
    const at = this.#positions[operand] ?? 0;
    const offset = this.#dims[at] ?? 0;
    return this.#views[operand]?.subarray(offset, offset + (this.#dims[at + 1] ?? 0)) ?? new Float64Array(0);
  }

  /** The numbers in an operand that is read (or, unless it is of 16 bits, read and written). */
  read(operand: number): TypedArray {
    const raw = this.raw(operand);
    const decode = DECODE[this.#dtype(operand)];
    return decode === undefined ? raw : Float64Array.from(raw, decode);
  }

  /** The numbers in an operand of floats. */
  readFloats(operand: number): Float32Array | Float64Array {
    const numbers = this.read(operand);
    return numbers instanceof Float32Array || numbers instanceof Float64Array ? numbers : Float64Array.from(numbers);
  }

  /** Where the numbers of a written operand go. */
  write(operand: number): TypedArray {
    const to = this.raw(operand);
    const encode = ENCODE[this.#dtype(operand)];
    if (encode === undefined) return to;
    const from = new Float64Array(to.length);
    this.#unfinished.push({ from, to, encode });
    return from;
  }

  /** Ends the run: encodes what was written. */
  finish(): void {
    for (const { from, to, encode } of this.#unfinished) for (let i = 0; i < from.length; i++) to[i] = encode(from[i] as number);
  }

  #dtype(operand: number): DType {
    return this.#kernel.operands[operand]?.dtype ?? 'float32';
  }
}
