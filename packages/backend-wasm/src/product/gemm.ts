/**
 * Products of packed matrices: c = a · b, block by block, so that the panels in use stay in the caches (Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", 2008).
 *
 * c is `[batches][rows][columns]` of float32; rows and columns are padded to whole tiles.
 */

import type { Callable } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { TILE_COLUMNS, TILE_ROWS } from './tile.ts';

const WORD_BYTES = 4;
/** Steps of k at once: a panel of b stays in the first-level cache, a block of a in the second. */
const K_BLOCK = 256;
/** Where a is short, its block may be deeper. */
const K_BLOCK_OF_FEW_ROWS = 1024;
const FEW_ROWS = 64;
/** Panels of a in a block: 120 rows. */
const ROW_PANELS = 30;
/** Panels of b in a unit. */
const COLUMN_PANELS = 32;

/** How a product is divided. */
export interface Blocking {
  readonly rowPanels: number;
  readonly columnPanels: number;
  /** Steps of k in a block; all blocks but the last have as many. */
  readonly kBlock: number;
  readonly rowPanelsPerUnit: number;
  readonly columnPanelsPerUnit: number;
  readonly rowParts: number;
  readonly columnParts: number;
}

/** The size of parts of about equal size, none larger than `most`; 1 for parts of nothing. */
export function equalParts(count: number, most: number): number {
  return count === 0 ? 1 : Math.ceil(count / Math.ceil(count / most));
}

/** Divides a product of `m` by `k` and `k` by `n`. It depends on sizes alone, and so do the bits of the result. */
export function blockingOf(m: number, n: number, k: number): Blocking {
  const rowPanels = Math.ceil(m / TILE_ROWS);
  const columnPanels = Math.ceil(n / TILE_COLUMNS);
  const rowPanelsPerUnit = equalParts(rowPanels, ROW_PANELS);
  const columnPanelsPerUnit = equalParts(columnPanels, COLUMN_PANELS);
  return {
    rowPanels,
    columnPanels,
    kBlock: equalParts(k, m <= FEW_ROWS ? K_BLOCK_OF_FEW_ROWS : K_BLOCK),
    rowPanelsPerUnit,
    columnPanelsPerUnit,
    rowParts: Math.ceil(rowPanels / rowPanelsPerUnit),
    columnParts: Math.ceil(columnPanels / columnPanelsPerUnit),
  };
}

/**
 * Writes the product; its entry is exported as `run`. A unit is a block of c.
 * Words: `a`, `aBatch`, `b`, `bBatch` (packed operands, and bytes from one batch to the next), `c`, `cOffsets` (a table of byte offsets, one
 * a batch), `rowBytes`, `k`, and those of {@link Blocking}.
 */
export function writeMultiply(module: ModuleWriter, tile: Callable, layout: FrameLayout): void {
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    const words = ['rowPanels', 'columnPanels', 'kBlock', 'rowPanelsPerUnit', 'columnPanelsPerUnit', 'rowParts', 'columnParts', 'k', 'rowBytes'];
    for (const word of words) frame.preload(word);
    const rest = code.let(code.parameter(1, 'i32'));
    const take = (count: I32): I32 => {
      const digit = code.let(i32.remU(rest, count));
      code.set(rest, i32.divU(rest, count));
      return digit;
    };
    const columnStart = code.let(i32.mul(take(frame.word('columnParts')), frame.word('columnPanelsPerUnit')));
    const columnEnd = least(code, i32.add(columnStart, frame.word('columnPanelsPerUnit')), frame.word('columnPanels'));
    const rowStart = code.let(i32.mul(take(frame.word('rowParts')), frame.word('rowPanelsPerUnit')));
    const rowEnd = least(code, i32.add(rowStart, frame.word('rowPanelsPerUnit')), frame.word('rowPanels'));
    const batch = rest;
    const k = frame.word('k');
    const aPanelBytes = code.let(i32.mul(k, i32.const(TILE_ROWS * WORD_BYTES)));
    const bPanelBytes = code.let(i32.mul(k, i32.const(TILE_COLUMNS * WORD_BYTES)));
    const tileRowBytes = code.let(i32.mul(frame.word('rowBytes'), i32.const(TILE_ROWS)));
    const a = code.let(i32.add(i32.add(frame.word('a'), i32.mul(batch, frame.word('aBatch'))), i32.mul(rowStart, aPanelBytes)));
    const b = code.let(i32.add(i32.add(frame.word('b'), i32.mul(batch, frame.word('bBatch'))), i32.mul(columnStart, bPanelBytes)));
    const cOffset = i32.load(i32.add(frame.word('cOffsets'), i32.mul(batch, i32.const(WORD_BYTES))));
    const c = code.let(i32.add(i32.add(frame.word('c'), cOffset), i32.mul(rowStart, tileRowBytes)));
    code.for(
      k,
      (from) => {
        const depth = least(code, i32.sub(k, from), frame.word('kBlock'));
        const bPanel = code.let(i32.add(b, i32.mul(from, i32.const(TILE_COLUMNS * WORD_BYTES))));
        const aBlock = code.let(i32.add(a, i32.mul(from, i32.const(TILE_ROWS * WORD_BYTES))));
        code.for(
          columnEnd,
          (column) => {
            const aPanel = code.let(aBlock);
            const cTile = code.let(i32.add(c, i32.mul(column, i32.const(TILE_COLUMNS * WORD_BYTES))));
            code.for(
              rowEnd,
              () => {
                code.run(tile, [aPanel, bPanel, cTile, depth, frame.word('rowBytes'), from]);
                code.set(aPanel, i32.add(aPanel, aPanelBytes));
                code.set(cTile, i32.add(cTile, tileRowBytes));
              },
              rowStart,
            );
            code.set(bPanel, i32.add(bPanel, bPanelBytes));
          },
          columnStart,
        );
      },
      i32.const(0),
      frame.word('kBlock'),
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
