/**
 * What every opcode, cast and bitcast means, on numbers: the table that a backend's answers are compared with.
 *
 * Float operations are done in float64 and rounded once. For `+ - * /` and `sqrt` that gives the correctly rounded result of every
 * narrower dtype: a float64 has more than twice as many digits (Figueroa, "When is double rounding innocuous?", 1995).
 */

import { DTYPES, isFloat, opcodeRule } from '@gradus/backend';
import type { DType, Opcode } from '@gradus/backend';
import { erf } from './erf.ts';
import { hold } from './number.ts';

type Meaning = (a: number, b: number) => number;
type Meanings = { readonly [O in Opcode]?: Meaning };

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  const rounded = rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
  // The sign survives: -0.3 gives -0, as IEEE 754 says.
  return rounded === 0 && (x < 0 || Object.is(x, -0)) ? -0 : Number.isFinite(x) ? rounded : x;
}

/** C's pow. ECMAScript's differs where |x| is 1: there C gives 1 for every y that ECMAScript gives NaN for, except pow(-1, NaN). */
function pow(x: number, y: number): number {
  if (x === 1 || (x === -1 && Math.abs(y) === Infinity)) return 1;
  return x ** y;
}

const COMPARISONS: Meanings = {
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
};

const FLOAT: Meanings = {
  ...COMPARISONS,
  negate: (a) => -a,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfToEven,
  truncate: Math.trunc,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  atan: Math.atan,
  erf,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  remainder: (a, b) => a % b,
  pow,
  min: Math.min,
  max: Math.max,
};

const INTEGER: Meanings = {
  ...COMPARISONS,
  negate: (a) => -a,
  abs: Math.abs,
  not: (a) => ~a,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: Math.imul,
  divide: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  remainder: (a, b) => (b === 0 ? 0 : a % b),
  min: Math.min,
  max: Math.max,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => a << (b & 31),
  shiftRight: (a, b) => a >> (b & 31),
};

const MEANINGS = {
  float: FLOAT,
  int: INTEGER,
  uint: { ...INTEGER, shiftRight: (a, b) => a >>> (b & 31) },
  bool: { ...COMPARISONS, not: (a) => 1 - a, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b },
} as const satisfies Readonly<Record<string, Meanings>>;

/** `op` applied to arguments of `dtype`. */
export function operate(op: Opcode, dtype: DType, a: number, b: number): number {
  const meanings: Meanings = MEANINGS[DTYPES[dtype].kind];
  const meaning = meanings[op];
  if (meaning === undefined) throw new TypeError(`internal: no meaning of ${op} for ${dtype}`);
  return hold(opcodeRule(op).gives === 'bool' ? 'bool' : dtype, meaning(a, b));
}

/** `x` converted from one dtype to another. */
export function convert(x: number, from: DType, to: DType): number {
  if (to === 'bool' || isFloat(to) || !isFloat(from)) return hold(to, x);
  if (Number.isNaN(x)) return 0;
  const { min, max } = DTYPES[to];
  // Adding 0 turns the -0 that truncation leaves into 0.
  return Math.min(Math.max(Math.trunc(x), min), max) + 0;
}

const scratch = new ArrayBuffer(4);

/** The bits of `x` read as another 32-bit dtype. */
export function reinterpret(x: number, from: DType, to: DType): number {
  DTYPES[from].view(scratch)[0] = x;
  return DTYPES[to].view(scratch)[0] ?? NaN;
}
