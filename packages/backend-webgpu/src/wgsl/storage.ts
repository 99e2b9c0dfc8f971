/**
 * Elements as they lie in memory: WGSL reads and writes words of 32 bits, which hold one, two or four elements, the first in the lowest bits.
 */

import { bytesPerElement } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { typeOf } from './language.ts';

/** Elements in a word of 32 bits. */
export function elementsPerWord(dtype: DType): 1 | 2 | 4 {
  const bytes = bytesPerElement(dtype);
  return bytes === 1 ? 4 : bytes === 2 ? 2 : 1;
}

/** The value of one element: `word` is the u32 that holds it, `element` its u32 index, of which only the place within the word counts. */
export function unpack(word: string, element: string, dtype: DType): string {
  const half = `(${word} >> ((${element} & 1u) << 4u))`;
  const byte = `((${word} >> ((${element} & 3u) << 3u)) & 255u)`;
  switch (dtype) {
    case 'float16':
      return `float_of_float16(${half} & 0xffffu)`;
    case 'bfloat16':
      return `bitcast<f32>(${half} << 16u)`;
    case 'int8':
      return `extractBits(bitcast<i32>(${word}), (${element} & 3u) << 3u, 8u)`;
    case 'uint8':
      return byte;
    case 'bool':
      return `(${byte} != 0u)`;
    case 'uint32':
      return word;
    default:
      return `bitcast<${typeOf(dtype)}>(${word})`;
  }
}

/** The bits of `value` (of `dtype`) as a u32, in the low byte or half where they are fewer than 32. */
export function pack(value: string, dtype: DType): string {
  switch (dtype) {
    case 'float16':
      return `float16_of_float(${value})`;
    case 'bfloat16':
      return `bfloat16_of_float(${value})`;
    case 'int8':
      return `(bitcast<u32>(${value}) & 255u)`;
    case 'bool':
      return `select(0u, 1u, ${value})`;
    case 'uint8':
    case 'uint32':
      return value;
    default:
      return `bitcast<u32>(${value})`;
  }
}
