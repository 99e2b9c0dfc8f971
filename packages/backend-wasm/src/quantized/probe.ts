/**
 * Is the relaxed dot product of bytes right on this engine? Node 20's baseline compiler loses the number it adds to (it takes that register as
 * working space), so one has to look: a tile of `contract` is run once, in the code that the engine makes first.
 */

import { i32 } from '../assembler/instructions.ts';
import { createToolchain } from '../engine/toolchain.ts';
import type { Features } from '../engine/features.ts';
import { webAssembly } from '../engine/webassembly.ts';
import { TILE_COLUMNS, TILE_ROWS, writeTileOf } from '../product/tile.ts';
import { ARITHMETIC, VALUES_PER_WORD } from './values.ts';

const STEPS = 3;
const WORD_BYTES = 4;
/** Where things are in the memory of the test. */
const A = 64;
const B = 1024;
const C = 4096;

let found: boolean | null = null;

function probe(features: Features): boolean {
  const memory = new (webAssembly().Memory)({ initial: 1, maximum: 1, shared: false });
  const made = createToolchain(memory, features, 0, null).build((module) => {
    const tile = writeTileOf(module, ARITHMETIC.quads);
    const args = [A, B, C, STEPS, TILE_COLUMNS * WORD_BYTES, 0].map((value) => i32.const(value));
    module.function(['i32', 'i32', 'i32'], null, (code) => code.run(tile, args), 'run');
  });
  const bytes = new Int8Array(memory.buffer);
  const values = VALUES_PER_WORD.quads;
  const a = (step: number, row: number, i: number): number => (step * 40 + row * 5 + i * 9) % 128;
  const b = (step: number, column: number, i: number): number => ((step * 70 + column * 31 + i * 11) % 256) - 128;
  const each = (rows: number, at: number, value: typeof a): void => {
    for (let step = 0; step < STEPS; step++)
      for (let row = 0; row < rows; row++) for (let i = 0; i < values; i++) bytes[at + (step * rows + row) * values + i] = value(step, row, i);
  };
  each(TILE_ROWS, A, a);
  each(TILE_COLUMNS, B, b);
  made.run(0, 0, 1);
  const sums = new Int32Array(memory.buffer, C, TILE_ROWS * TILE_COLUMNS);
  return sums.every((sum, at) => {
    const [row, column] = [Math.floor(at / TILE_COLUMNS), at % TILE_COLUMNS];
    let wanted = 0;
    for (let step = 0; step < STEPS; step++) for (let i = 0; i < values; i++) wanted += a(step, row, i) * b(step, column, i);
    return sum === wanted;
  });
}

/** Can quads be multiplied, exactly? Found out when first asked. */
export function hasExactDot(features: Features): boolean {
  if (!features.relaxedSimd) return false;
  found ??= probe(features);
  return found;
}
