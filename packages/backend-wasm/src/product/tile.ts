/**
 * The micro-kernel of matrix products: a tile of 4 rows by 8 columns, as outer products over k.
 *
 * Eight accumulators and the seven vectors of a step fit the registers that V8 has; k is not unrolled, since V8 moves all loads of a loop's
 * body before its arithmetic and would spill. A tile is a function of its own, so that it is optimised while the first product is under way.
 */

import type { Callable, Code, Local } from '../assembler/code.ts';
import { f32x4, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32, V128 } from '../assembler/value.ts';

/** Rows of a tile, which is how many rows of a a panel packs. */
export const TILE_ROWS = 4;
/** Columns of a tile. */
export const TILE_COLUMNS = 8;

const VECTOR_BYTES = 16;
const WORD_BYTES = 4;
const COLUMN_VECTORS = TILE_COLUMNS / 4;

/** What all tiles take. */
export const TILE_PARAMETERS = ['a', 'b', 'c', 'k', 'rowBytes', 'add'] as const;

/** `a · b + c`, in one rounding where that is as fast. */
export function multiplyAdd(relaxed: boolean, a: V128, b: V128, c: V128): V128 {
  return relaxed ? f32x4.relaxedMadd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

/** What a tile does with vectors of 32-bit words: those of a and b may be numbers, or several small ones each. */
export interface TileArithmetic {
  /** `sum` and the products of the words of a row of a, the same in every lane, with those of columns of b. */
  readonly multiplyAdd: (row: V128, column: V128, sum: V128) => V128;
  readonly add: (a: V128, b: V128) => V128;
}

/** Sums of a tile, row by row. */
export type TileSums = readonly (readonly Local<'v128'>[])[];

/** Local variables for the sums of a tile; they are 0 when the function begins. */
export function tileSums(code: Code): TileSums {
  return Array.from({ length: TILE_ROWS }, () => Array.from({ length: COLUMN_VECTORS }, () => code.local('v128')));
}

/** Adds up k steps, and moves a and b there; k is 0 after that. */
export function writeTileSteps(code: Code, arithmetic: TileArithmetic, sums: TileSums, a: Local<'i32'>, b: Local<'i32'>, k: Local<'i32'>): void {
  const columns = Array.from({ length: COLUMN_VECTORS }, () => code.local('v128'));
  code.while(k, () => {
    columns.forEach((column, j) => code.set(column, v128.load(b, j * VECTOR_BYTES)));
    // Last row first: Node 20 schedules that a fifth faster.
    for (let row = TILE_ROWS - 1; row >= 0; row--) {
      const factor = code.let(v128.load32Splat(a, row * WORD_BYTES));
      columns.forEach((column, j) => {
        const sum = sums[row]?.[j];
        if (sum !== undefined) code.set(sum, arithmetic.multiplyAdd(factor, column, sum));
      });
    }
    code.set(a, i32.add(a, i32.const(TILE_ROWS * WORD_BYTES)));
    code.set(b, i32.add(b, i32.const(TILE_COLUMNS * WORD_BYTES)));
    code.set(k, i32.sub(k, i32.const(1)));
  });
}

/** Visits the vectors of a tile in memory: `at` is the address of the row, `column` the number of the vector in it. */
export function eachTileVector(
  code: Code,
  sums: TileSums,
  c: I32,
  rowBytes: I32,
  visit: (sum: Local<'v128'>, at: I32, offset: number, column: number) => void,
): void {
  const at = code.let(c);
  sums.forEach((row, r) => {
    if (r > 0) code.set(at, i32.add(at, rowBytes));
    row.forEach((sum, j) => visit(sum, at, j * VECTOR_BYTES, j));
  });
}

/**
 * `tile(a, b, c, k, rowBytes, add)`: c = Σ a · b over k steps, added to what c holds where `add` is not 0.
 * a is `[k][4]` and b `[k][8]`, packed; rows of c are `rowBytes` apart.
 */
export function writeTileOf(module: ModuleWriter, arithmetic: TileArithmetic): Callable {
  return routine(module, TILE_PARAMETERS, (code, { a, b, c, k, rowBytes, add }) => {
    const sums = tileSums(code);
    writeTileSteps(code, arithmetic, sums, a, b, k);
    code.if(add, () => eachTileVector(code, sums, c, rowBytes, (sum, at, offset) => code.set(sum, arithmetic.add(sum, v128.load(at, offset)))));
    eachTileVector(code, sums, c, rowBytes, (sum, at, offset) => code.effect(v128.store(at, sum, offset)));
  });
}

/** The tile of float32 matrices. */
export function writeTile(module: ModuleWriter, relaxed: boolean): Callable {
  return writeTileOf(module, { multiplyAdd: (row, column, sum) => multiplyAdd(relaxed, row, column, sum), add: f32x4.add });
}
