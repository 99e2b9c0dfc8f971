/**
 * The micro-kernel of matrix products: a tile of 4 rows by 8 columns, as outer products over k.
 *
 * Eight accumulators and the seven vectors of a step fit the registers that V8 has; k is not unrolled, since V8 moves all loads of a loop's
 * body before its arithmetic and would spill. A tile is a function of its own, so that it is optimised while the first product is under way.
 */

import type { Callable, Local } from '../assembler/code.ts';
import { f32x4, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { V128 } from '../assembler/value.ts';

/** Rows of a tile, which is how many rows of a a panel packs. */
export const TILE_ROWS = 4;
/** Columns of a tile. */
export const TILE_COLUMNS = 8;

const VECTOR_BYTES = 16;
const WORD_BYTES = 4;
const COLUMN_VECTORS = TILE_COLUMNS / 4;

/** `a · b + c`, in one rounding where that is as fast. */
export function multiplyAdd(relaxed: boolean, a: V128, b: V128, c: V128): V128 {
  return relaxed ? f32x4.relaxedMadd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

/**
 * `tile(a, b, c, k, rowBytes, add)`: c = Σ a · b over k steps, added to what c holds where `add` is not 0.
 * a is `[k][4]` and b `[k][8]`, packed; rows of c are `rowBytes` apart.
 */
export function writeTile(module: ModuleWriter, relaxed: boolean): Callable {
  return module.function(['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], null, (code) => {
    const [a, b, c, k, rowBytes, add] = [0, 1, 2, 3, 4, 5].map((index) => code.parameter(index, 'i32')) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ];
    const sums = Array.from({ length: TILE_ROWS }, () => Array.from({ length: COLUMN_VECTORS }, () => code.local('v128')));
    const columns = Array.from({ length: COLUMN_VECTORS }, () => code.local('v128'));
    code.while(k, () => {
      columns.forEach((column, j) => code.set(column, v128.load(b, j * VECTOR_BYTES)));
      // Last row first: Node 20 schedules that a fifth faster.
      for (let row = TILE_ROWS - 1; row >= 0; row--) {
        const factor = code.let(v128.load32Splat(a, row * WORD_BYTES));
        columns.forEach((column, j) => {
          const sum = sums[row]?.[j];
          if (sum !== undefined) code.set(sum, multiplyAdd(relaxed, factor, column, sum));
        });
      }
      code.set(a, i32.add(a, i32.const(TILE_ROWS * WORD_BYTES)));
      code.set(b, i32.add(b, i32.const(TILE_COLUMNS * WORD_BYTES)));
      code.set(k, i32.sub(k, i32.const(1)));
    });
    const at = code.let(c);
    const eachVector = (visit: (sum: Local<'v128'>, offset: number) => void): void => {
      code.set(at, c);
      sums.forEach((row, r) => {
        if (r > 0) code.set(at, i32.add(at, rowBytes));
        row.forEach((sum, j) => visit(sum, j * VECTOR_BYTES));
      });
    };
    code.if(add, () => eachVector((sum, offset) => code.set(sum, f32x4.add(sum, v128.load(at, offset)))));
    eachVector((sum, offset) => code.effect(v128.store(at, sum, offset)));
  });
}
