/**
 * What both passes of attention work in. After Dao, "FlashAttention-2", 2023: block after block, the matrix of all scores is never there.
 *
 * Words used here:
 * - **strip**: 8 neighbouring queries (or keys), as `[n][8]`: one element of all eight side by side. Scores of a strip of queries are
 *   `[keys][8]`, so a vector never mixes queries, and probabilities are what the next product wants as its packed right side.
 * - **keys of a strip**, **dims of a strip**: products are made by the tile of `contract`, whose left side is packed in fours: either 4 keys
 *   as `[headDim][4]`, or 4 dims as `[keys][4]`.
 * - **block**: keys (and, backward, queries) whose scores are in memory at once.
 */

import { DTYPES } from '@gradus/backend';
import type { Callable } from '../assembler/code.ts';
import { f32, f32x4, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32 } from '../assembler/value.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { transpose } from '../product/pack.ts';
import { TILE_COLUMNS, TILE_ROWS } from '../product/tile.ts';

const WORD_BYTES = 4;
export const VECTOR_BYTES = 16;
/** Queries of a strip: the columns of a tile. */
export const STRIP = TILE_COLUMNS;
/** Vectors of a row of a strip. */
export const HALVES = STRIP / LANES;
/** Bytes of a row of a strip. */
export const STRIP_BYTES = STRIP * WORD_BYTES;
/** Bytes of a tile's four rows in a strip. */
const TILE_BYTES = TILE_ROWS * STRIP_BYTES;
/** Keys of a block: their scores with a strip of queries take 4 KB, an eighth of the first-level cache. */
export const KEY_BLOCK = 128;

/** Whole multiples of `width` that hold `count`. */
export function paddedTo(width: number, count: number): number {
  return Math.ceil(count / width) * width;
}

/** Adds the product of packed panels with a strip, `sweep(a, panelBytes, b, c, rows, k, add)`: c, `[rows][8]`, gets `rows` rounded up to fours. */
export function writeSweep(module: ModuleWriter, tile: Callable): Callable {
  return routine(module, ['a', 'panelBytes', 'b', 'c', 'rows', 'k', 'add'], (code, { a, panelBytes, b, c, rows, k, add }) => {
    code.for(
      rows,
      () => {
        code.run(tile, [a, b, c, k, i32.const(STRIP_BYTES), add]);
        code.set(a, i32.add(a, panelBytes));
        code.set(c, i32.add(c, i32.const(TILE_BYTES)));
      },
      i32.const(0),
      i32.const(TILE_ROWS),
    );
  });
}

/** `clear(at, vectors)`: writes zeros. */
export function writeClear(module: ModuleWriter): Callable {
  return routine(module, ['at', 'vectors'], (code, { at, vectors }) => {
    code.for(vectors, () => {
      code.effect(v128.store(at, f32x4.splat(f32.const(0))));
      code.set(at, i32.add(at, i32.const(VECTOR_BYTES)));
    });
  });
}

/** `unpack(strip, target, rows)`: a strip `[headDim][8]` as rows of elements, of which only `rows` are there if that is less than eight. */
export function writeUnpack(module: ModuleWriter, dtype: StoredDType, headDim: number): Callable {
  const { bytes } = DTYPES[dtype];
  const rowBytes = headDim * bytes;
  const whole = headDim - (headDim % LANES);
  return routine(module, ['strip', 'target', 'rows'], (code, { strip, target, rows }) => {
    const elements = vectorElements(vectorLanes(code));
    const element = scalarElements(scalarLanes(code));
    const singly = (count: I32, from: number): void => {
      code.for(count, (row) => {
        const to = code.let(i32.add(target, i32.mul(row, i32.const(rowBytes))));
        code.for(
          i32.const(headDim),
          (d) => {
            const at = i32.add(rowOfStrip(strip, d), i32.mul(row, i32.const(WORD_BYTES)));
            element.store(dtype, i32.add(to, i32.mul(d, i32.const(bytes))), 'unit', f32.load(at), null);
          },
          i32.const(from),
        );
      });
    };
    const inFours = (): void => {
      const [from, to] = [code.let(strip), code.let(target)];
      code.for(
        i32.const(whole),
        () => {
          for (let half = 0; half < HALVES; half++) {
            const dims = [0, 1, 2, 3].map((d) => code.let(v128.load(from, d * STRIP_BYTES + half * VECTOR_BYTES)));
            transpose(code, dims).forEach((query, lane) =>
              elements.store(dtype, code.let(i32.add(to, i32.const((half * LANES + lane) * rowBytes))), 'unit', query, null),
            );
          }
          code.set(from, i32.add(from, i32.const(TILE_BYTES)));
          code.set(to, i32.add(to, i32.const(LANES * bytes)));
        },
        i32.const(0),
        i32.const(LANES),
      );
      if (whole < headDim) singly(i32.const(STRIP), whole);
    };
    code.if(i32.ltS(rows, i32.const(STRIP)), () => singly(rows, 0), inFours);
  });
}

/** Where row `index` of a strip begins. */
export function rowOfStrip(strip: I32, index: I32): I32 {
  return i32.add(strip, i32.mul(index, i32.const(STRIP_BYTES)));
}
