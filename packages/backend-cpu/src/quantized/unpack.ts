/** Quantized operands as int32 numbers, for the integer product. */

import type { TypedArray } from '@gradus/backend';

/** The rows of a packed matrix, `perRow` values a row: two a byte, the low half first, each row from a new byte on; -8..7 in two's complement. */
export function unpackHalves(bytes: TypedArray, rows: number, perRow: number): Int32Array {
  const values = new Int32Array(rows * perRow);
  const bytesPerRow = Math.ceil(perRow / 2);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < perRow; i++) {
      const byte = bytes[row * bytesPerRow + (i >> 1)] as number;
      // The half is moved to the top of the word, and back with its sign.
      values[row * perRow + i] = (byte << ((i & 1) === 0 ? 28 : 24)) >> 28;
    }
  }
  return values;
}
