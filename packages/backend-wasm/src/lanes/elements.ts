/**
 * Elements in memory: from bytes of a dtype to lanes, and back.
 *
 * Words used here:
 * - **step**: how an operand moves from lane to lane: `unit` (next to each other), `none` (all lanes see one element), or a number of bytes
 *   held in a local.
 * - **register dtype**: floats are held as floats, everything else as ints; bools as masks.
 */

import type { DType } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import { f32, f32x4, i16x8, i32, i32x4, i8x16, v128 } from '../assembler/instructions.ts';
import type { F32, I32, V128 } from '../assembler/value.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts';
import type { ScalarLanes, VectorLanes } from './lanes.ts';

/** How an operand moves from one lane to the next. */
export type Step = 'unit' | 'none' | I32;

/** The dtypes this backend stores; it has no float64. */
export type StoredDType = Exclude<DType, 'float64'>;

/** A value in the register that its dtype asks for; the other one is null. */
export interface Loaded<F, I> {
  readonly float: F | null;
  readonly int: I | null;
}

/** The addresses of the four lanes. */
function laneAddresses({ code }: VectorLanes, address: I32, step: I32): I32[] {
  const second = code.let(i32.add(address, step));
  const third = code.let(i32.add(second, step));
  return [address, second, third, code.let(i32.add(third, step))];
}

/** One element as a word: numbers extended, 16-bit floats as bits. */
function loadWord(dtype: StoredDType, address: I32): I32 {
  switch (dtype) {
    case 'int8':
      return i32.load8S(address);
    case 'uint8':
    case 'bool':
      return i32.load8U(address);
    case 'float16':
    case 'bfloat16':
      return i32.load16U(address);
    default:
      return i32.load(address);
  }
}

/** Four neighbouring elements as words. */
function loadWords(dtype: StoredDType, address: I32, offset: number): V128 {
  switch (dtype) {
    case 'int8':
      return i32x4.extendLowI16x8S(i16x8.extendLowI8x16S(v128.load32Zero(address, offset)));
    case 'uint8':
    case 'bool':
      return i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(address, offset)));
    case 'float16':
    case 'bfloat16':
      return v128.load16x4U(address, offset);
    default:
      return v128.load(address, offset);
  }
}

/** Four elements at any distance, as words. */
function gatherWords(lanes: VectorLanes, dtype: StoredDType, addresses: readonly I32[]): V128 {
  const { code } = lanes;
  const result = code.local('v128');
  addresses.forEach((address, lane) => {
    if (DTYPES[dtype].bytes === 4) code.set(result, lane === 0 ? v128.load32Zero(address) : v128.load32Lane(address, result, lane));
    else code.set(result, lane === 0 ? i32x4.splat(loadWord(dtype, address)) : i32x4.replaceLane(result, lane, loadWord(dtype, address)));
  });
  return result;
}

/** One element. Loads happen here and now: the value is held in a local. */
function loadOne(lanes: ScalarLanes, dtype: StoredDType, address: I32): Loaded<F32, I32> {
  const { code } = lanes;
  switch (dtype) {
    case 'float32':
      return { float: code.let(f32.load(address)), int: null };
    case 'float16':
      return { float: code.let(fromFloat16(lanes, loadWord(dtype, address))), int: null };
    case 'bfloat16':
      return { float: code.let(fromBfloat16(lanes, loadWord(dtype, address))), int: null };
    case 'bool':
      return { float: null, int: code.let(lanes.intToMask(loadWord(dtype, address))) };
    default:
      return { float: null, int: code.let(loadWord(dtype, address)) };
  }
}

/** Words as four elements. */
function decode(lanes: VectorLanes, dtype: StoredDType, words: V128): Loaded<V128, V128> {
  const { code } = lanes;
  switch (dtype) {
    case 'float32':
      return { float: code.let(words), int: null };
    case 'float16':
      return { float: code.let(fromFloat16(lanes, words)), int: null };
    case 'bfloat16':
      return { float: code.let(fromBfloat16(lanes, words)), int: null };
    case 'bool':
      return { float: null, int: code.let(lanes.intToMask(words)) };
    default:
      return { float: null, int: code.let(words) };
  }
}

/** Four elements. */
function loadFour(lanes: VectorLanes, dtype: StoredDType, address: I32, step: Step, offset: number): Loaded<V128, V128> {
  if (step === 'unit') return decode(lanes, dtype, loadWords(dtype, address, offset));
  if (step === 'none') return decode(lanes, dtype, i32x4.splat(loadWord(dtype, address)));
  return decode(lanes, dtype, gatherWords(lanes, dtype, laneAddresses(lanes, address, step)));
}

