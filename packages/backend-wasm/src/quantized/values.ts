/**
 * Quantized values as 32-bit words, which are to the tile of `contract` what single floats are.
 *
 * Words used here:
 * - **pairs**: two values of 16 bits a word, which `i32x4.dot_i16x8_s` multiplies and adds up: on every engine with SIMD.
 * - **quads**: four values of 8 bits a word, for the relaxed dot product, one side of which holds 7 bits.
 * - **halves**: 4-bit values in memory, two a byte, the low half first.
 */

import { i16x8, i32, i32x4, i8x16, v128 } from '../assembler/instructions.ts';
import type { I32, V128 } from '../assembler/value.ts';
import type { VectorLanes } from '../lanes/lanes.ts';
import type { TileArithmetic } from '../product/tile.ts';

/** How many values a word holds. */
export type Packing = 'pairs' | 'quads';

/** How values lie in memory. */
export type ValueFormat = 'int8' | 'uint8' | 'halves';

export const VALUES_PER_WORD: { readonly [P in Packing]: number } = { pairs: 2, quads: 4 };

/** Bits of a value in memory. */
export function bitsOf(format: ValueFormat): number {
  return format === 'halves' ? 4 : 8;
}

/** The products of words. Sums are exact, modulo 2³². */
export const ARITHMETIC: { readonly [P in Packing]: TileArithmetic } = {
  pairs: { multiplyAdd: (row, column, sum) => i32x4.add(sum, i32x4.dotI16x8S(row, column)), add: i32x4.add },
  // The second argument is the one of 7 bits: a.
  quads: { multiplyAdd: (row, column, sum) => i32x4.relaxedDotI8x16I7x16AddS(column, row, sum), add: i32x4.add },
};

const NIBBLE = 0x0f;
/** Its bit is the sign of a 4-bit value. */
const NIBBLE_SIGN = 0x08;
/** Bytes of two vectors in turn. */
const ALTERNATE = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];

function bytes(lanes: VectorLanes, value: number): V128 {
  return lanes.int(value * 0x01010101);
}

/** Four words from memory, all of whose values are there. */
export function fourWords(lanes: VectorLanes, packing: Packing, format: ValueFormat, address: I32): V128 {
  const { code } = lanes;
  if (packing === 'pairs') {
    if (format === 'int8') return v128.load8x8S(address);
    if (format === 'uint8') return v128.load8x8U(address);
    const words = code.let(i32x4.extendLowI16x8U(i16x8.extendLowI8x16U(v128.load32Zero(address))));
    // The low half at the top of the lower 16 bits, the high half at the top of the upper ones; then both back down with their signs.
    return i16x8.shrS(v128.or(i32x4.shl(words, i32.const(12)), i32x4.shl(words, i32.const(24))), i32.const(12));
  }
  if (format !== 'halves') return v128.load(address);
  const loaded = code.let(v128.load64Zero(address));
  const low = v128.and(loaded, bytes(lanes, NIBBLE));
  const both = i8x16.shuffle(low, i8x16.shrU(loaded, i32.const(4)), ALTERNATE);
  return i8x16.sub(v128.xor(both, bytes(lanes, NIBBLE_SIGN)), bytes(lanes, NIBBLE_SIGN));
}

/** One word, of which `count` values are there (all, if it is more than a word holds); the others are 0. */
export function oneWord(packing: Packing, format: ValueFormat, address: I32, count: I32): I32 {
  const values = VALUES_PER_WORD[packing];
  const width = 32 / values;
  const parts = Array.from({ length: values }, (_, i) => {
    const there = i === 0 ? i32.const(-1) : i32.sub(i32.const(0), i32.gtS(count, i32.const(i)));
    const inPlace = i32.shl(i32.and(oneValue(format, address, i), i32.const(2 ** width - 1)), i32.const(i * width));
    return i32.and(inPlace, there);
  });
  return parts.reduce((a, b) => i32.or(a, b));
}

/** Value number `index` of a few from an address, with its sign. */
export function oneValue(format: ValueFormat, address: I32, index: number): I32 {
  if (format === 'int8') return i32.load8S(address, index);
  if (format === 'uint8') return i32.load8U(address, index);
  const byte = i32.load8U(address, index >> 1);
  return i32.shrS(i32.shl(byte, i32.const(index % 2 === 0 ? 28 : 24)), i32.const(28));
}
