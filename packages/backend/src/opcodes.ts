/**
 * The opcodes of scalar expressions: arity, which dtypes they take, what they give, and what they mean.
 *
 * Meaning, for every backend:
 * - Each operation rounds its result to its dtype (on cpu: `Math.fround` for float32). Integers wrap to their width.
 * - Float arithmetic is IEEE 754. `min` and `max` give NaN when either argument is NaN; `max(-0, 0)` is 0 and `min(-0, 0)` is -0.
 * - `divide` on integers truncates toward zero; `remainder` takes the sign of its first argument, on floats too (C's `fmod`).
 *   Division by an integer zero and its remainder give 0; the most negative number divided by -1 wraps to itself, with remainder 0.
 * - `round` rounds half to even. `pow` is C's: `pow(x, 0)` is 1 for every x, NaN included, `pow(1, y)` is 1, and so is `pow(-1, ±Inf)`.
 * - `shiftLeft` and `shiftRight` use the low 5 bits of their second argument; `shiftRight` repeats the sign of int32, fills uint32 with 0.
 * - Comparisons with NaN are false, except `notEqual`, which is true.
 * - Denormal floats may be flushed to zero by backends that say so in their capabilities.
 */

import type { DType, DTypeKind } from './dtype.ts';

/** Dtype kinds that an opcode accepts. */
type Accepts = readonly DTypeKind[];

/** One opcode's rule. */
export interface OpcodeRule {
  readonly arity: 1 | 2;
  /** Kinds of the arguments, all of one dtype. */
  readonly accepts: Accepts;
  /** `same`: the arguments' dtype; `bool`: a comparison. */
  readonly gives: 'same' | 'bool';
  /** Restricts the dtype further: bit shifts are for 32-bit words. */
  readonly only?: readonly DType[];
}

const NUMBER: Accepts = ['float', 'int', 'uint'];
const SIGNED: Accepts = ['float', 'int'];
const FLOAT: Accepts = ['float'];
const BITS: Accepts = ['int', 'uint', 'bool'];
const ANY: Accepts = ['float', 'int', 'uint', 'bool'];

const unary = (accepts: Accepts): OpcodeRule => ({ arity: 1, accepts, gives: 'same' });
const binary = (accepts: Accepts): OpcodeRule => ({ arity: 2, accepts, gives: 'same' });
const comparison = (accepts: Accepts): OpcodeRule => ({ arity: 2, accepts, gives: 'bool' });
const shift: OpcodeRule = { arity: 2, accepts: ['int', 'uint'], gives: 'same', only: ['int32', 'uint32'] };

/** The operations on scalars, beside the structural expressions (`constant`, `load`, `cast`, `where`, …). */
export const OPCODES = {
  negate: unary(SIGNED),
  abs: unary(SIGNED),
  floor: unary(FLOAT),
  ceil: unary(FLOAT),
  round: unary(FLOAT),
  truncate: unary(FLOAT),
  sqrt: unary(FLOAT),
  exp: unary(FLOAT),
  log: unary(FLOAT),
  sin: unary(FLOAT),
  cos: unary(FLOAT),
  tanh: unary(FLOAT),
  atan: unary(FLOAT),
  erf: unary(FLOAT),
  not: unary(BITS),
  add: binary(NUMBER),
  subtract: binary(NUMBER),
  multiply: binary(NUMBER),
  divide: binary(NUMBER),
  remainder: binary(NUMBER),
  pow: binary(FLOAT),
  min: binary(NUMBER),
  max: binary(NUMBER),
  equal: comparison(ANY),
  notEqual: comparison(ANY),
  less: comparison(ANY),
  lessEqual: comparison(ANY),
  and: binary(BITS),
  or: binary(BITS),
  xor: binary(BITS),
  shiftLeft: shift,
  shiftRight: shift,
} as const satisfies Readonly<Record<string, OpcodeRule>>;

/** The name of an operation on scalars. */
export type Opcode = keyof typeof OPCODES;

/** Every opcode. */
export const ALL_OPCODES: readonly Opcode[] = Object.keys(OPCODES) as Opcode[];

/** The rule of an opcode, widened for table-driven code. */
export function opcodeRule(op: Opcode): OpcodeRule {
  return OPCODES[op];
}

/** May `op` be applied to arguments of `dtype`? `kind` is that dtype's kind. */
export function opcodeAccepts(op: Opcode, dtype: DType, kind: DTypeKind): boolean {
  const rule = opcodeRule(op);
  return rule.accepts.includes(kind) && (rule.only === undefined || rule.only.includes(dtype));
}