/** Stores one element. `value` is a float for float dtypes, else an int or a mask. */
function storeOne(lanes: ScalarLanes, dtype: StoredDType, address: I32, float: F32 | null, int: I32 | null): void {
  const { code } = lanes;
  if (float !== null) {
    if (dtype === 'float32') code.effect(f32.store(address, float));
    else code.effect(i32.store16(address, dtype === 'float16' ? toFloat16(lanes, float) : toBfloat16(lanes, float)));
    return;
  }
  if (int === null) return;
  if (DTYPES[dtype].bytes === 4) code.effect(i32.store(address, int));
  else code.effect(i32.store8(address, dtype === 'bool' ? lanes.maskToInt(int) : int));
}

/** The first byte of each word, then the rest as it comes. */
const LOW_BYTES = [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12];
/** The lower half of each word. */
const LOW_HALVES = [0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13];

/** Stores four elements; `step` is never `none`. */
function storeFour(lanes: VectorLanes, dtype: StoredDType, address: I32, step: Step, float: V128 | null, int: V128 | null, offset: number): void {
  const { code } = lanes;
  const words = code.let(encode(lanes, dtype, float, int));
  const { bytes } = DTYPES[dtype];
  if (step === 'unit') {
    if (bytes === 4) code.effect(v128.store(address, words, offset));
    else if (bytes === 2) code.effect(v128.store64Lane(address, i8x16.shuffle(words, words, LOW_HALVES), 0, offset));
    else code.effect(v128.store32Lane(address, i8x16.shuffle(words, words, LOW_BYTES), 0, offset));
    return;
  }
  if (step === 'none') return;
  laneAddresses(lanes, address, step).forEach((at, lane) => {
    if (bytes === 4) code.effect(v128.store32Lane(at, words, lane));
    else if (bytes === 2) code.effect(i32.store16(at, i32x4.extractLane(words, lane)));
    else code.effect(i32.store8(at, i32x4.extractLane(words, lane)));
  });
}

function encode(lanes: VectorLanes, dtype: StoredDType, float: V128 | null, int: V128 | null): V128 {
  if (float !== null) {
    if (dtype === 'float16') return toFloat16(lanes, float);
    return dtype === 'bfloat16' ? toBfloat16(lanes, float) : float;
  }
  if (int === null) return f32x4.splat(f32.const(0));
  return dtype === 'bool' ? lanes.maskToInt(int) : int;
}

/** Loads and stores of one width. Where elements are next to each other, `offset` bytes are added to the address by the instruction itself. */
export interface Elements<F, I> {
  readonly load: (dtype: StoredDType, address: I32, step: Step, offset?: number) => Loaded<F, I>;
  /** Elements number `positions` from `base`. */
  readonly loadAt: (dtype: StoredDType, base: I32, positions: I) => Loaded<F, I>;
  /** `step` is never `none`. */
  readonly store: (dtype: StoredDType, address: I32, step: Step, float: F | null, int: I | null, offset?: number) => void;
}

/** Element access for vectors. */
export function vectorElements(lanes: VectorLanes): Elements<V128, V128> {
  const { code } = lanes;
  return {
    load: (dtype, address, step, offset = 0) => loadFour(lanes, dtype, address, step, offset),
    loadAt: (dtype, base, positions) => {
      const kept = code.let(positions);
      const { bytes } = DTYPES[dtype];
      const addresses = [0, 1, 2, 3].map((lane) => code.let(i32.add(base, i32.mul(i32x4.extractLane(kept, lane), i32.const(bytes)))));
      return decode(lanes, dtype, gatherWords(lanes, dtype, addresses));
    },
    store: (dtype, address, step, float, int, offset = 0) => storeFour(lanes, dtype, address, step, float, int, offset),
  };
}

function moved(address: I32, offset: number): I32 {
  return offset === 0 ? address : i32.add(address, i32.const(offset));
}

/** Element access for single elements. */
export function scalarElements(lanes: ScalarLanes): Elements<F32, I32> {
  return {
    load: (dtype, address, _step, offset = 0) => loadOne(lanes, dtype, moved(address, offset)),
    loadAt: (dtype, base, positions) => loadOne(lanes, dtype, i32.add(base, i32.mul(positions, i32.const(DTYPES[dtype].bytes)))),
    store: (dtype, address, _step, float, int, offset = 0) => storeOne(lanes, dtype, moved(address, offset), float, int),
  };
}
