/** Mutants of the operator table: wrong operators, exchanged arguments, missing rounding, wrong edge cases. One or more an opcode. */

import type { DType, Opcode } from '@gradus/backend';
import { LANGUAGE } from '../../../backend-cpu/src/codegen/language.ts';
import type { Language } from '../../../backend-cpu/src/codegen/language.ts';
import { replaced } from './mutant.ts';
import type { Mutant } from './mutant.ts';

type Templates = Readonly<Record<string, Language['operators'][Opcode]>>;

/** By opcode: what is wrong, and the template that is. */
const WRONG: { readonly [O in Opcode]: Templates } = {
  negate: { 'does nothing': '$0', 'gives 0 for 0': '0 - $0' },
  abs: { 'does nothing': '$0', negates: '-$0', 'keeps -0': '$0 < 0 ? -$0 : $0' },
  floor: { truncates: 'Math.trunc($0)', 'rounds up': 'Math.ceil($0)', 'goes through int32': '$0 | 0' },
  ceil: { 'rounds down': 'Math.floor($0)', 'adds one to the floor': 'Math.floor($0) + 1', 'loses the sign of zero': 'Math.ceil($0) + 0' },
  round: {
    'rounds halves up': 'Math.round($0)',
    'rounds halves away from zero': 'Math.sign($0) * Math.floor(Math.abs($0) + 0.5)',
    'loses the sign of zero': 'roundHalfToEven($0) + 0',
    truncates: 'Math.trunc($0)',
  },
  truncate: { 'rounds down': 'Math.floor($0)', 'goes through int32': '$0 | 0', 'loses the sign of zero': 'Math.trunc($0) + 0' },
  sqrt: {
    'is a power': '$0 ** 0.5',
    'takes the magnitude': 'Math.sqrt(Math.abs($0))',
    'is a reciprocal': '1 / Math.sqrt($0)',
    'is a cube root': 'Math.cbrt($0)',
  },
  exp: {
    'has base 2': '2 ** $0',
    'is expm1 and one': 'Math.expm1($0) + 1',
    'does not overflow': 'Math.exp(Math.min($0, 88))',
    'does not vanish': 'Math.exp(Math.max($0, -50))',
    'is a short polynomial': '1 + $0 + $0 * $0 / 2',
  },
  log: {
    'has base 2': 'Math.log2($0)',
    'is log1p': 'Math.log1p($0)',
    'is NaN at zero': '$0 > 0 ? Math.log($0) : NaN',
    'takes the magnitude': 'Math.log(Math.abs($0))',
    'is clamped': 'Math.log($0 < 1e-7 ? 1e-7 : $0)',
  },
  sin: {
    'is a cosine': 'Math.cos($0)',
    'is a polynomial': '$0 - $0 ** 3 / 6',
    'is reduced in float32': 'Math.sin($0 % 6.2831855)',
    'is 0 at Inf': 'Math.abs($0) === Infinity ? 0 : Math.sin($0)',
  },
  cos: {
    'is a sine': 'Math.sin($0)',
    'is a polynomial': '1 - $0 ** 2 / 2',
    'is reduced in float32': 'Math.cos($0 % 6.2831855)',
    'is 1 at Inf': 'Math.abs($0) === Infinity ? 1 : Math.cos($0)',
  },
  tanh: {
    'cancels near zero': '1 - 2 / (Math.exp(2 * $0) + 1)',
    overflows: '(Math.exp(2 * $0) - 1) / (Math.exp(2 * $0) + 1)',
    'is clamped': '$0 > 1 ? 1 : $0 < -1 ? -1 : $0',
    'is a sigmoid': '1 / (1 + Math.exp(-$0))',
  },
  atan: {
    'is asin': 'Math.asin($0)',
    'is that of the reciprocal': 'Math.atan(1 / $0)',
    'is a polynomial': '$0 - $0 ** 3 / 3',
    'is a tangent': 'Math.tan($0)',
  },
  erf: {
    'is a hyperbolic tangent': 'Math.tanh($0)',
    'is the complement': '1 - erf($0)',
    'is 1 from 3': 'Math.abs($0) > 3 ? Math.sign($0) : erf($0)',
    // Abramowitz and Stegun 7.1.26: an absolute error of 1.5e-7, which is no relative accuracy near 0.
    'is the well-known approximation':
      'Math.sign($0) * (1 - (((((1.061405429 / (1 + 0.3275911 * Math.abs($0)) - 1.453152027) / (1 + 0.3275911 * Math.abs($0)) + 1.421413741) / (1 + 0.3275911 * Math.abs($0)) - 0.284496736) / (1 + 0.3275911 * Math.abs($0)) + 0.254829592) / (1 + 0.3275911 * Math.abs($0))) * Math.exp(-$0 * $0))',
  },
  not: { negates: '-$0', 'is bitwise for bool': '~$0', 'is logical for integers': '$0 === 0 ? 1 : 0' },
  add: { subtracts: '$0 - $1', 'flushes denormals': 'Math.abs($0 + $1) < 1e-37 ? 0 : $0 + $1', 'is an or': { float: '$0 + $1', default: '$0 | $1' } },
  subtract: { adds: '$0 + $1', 'exchanges its arguments': '$1 - $0', 'takes the magnitude': 'Math.abs($0 - $1)' },
  multiply: {
    adds: '$0 + $1',
    'multiplies in float64': '$0 * $1',
    'knows no NaN': { float: '$0 === 0 || $1 === 0 ? 0 : $0 * $1', default: 'Math.imul($0, $1)' },
  },
  divide: {
    'exchanges its arguments': { float: '$1 / $0', default: '$0 === 0 ? 0 : $1 / $0' },
    multiplies: { float: '$0 * $1', default: 'Math.imul($0, $1)' },
    'rounds integers down': { float: '$0 / $1', default: '$1 === 0 ? 0 : Math.floor($0 / $1)' },
    'rounds integers to nearest': { float: '$0 / $1', default: '$1 === 0 ? 0 : Math.round($0 / $1)' },
    'gives -1 by an integer zero': { float: '$0 / $1', default: '$1 === 0 ? -1 : $0 / $1' },
    'saturates the most negative by -1': {
      float: '$0 / $1',
      int32: '$1 === 0 ? 0 : Math.min($0 / $1, 2147483647)',
      int8: '$1 === 0 ? 0 : Math.min($0 / $1, 127)',
      default: '$1 === 0 ? 0 : $0 / $1',
    },
    'multiplies by a rounded reciprocal': { float: '$0 * fround(1 / $1)', default: '$1 === 0 ? 0 : $0 / $1' },
    'does not test for an integer zero': '$0 / $1',
  },
  remainder: {
    'takes the sign of its second argument': { float: '(($0 % $1) + $1) % $1', default: '$1 === 0 ? 0 : (($0 % $1) + $1) % $1' },
    'exchanges its arguments': { float: '$1 % $0', default: '$0 === 0 ? 0 : $1 % $0' },
    'goes through the quotient': { float: '$0 - Math.trunc($0 / $1) * $1', default: '$1 === 0 ? 0 : $0 % $1' },
    'gives its first argument by an integer zero': { float: '$0 % $1', default: '$1 === 0 ? $0 : $0 % $1' },
    'does not test for an integer zero': '$0 % $1',
  },
  pow: {
    'is that of JavaScript': '$0 ** $1',
    'exchanges its arguments': 'power($1, $0)',
    'goes through exp and log': 'Math.exp($1 * Math.log($0))',
    'takes the magnitude': 'power(Math.abs($0), $1)',
    'is 1 for NaN only': '$1 === 0 && $0 !== $0 ? NaN : power($0, $1)',
  },
  min: {
    'is max': 'Math.max($0, $1)',
    'gives the second when one is NaN': '$0 < $1 ? $0 : $1',
    'gives the first when one is NaN': '$1 < $0 ? $1 : $0',
    'ignores NaN': '$0 !== $0 ? $1 : $1 !== $1 ? $0 : Math.min($0, $1)',
    'does not know -0': '$0 !== $0 ? $0 : $1 !== $1 ? $1 : $0 <= $1 ? $0 : $1',
  },
  max: {
    'is min': 'Math.min($0, $1)',
    'gives the second when one is NaN': '$0 > $1 ? $0 : $1',
    'gives the first when one is NaN': '$1 > $0 ? $1 : $0',
    'ignores NaN': '$0 !== $0 ? $1 : $1 !== $1 ? $0 : Math.max($0, $1)',
    'does not know -0': '$0 !== $0 ? $0 : $1 !== $1 ? $1 : $0 >= $1 ? $0 : $1',
  },
  equal: {
    'is its opposite': '$0 !== $1 ? 1 : 0',
    'compares bits': 'Object.is($0, $1) ? 1 : 0',
    'is approximate': 'Math.abs($0 - $1) < 1e-6 ? 1 : 0',
    'is less or equal': '$0 <= $1 ? 1 : 0',
  },
  notEqual: { 'is its opposite': '$0 === $1 ? 1 : 0', 'is false for NaN': '$0 < $1 || $0 > $1 ? 1 : 0', 'is less': '$0 < $1 ? 1 : 0' },
  less: {
    'includes equality': '$0 <= $1 ? 1 : 0',
    'exchanges its arguments': '$1 < $0 ? 1 : 0',
    'is true for NaN': '!($0 >= $1) ? 1 : 0',
    'subtracts in int32': '($0 - $1 | 0) < 0 ? 1 : 0',
  },
  lessEqual: { 'excludes equality': '$0 < $1 ? 1 : 0', 'exchanges its arguments': '$1 <= $0 ? 1 : 0', 'is true for NaN': '!($0 > $1) ? 1 : 0' },
  and: { 'is or': '$0 | $1', 'is logical': '$0 && $1 ? 1 : 0', 'is xor': '$0 ^ $1' },
  or: { 'is and': '$0 & $1', 'is logical': '$0 || $1 ? 1 : 0', 'is xor': '$0 ^ $1', adds: '$0 + $1' },
  xor: { 'is or': '$0 | $1', 'is and': '$0 & $1', 'is unequal': '$0 !== $1 ? 1 : 0' },
  shiftLeft: {
    'shifts right': '$0 >> $1',
    'is 0 from 32': '$1 > 31 || $1 < 0 ? 0 : $0 << $1',
    'exchanges its arguments': '$1 << $0',
    'multiplies by a power': '$0 * 2 ** $1',
  },
  shiftRight: {
    'shifts left': '$0 << $1',
    'fills int32 with 0': '$0 >>> $1',
    'repeats the sign of uint32': '$0 >> $1',
    'is 0 from 32': { int32: '$1 > 31 || $1 < 0 ? 0 : $0 >> $1', uint32: '$1 > 31 || $1 < 0 ? 0 : $0 >>> $1' },
    'divides by a power': { int32: 'Math.floor($0 / 2 ** $1)', uint32: 'Math.floor($0 / 2 ** $1)' },
  },
};

