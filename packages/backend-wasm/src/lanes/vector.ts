/** Lanes of width 4: SIMD. */

import type { Code } from '../assembler/code.ts';
import { f32x4, i32, i32x4, v128 } from '../assembler/instructions.ts';
import type { I32, V128 } from '../assembler/value.ts';
import type { VectorLanes } from './lanes.ts';
import { scalarLanes } from './scalar.ts';

/** How many elements a vector holds. */
export const LANES = 4;

const EACH_LANE = [0, 1, 2, 3] as const;

/** The lanes of each function in the making: kernels ask for them at every place they write. */
const known = new WeakMap<Code, VectorLanes>();

/** Element arithmetic on vectors of four. */
export function vectorLanes(code: Code): VectorLanes {
  const lanes = known.get(code) ?? makeLanes(code);
  known.set(code, lanes);
  return lanes;
}

function makeLanes(code: Code): VectorLanes {
  const one = scalarLanes(code);
  const words = (values: Int32Array | Float32Array): V128 => code.constant(new Uint8Array(values.buffer));
  const int = (value: number): V128 => words(new Int32Array(LANES).fill(value));
  const by =
    (shift: (a: V128, b: I32) => V128) =>
    (a: V128, count: number): V128 =>
      shift(a, i32.const(count));
  const keep = (value: V128): V128 => code.let(value);
  return {
    width: LANES,
    code,
    f: f32x4,
    i: {
      ...i32x4,
      and: v128.and,
      or: v128.or,
      xor: v128.xor,
      shl: by(i32x4.shl),
      shrS: by(i32x4.shrS),
      shrU: by(i32x4.shrU),
    },
    float: (value) => words(new Float32Array(LANES).fill(value)),
    int,
    splatFloat: f32x4.splat,
    splatInt: i32x4.splat,
    selectFloat: (mask, a, b) => v128.bitselect(a, b, mask),
    selectInt: (mask, a, b) => v128.bitselect(a, b, mask),
    not: v128.not,
    maskToInt: (mask) => v128.and(mask, int(1)),
    intToMask: (value) => i32x4.ne(value, int(0)),
    bits: (value) => value,
    fromBits: (value) => value,
    toInt: i32x4.truncSatF32x4S,
    toUint: i32x4.truncSatF32x4U,
    fromInt: f32x4.convertI32x4S,
    fromUint: f32x4.convertI32x4U,
    keepFloat: keep,
    keepInt: keep,
    eachFloat: (args, apply) => {
      const kept = args.map((arg) => code.let(arg));
      const result = code.local('v128');
      for (const lane of EACH_LANE) {
        const value = apply(
          one,
          kept.map((arg) => code.let(f32x4.extractLane(arg, lane))),
        );
        code.set(result, lane === 0 ? f32x4.splat(value) : f32x4.replaceLane(result, lane, value));
      }
      return result;
    },
    eachInt: (args, apply) => {
      const kept = args.map((arg) => code.let(arg));
      const result = code.local('v128');
      for (const lane of EACH_LANE) {
        const value = apply(
          one,
          kept.map((arg) => code.let(i32x4.extractLane(arg, lane))),
        );
        code.set(result, lane === 0 ? i32x4.splat(value) : i32x4.replaceLane(result, lane, value));
      }
      return result;
    },
    progression: (start, step) => i32x4.add(i32x4.splat(start), i32x4.mul(i32x4.splat(step), words(Int32Array.of(0, 1, 2, 3)))),
  };
}
