/**
 * JavaScript as a target of scalar expressions: the table of operators, and how values are rounded, converted, loaded and stored.
 *
 * Every value is a JavaScript number; a bool is 0 or 1. The interpreter's twin of this table is `interpret/operations.ts`.
 */

import { DTYPES } from '@gradus/backend';
import type { DType, DTypeKind, Dialect } from '@gradus/backend';

import { ROUND } from '../numerics/scalar.ts';
import { integer, literal } from './compile.ts';

/** A template of a conversion: one string, or one for values of kind float and one for all others. */
type ConversionTemplate = string | { readonly float: string; readonly other: string };

/** The tables that tests replace to see whether they would notice a wrong operator. */
export interface Language {
  readonly operators: Dialect['operators'];
  /** `$0`, the exact result of an operation, rounded or wrapped to a dtype. */
  readonly wrap: { readonly [D in Exclude<DType, 'float64' | 'bool'>]: string };
  /** `$0` converted to a dtype. */
  readonly convert: { readonly [D in DType]: ConversionTemplate };
}

const comparison = (operator: string): string => `$0 ${operator} $1 ? 1 : 0`;

/** Operations before rounding; `wrap` does the rest. Integer products need all 32 low bits, which only `imul` keeps. */
const OPERATORS: Language['operators'] = {
  negate: '-$0',
  abs: 'Math.abs($0)',
  floor: 'Math.floor($0)',
  ceil: 'Math.ceil($0)',
  round: 'roundHalfToEven($0)',
  truncate: 'Math.trunc($0)',
  sqrt: 'Math.sqrt($0)',
  exp: 'Math.exp($0)',
  log: 'Math.log($0)',
  sin: 'Math.sin($0)',
  cos: 'Math.cos($0)',
  tanh: 'Math.tanh($0)',
  atan: 'Math.atan($0)',
  erf: 'erf($0)',
  not: { bool: '$0 ^ 1', default: '~$0' },
  add: '$0 + $1',
  subtract: '$0 - $1',
  multiply: { float: '$0 * $1', default: 'Math.imul($0, $1)' },
  divide: { float: '$0 / $1', default: '$1 === 0 ? 0 : $0 / $1' },
  remainder: { float: '$0 % $1', default: '$1 === 0 ? 0 : $0 % $1' },
  pow: 'power($0, $1)',
  min: 'Math.min($0, $1)',
  max: 'Math.max($0, $1)',
  equal: comparison('==='),
  notEqual: comparison('!=='),
  less: comparison('<'),
  lessEqual: comparison('<='),
  and: '$0 & $1',
  or: '$0 | $1',
  xor: '$0 ^ $1',
  shiftLeft: '$0 << $1',
  shiftRight: { int32: '$0 >> $1', uint32: '$0 >>> $1' },
};

const WRAP: Language['wrap'] = {
  float32: 'fround($0)',
  float16: 'roundFloat16($0)',
  bfloat16: 'roundBfloat16($0)',
  int32: '($0) | 0',
  uint32: '($0) >>> 0',
  int8: '($0) << 24 >> 24',
  uint8: '($0) & 255',
};

const CONVERT: Language['convert'] = {
  float64: '$0',
  float32: 'fround($0)',
  float16: 'roundFloat16($0)',
  bfloat16: 'roundBfloat16($0)',
  int32: { float: 'saturateInt32($0)', other: '$0 | 0' },
  uint32: { float: 'saturateUint32($0)', other: '$0 >>> 0' },
  int8: { float: 'saturateInt8($0)', other: '$0 << 24 >> 24' },
  uint8: { float: 'saturateUint8($0)', other: '$0 & 255' },
  bool: '$0 !== 0 ? 1 : 0',
};

/** The tables as they should be. */
export const LANGUAGE: Language = { operators: OPERATORS, wrap: WRAP, convert: CONVERT };

/** Element `at` (text) of the typed array `view` (text), as a number. */
export function readElement(view: string, at: string, dtype: DType): string {
  const element = `${view}[${at}]`;
  if (dtype === 'float16') return `fromFloat16Bits(${element})`;
  return dtype === 'bfloat16' ? `fromBfloat16Bits(${element})` : element;
}

/** The statement that stores `value` (text, already of its dtype). */
export function writeElement(view: string, at: string, value: string, dtype: DType): string {
  if (dtype === 'float16') return `${view}[${at}] = toFloat16Bits(${value});`;
  return dtype === 'bfloat16' ? `${view}[${at}] = toBfloat16Bits(${value});` : `${view}[${at}] = ${value};`;
}

/** Where the parts of an expression come from at one place of a kernel: names of variables. */
export interface Names {
  /** The variable that holds the element index of a strided operand. */
  pointer(operand: number): string;
  coordinate(axis: number): string;
  accumulator(index: number): string;
}

function convert(template: ConversionTemplate, value: string, from: DTypeKind): string {
  const text = typeof template === 'string' ? template : from === 'float' ? template.float : template.other;
  return text.replaceAll('$0', () => value);
}

function bitcast(value: string, from: DType, to: DType): string {
  if (from === 'float32') return to === 'uint32' ? `bitsOfFloat32(${value}) >>> 0` : `bitsOfFloat32(${value})`;
  if (to === 'float32') return `float32OfBits(${value})`;
  return to === 'uint32' ? `${value} >>> 0` : `${value} | 0`;
}

/** The dialect for expressions at a place where `names` hold. Operand k is `vk`, from offset `ok`, of length `lk` where indexed; scalar i is `ci`. */
export function dialectAt(language: Language, names: Names): Dialect {
  return {
    declare: (name, _dtype, value) => `const ${name} = ${value};`,
    constant: (value, dtype) => literal(value, ROUND[dtype]),
    scalar: (index) => `c${integer(index)}`,
    axis: (axis) => names.coordinate(axis),
    load: (operand, dtype) => readElement(`v${integer(operand)}`, names.pointer(operand), dtype),
    gather: (operand, position, fill, dtype) => {
      const k = integer(operand);
      // As unsigned numbers, negative positions lie beyond every length.
      return `${position} >>> 0 < l${k} ? ${readElement(`v${k}`, `o${k} + ${position}`, dtype)} : ${fill}`;
    },
    accumulator: (index) => names.accumulator(index),
    cast: (value, from, to) => convert(language.convert[to], value, DTYPES[from].kind),
    bitcast,
    where: (condition, then, otherwise) => `${condition} ? ${then} : ${otherwise}`,
    operators: language.operators,
    wrap: language.wrap,
  };
}
