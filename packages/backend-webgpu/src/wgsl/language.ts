/**
 * WGSL as a target of scalar expressions (`walk.ts` of @gradus/backend): types, literals, conversions and one template for each opcode.
 *
 * Words used here:
 * - **value type**: what a dtype is computed in. WGSL has numbers of 32 bits and bool; narrower ones are held in those, 16-bit floats rounded, 8-bit
 *   integers in their range. 16-bit floats are converted only, never computed with.
 * - **const-expression**: WGSL evaluates what consists of literals alone while it compiles, and refuses what overflows, divides by zero or gives NaN. A
 *   call of a declared function is none, so literals that could lead there are written as calls.
 *
 * `add`, `subtract` and rounding to whole numbers are WGSL's own, which are exact but for denormal numbers.
 */

import { DTYPES, UnsupportedError } from '@gradus/backend';
import type { Dialect, DType } from '@gradus/backend';
import { floatLiteral, wordLiteral } from './literal.ts';

/** The types that values have in generated code. */
export type WgslType = 'f32' | 'i32' | 'u32' | 'bool';

/** The value type of a dtype. */
export function typeOf(dtype: DType): WgslType {
  switch (dtype) {
    case 'float32':
    case 'float16':
    case 'bfloat16':
      return 'f32';
    case 'int32':
    case 'int8':
      return 'i32';
    case 'uint32':
    case 'uint8':
      return 'u32';
    case 'bool':
      return 'bool';
    case 'float64':
      throw unsupported(dtype);
    default:
      return dtype satisfies never;
  }
}

function unsupported(dtype: DType): UnsupportedError {
  return new UnsupportedError({ op: 'webgpu', expected: 'a dtype that WGSL has', got: dtype, fix: 'use float32' });
}

/** One template for each opcode. */
export const OPERATORS: Dialect['operators'] = {
  negate: { float: 'float_negate($0)', int: '-$0' },
  abs: { float: 'float_abs($0)', int: 'abs($0)' },
  floor: 'floor($0)',
  ceil: 'ceil($0)',
  round: 'round($0)',
  truncate: 'trunc($0)',
  sqrt: 'float_sqrt($0)',
  exp: 'float_exp($0)',
  log: 'float_log($0)',
  sin: 'float_sin($0)',
  cos: 'float_cos($0)',
  tanh: 'float_tanh($0)',
  atan: 'float_atan($0)',
  erf: 'float_erf($0)',
  not: { bool: '!$0', default: '~$0' },
  add: '$0 + $1',
  subtract: '$0 - $1',
  multiply: { float: 'float_multiply($0, $1)', default: '$0 * $1' },
  divide: { float: 'float_divide($0, $1)', int: 'int_divide($0, $1)', uint: 'uint_divide($0, $1)' },
  remainder: { float: 'float_remainder($0, $1)', int: 'int_remainder($0, $1)', uint: 'uint_remainder($0, $1)' },
  pow: 'float_pow($0, $1)',
  min: { float: 'float_min($0, $1)', default: 'min($0, $1)' },
  max: { float: 'float_max($0, $1)', default: 'max($0, $1)' },
  equal: { float: 'float_equal($0, $1)', default: '$0 == $1' },
  notEqual: { float: '!float_equal($0, $1)', default: '$0 != $1' },
  less: { float: 'float_less($0, $1)', bool: '!$0 & $1', default: '$0 < $1' },
  lessEqual: { float: 'float_less_equal($0, $1)', bool: '!$0 | $1', default: '$0 <= $1' },
  and: '$0 & $1',
  or: '$0 | $1',
  xor: { bool: '$0 != $1', default: '$0 ^ $1' },
  shiftLeft: { int: 'int_shift_left($0, $1)', uint: '$0 << ($1 & 31u)' },
  shiftRight: { int: '$0 >> (bitcast<u32>($1) & 31u)', uint: '$0 >> ($1 & 31u)' },
};

