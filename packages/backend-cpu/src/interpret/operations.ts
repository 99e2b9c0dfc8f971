/** The opcodes as functions, for the interpreter: the twin of `codegen/language.ts`. Results are rounded to their dtype afterwards. */

import { DTYPES } from '@gradus/backend';
import type { DType, DTypeKind, Opcode } from '@gradus/backend';

import { erf } from '../numerics/erf.ts';
import {
  ROUND,
  bitsOfFloat32,
  float32OfBits,
  power,
  roundHalfToEven,
  saturateInt32,
  saturateInt8,
  saturateUint32,
  saturateUint8,
} from '../numerics/scalar.ts';

type Function1 = (a: number) => number;
type Function2 = (a: number, b: number) => number;

/** One function for all dtypes, or some by dtype or kind and one for the rest: as the walker's `Template`. */
type Entry = Function2 | ({ readonly [Key in DType | DTypeKind]?: Function2 } & { readonly default: Function2 });

const OPERATIONS: { readonly [O in Opcode]: Entry } = {
  negate: (a) => -a,
  abs: (a) => Math.abs(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  round: roundHalfToEven,
  truncate: (a) => Math.trunc(a),
  sqrt: (a) => Math.sqrt(a),
  exp: (a) => Math.exp(a),
  log: (a) => Math.log(a),
  sin: (a) => Math.sin(a),
  cos: (a) => Math.cos(a),
  tanh: (a) => Math.tanh(a),
  atan: (a) => Math.atan(a),
  erf,
  not: { bool: (a) => a ^ 1, default: (a) => ~a },
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: { float: (a, b) => a * b, default: Math.imul },
  divide: { float: (a, b) => a / b, default: (a, b) => (b === 0 ? 0 : a / b) },
  remainder: { float: (a, b) => a % b, default: (a, b) => (b === 0 ? 0 : a % b) },
  pow: power,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  equal: (a, b) => (a === b ? 1 : 0),
  notEqual: (a, b) => (a !== b ? 1 : 0),
  less: (a, b) => (a < b ? 1 : 0),
  lessEqual: (a, b) => (a <= b ? 1 : 0),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => a << b,
  shiftRight: { uint32: (a, b) => a >>> b, default: (a, b) => a >> b },
};

/** `op` on arguments of `dtype`, with its result rounded. */
export function operation(op: Opcode, dtype: DType, result: DType): Function2 {
  const entry = OPERATIONS[op];
  const exact = typeof entry === 'function' ? entry : (entry[dtype] ?? entry[DTYPES[dtype].kind] ?? entry.default);
  const round = ROUND[result];
  return (a, b) => round(exact(a, b));
}

const SATURATE: { readonly [D in DType]?: Function1 } = {
  int32: saturateInt32,
  uint32: saturateUint32,
  int8: saturateInt8,
  uint8: saturateUint8,
};

/** The conversion of values of one dtype to another. */
export function conversion(from: DType, to: DType): Function1 {
  return (DTYPES[from].kind === 'float' ? SATURATE[to] : undefined) ?? ROUND[to];
}

/** The bits of a value of one 32-bit dtype as another. */
export function bitConversion(from: DType, to: DType): Function1 {
  const round = ROUND[to];
  if (from === 'float32') return (a) => round(bitsOfFloat32(a));
  return to === 'float32' ? float32OfBits : round;
}
