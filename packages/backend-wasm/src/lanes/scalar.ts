/** Lanes of width 1: plain WebAssembly. */

import type { Code } from '../assembler/code.ts';
import { f32, i32, select } from '../assembler/instructions.ts';
import type { F32, I32 } from '../assembler/value.ts';
import type { ScalarLanes } from './lanes.ts';

/** Minimum or maximum of ints, from a comparison. */
function extreme(code: Code, wins: (a: I32, b: I32) => I32): (a: I32, b: I32) => I32 {
  return (a, b) => {
    const [x, y] = [code.let(a), code.let(b)];
    return select(wins(x, y), x, y);
  };
}

/** The second of two floats where it wins, else the first. */
function chosen(code: Code, wins: (a: F32, b: F32) => I32): (a: F32, b: F32) => F32 {
  return (a, b) => {
    const [x, y] = [code.let(a), code.let(b)];
    return select(wins(y, x), y, x);
  };
}

/** The lanes of each function in the making: kernels ask for them at every place they write. */
const known = new WeakMap<Code, ScalarLanes>();

/** Element arithmetic on single numbers. */
export function scalarLanes(code: Code): ScalarLanes {
  const lanes = known.get(code) ?? makeLanes(code);
  known.set(code, lanes);
  return lanes;
}

function makeLanes(code: Code): ScalarLanes {
  const by =
    (shift: (a: I32, b: I32) => I32) =>
    (a: I32, count: number): I32 =>
      shift(a, i32.const(count));
  const lanes: ScalarLanes = {
    width: 1,
    code,
    f: { ...f32, pmin: chosen(code, f32.lt), pmax: chosen(code, f32.gt) },
    i: {
      ...i32,
      minS: extreme(code, i32.ltS),
      minU: extreme(code, i32.ltU),
      maxS: extreme(code, i32.gtS),
      maxU: extreme(code, i32.gtU),
      shl: by(i32.shl),
      shrS: by(i32.shrS),
      shrU: by(i32.shrU),
    },
    float: f32.const,
    int: i32.const,
    splatFloat: (value) => value,
    splatInt: (value) => value,
    selectFloat: select,
    selectInt: select,
    not: i32.eqz,
    maskToInt: (mask) => mask,
    intToMask: (value) => i32.ne(value, i32.const(0)),
    bits: i32.reinterpretF32,
    fromBits: f32.reinterpretI32,
    toInt: i32.truncSatF32S,
    toUint: i32.truncSatF32U,
    fromInt: f32.convertI32S,
    fromUint: f32.convertI32U,
    keepFloat: (value) => code.let(value),
    keepInt: (value) => code.let(value),
    eachFloat: (args, apply) =>
      apply(
        lanes,
        args.map((arg) => code.let(arg)),
      ),
    eachInt: (args, apply) =>
      apply(
        lanes,
        args.map((arg) => code.let(arg)),
      ),
    progression: (start) => start,
  };
  return lanes;
}