/** What brings the result of an operation back into an 8-bit integer's range. */
export const WRAP: Dialect['wrap'] = { int8: 'extractBits($0, 0u, 8u)', uint8: '($0) & 255u' };

/** Operations on two numbers of magnitudes in this range neither overflow nor leave the normal numbers. */
const PLAIN_FLOAT = { least: 2 ** -40, most: 2 ** 40 } as const;
/** The product of two integers of this magnitude is an int32. */
const PLAIN_INT = 32_767;

const floatBits = new Float32Array(1);
const floatWord = new Uint32Array(floatBits.buffer);

/** A number that `dtype` holds, written so that no expression of literals alone can overflow or give NaN. */
export function constant(value: number, dtype: DType): string {
  const type = typeOf(dtype);
  switch (type) {
    case 'bool':
      return value === 0 ? 'false' : 'true';
    case 'u32':
      return `uint_of(${wordLiteral(value)})`;
    case 'i32':
      return Math.abs(value) <= PLAIN_INT ? signed(value) : `int_of(${wordLiteral(value)})`;
    case 'f32': {
      const size = Math.abs(value);
      if (Object.is(value, 0) || (size >= PLAIN_FLOAT.least && size <= PLAIN_FLOAT.most)) return floatLiteral(value);
      floatBits[0] = value;
      return `float_of(${wordLiteral(floatWord[0] ?? 0)})`;
    }
    default:
      return type satisfies never;
  }
}

function signed(value: number): string {
  return value < 0 ? `(${value}i)` : `${value}i`;
}

/** `value` converted from one dtype to another. */
export function cast(value: string, from: DType, to: DType): string {
  const { kind } = DTYPES[from];
  if (from === to) return value;
  switch (to) {
    case 'float32':
    case 'float16':
    case 'bfloat16':
      return castToFloat(value, from, to);
    case 'bool':
      return kind === 'float' ? `((bitcast<u32>(${value}) & 0x7fffffffu) != 0u)` : `bool(${value})`;
    case 'int32':
      return castToInt(value, from);
    case 'uint32':
      return castToUint(value, from);
    case 'int8':
      return kind === 'float' ? `clamp(int_of_float(${value}), -128i, 127i)` : `extractBits(${castToInt(value, from)}, 0u, 8u)`;
    case 'uint8':
      return kind === 'float' ? `min(uint_of_float(${value}), 255u)` : `(${castToUint(value, from)} & 255u)`;
    case 'float64':
      throw unsupported(to);
    default:
      return to satisfies never;
  }
}

/** Floats narrow by rounding; integers of 32 bits round once, to float16 by way of float32, since those that are not exact there are infinite. */
function castToFloat(value: string, from: DType, to: 'float32' | 'float16' | 'bfloat16'): string {
  const wide = (precision: 8 | 24): string => {
    if (from === 'int32') return `nearest_float_of_int(${value}, ${precision}u)`;
    if (from === 'uint32') return `nearest_float(${value}, ${precision}u)`;
    return typeOf(from) === 'f32' ? value : `f32(${value})`;
  };
  if (to === 'float16' && DTYPES[from].bytes > 1) return `float_rounded_to_float16(${wide(24)})`;
  if (to === 'bfloat16') return typeOf(from) === 'f32' ? `float_rounded_to_bfloat16(${value})` : wide(8);
  return wide(24);
}

function castToInt(value: string, from: DType): string {
  return typeOf(from) === 'f32' ? `int_of_float(${value})` : `i32(${value})`;
}

function castToUint(value: string, from: DType): string {
  return typeOf(from) === 'f32' ? `uint_of_float(${value})` : `u32(${value})`;
}

/** The bits of `value` read as another 32-bit dtype. */
export function bitcast(value: string, _from: DType, to: DType): string {
  return `bitcast<${typeOf(to)}>(${value})`;
}

/** `condition ? then : otherwise`. */
export function whereText(condition: string, then: string, otherwise: string, _dtype: DType): string {
  return `select(${otherwise}, ${then}, ${condition})`;
}