function operatorMutants(): Mutant[] {
  return Object.entries(WRONG).flatMap(([op, templates]) =>
    Object.entries(templates).map(([what, template]) =>
      replaced(`${op} ${what}`, [`map / ${op} /`], { operators: { ...LANGUAGE.operators, [op]: template } }),
    ),
  );
}

/** Rounding and wrapping, by dtype: single operations hide what the store to a typed array does anyway; chains do not. */
const WRONG_WRAP: { readonly [D in keyof Language['wrap']]?: Readonly<Record<string, string>> } = {
  float32: { 'is not rounded': '$0', 'is rounded as bfloat16': 'roundBfloat16($0)', 'is rounded toward zero': 'fround($0 * (1 - 6e-8))' },
  int32: { 'is not wrapped': '$0', saturates: 'saturateInt32($0)', 'wraps as uint32': '($0) >>> 0' },
  uint32: { 'is not wrapped': '$0', saturates: 'saturateUint32($0)', 'wraps as int32': '($0) | 0' },
  int8: { 'is not wrapped': '$0', saturates: 'saturateInt8($0)', 'wraps as int32': '($0) | 0' },
  uint8: { 'is not wrapped': '$0', saturates: 'saturateUint8($0)', 'wraps as int8': '($0) << 24 >> 24' },
};

function wrapMutants(): Mutant[] {
  return Object.entries(WRONG_WRAP).flatMap(([dtype, templates]) =>
    Object.entries(templates).map(([what, template]) =>
      replaced(`${dtype} ${what}`, [`map / rounding / ${dtype}`, `map / add / ${dtype}`], { wrap: { ...LANGUAGE.wrap, [dtype]: template } }),
    ),
  );
}

/** Conversions to a dtype. */
const WRONG_CONVERSION: { readonly [D in DType]?: Readonly<Record<string, Language['convert'][DType]>> } = {
  float32: { 'is not rounded': '$0' },
  float16: {
    'is not rounded': '$0',
    'is rounded twice': 'roundFloat16(fround($0))',
    'is rounded as bfloat16': 'roundBfloat16($0)',
    saturates: 'Math.max(-65504, Math.min(65504, roundFloat16($0)))',
  },
  bfloat16: { 'is not rounded': '$0', 'is rounded twice': 'roundBfloat16(fround($0))', 'is rounded as float16': 'roundFloat16($0)' },
  int32: {
    'wraps floats': '$0 | 0',
    'rounds to nearest': { float: 'saturateInt32(Math.round($0))', other: '$0 | 0' },
    'rounds down': { float: 'saturateInt32(Math.floor($0))', other: '$0 | 0' },
    'gives the most negative for NaN': { float: '$0 !== $0 ? -2147483648 : saturateInt32($0)', other: '$0 | 0' },
    'saturates integers': 'saturateInt32($0)',
  },
  uint32: {
    'wraps floats': '$0 >>> 0',
    'takes the magnitude': { float: 'saturateUint32(Math.abs($0))', other: '$0 >>> 0' },
    'saturates as int32': { float: 'saturateInt32(saturateUint32($0))', other: '$0 >>> 0' },
    'saturates integers': 'saturateUint32($0)',
  },
  int8: {
    'wraps floats': '$0 << 24 >> 24',
    'wraps after int32': { float: 'saturateInt32($0) << 24 >> 24', other: '$0 << 24 >> 24' },
    'saturates integers': 'saturateInt8($0)',
  },
  uint8: {
    'wraps floats': '$0 & 255',
    'wraps after int32': { float: 'saturateInt32($0) & 255', other: '$0 & 255' },
    'saturates integers': 'saturateUint8($0)',
    'rounds to nearest': { float: 'saturateUint8(Math.round($0))', other: '$0 & 255' },
  },
  bool: {
    'takes the lowest bit': '$0 & 1',
    'is false for negatives': '$0 > 0 ? 1 : 0',
    'truncates first': '($0 | 0) !== 0 ? 1 : 0',
    'is false for NaN': '$0 < 0 || $0 > 0 ? 1 : 0',
  },
};

function conversionMutants(): Mutant[] {
  return Object.entries(WRONG_CONVERSION).flatMap(([dtype, templates]) =>
    Object.entries(templates).map(([what, template]) =>
      replaced(`cast to ${dtype} ${what}`, ['map / cast / '], { convert: { ...LANGUAGE.convert, [dtype]: template } }),
    ),
  );
}

export function operatorTableMutants(): Mutant[] {
  return [...operatorMutants(), ...wrapMutants(), ...conversionMutants()];
}
