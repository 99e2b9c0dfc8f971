/**
 * The code of convolutions: packing weights, and the two kinds of product.
 *
 * - **over positions** (forward, gradient of the input): rows of weights by columns of positions, summed over taps.
 * - **over taps** (gradient of the filter): rows of gradients by columns of taps, summed over images and positions.
 */

import type { Callable } from '../assembler/code.ts';
import { f32, i32, workspace } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { scalarElements } from '../lanes/elements.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { TILE_COLUMNS, TILE_ROWS } from '../product/tile.ts';
import { PANEL, columnPatch, rowPatch } from './patches.ts';

const WORD_BYTES = 4;
const ROW_STEP_BYTES = TILE_ROWS * WORD_BYTES;
const COLUMN_STEP_BYTES = TILE_COLUMNS * WORD_BYTES;

/**
 * Writes the code that packs weights: `[panel][tap][4]`, the weight of a tap found through a table. A unit is a panel of one group.
 * Words: `source`, `groupBytes`, `rows`, `rowStride`, `k`, `weights` (the table), `target`, `panels`.
 */
export function writeWeights(module: ModuleWriter, dtype: StoredDType, shift: number, layout: FrameLayout): void {
  const panel = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    for (const word of ['k', 'panels']) frame.preload(word);
    const group = code.let(i32.divU(code.parameter(1, 'i32'), frame.word('panels')));
    const p = code.let(i32.remU(code.parameter(1, 'i32'), frame.word('panels')));
    const source = code.let(i32.add(frame.word('source'), i32.mul(group, frame.word('groupBytes'))));
    const last = code.let(i32.sub(frame.word('rows'), i32.const(1)));
    const rows = Array.from({ length: TILE_ROWS }, (_, r) => {
      const row = least(code, i32.add(i32.mul(p, i32.const(TILE_ROWS)), i32.const(r)), last);
      return code.let(i32.add(source, i32.mul(row, frame.word('rowStride'))));
    });
    const target = code.let(i32.add(frame.word('target'), i32.mul(code.parameter(1, 'i32'), i32.mul(frame.word('k'), i32.const(ROW_STEP_BYTES)))));
    const weights = code.let(frame.word('weights'));
    const one = scalarElements(scalarLanes(code));
    code.for(frame.word('k'), () => {
      // The table counts in bytes of float32; narrower weights lie closer.
      const offset = code.let(i32.shrU(i32.load(weights), i32.const(shift)));
      rows.forEach((row, r) => {
        const { float } = one.load(dtype, i32.add(row, offset), 'none');
        if (float !== null) code.effect(f32.store(target, float, r * WORD_BYTES));
      });
      code.set(weights, i32.add(weights, i32.const(WORD_BYTES)));
      code.set(target, i32.add(target, i32.const(ROW_STEP_BYTES)));
    });
  });
  writeRun(module, (code, frame, number) => code.run(panel, [frame, number]));
}

/**
 * Writes the product over positions. A unit is some panels of positions of one group of one image, with all rows.
 * Words: `picture`, `pictureImage`, `pictureGroup`, `positions`, `taps`, `k`, `kBlock`, `a`, `aGroup`, `rowPanels`, `c`, `cImage`, `cGroup`,
 * `rowBytes`, `panels`, `panelsPerUnit`, `parts`, `groups`.
 */
export function writeOverPositions(module: ModuleWriter, tile: Callable, layout: FrameLayout): void {
  const patch = columnPatch(module);
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    for (const word of ['k', 'kBlock', 'rowPanels', 'rowBytes', 'panels', 'panelsPerUnit', 'positions', 'taps']) frame.preload(word);
    const rest = code.let(code.parameter(1, 'i32'));
    const take = (count: I32): I32 => {
      const digit = code.let(i32.remU(rest, count));
      code.set(rest, i32.divU(rest, count));
      return digit;
    };
    const first = code.let(i32.mul(take(frame.word('parts')), frame.word('panelsPerUnit')));
    const end = least(code, i32.add(first, frame.word('panelsPerUnit')), frame.word('panels'));
    const group = take(frame.word('groups'));
    const place = (base: string, image: string, ofGroup: string): I32 =>
      code.let(i32.add(frame.word(base), i32.add(i32.mul(rest, frame.word(image)), i32.mul(group, frame.word(ofGroup)))));
    const picture = place('picture', 'pictureImage', 'pictureGroup');
    const c = place('c', 'cImage', 'cGroup');
    const a = code.let(i32.add(frame.word('a'), i32.mul(group, frame.word('aGroup'))));
    const k = frame.word('k');
    const panelBytes = code.let(i32.mul(k, i32.const(ROW_STEP_BYTES)));
    const tileRowBytes = code.let(i32.mul(frame.word('rowBytes'), i32.const(TILE_ROWS)));
    code.for(
      k,
      (from) => {
        const depth = least(code, i32.sub(k, from), frame.word('kBlock'));
        const block = code.let(i32.add(a, i32.mul(from, i32.const(ROW_STEP_BYTES))));
        code.for(
          end,
          (panel) => {
            code.run(patch, [
              workspace,
              i32.add(frame.word('positions'), i32.mul(panel, i32.const(PANEL * WORD_BYTES))),
              i32.add(frame.word('taps'), i32.mul(from, i32.const(WORD_BYTES))),
              depth,
              picture,
            ]);
            const rows = code.let(block);
            const target = code.let(i32.add(c, i32.mul(panel, i32.const(COLUMN_STEP_BYTES))));
            code.for(frame.word('rowPanels'), () => {
              code.run(tile, [rows, workspace, target, depth, frame.word('rowBytes'), from]);
              code.set(rows, i32.add(rows, panelBytes));
              code.set(target, i32.add(target, tileRowBytes));
            });
          },
          first,
        );
      },
      i32.const(0),
      frame.word('kBlock'),
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}

/**
 * Writes the product over taps. A unit is some panels of taps of one group, with all rows.
 * Words: `picture`, `pictureImage`, `pictureGroup`, `positions`, `taps`, `k` (positions), `kBlock`, `images`, `a`, `aImage`, `aGroup`, `rowPanels`,
 * `c`, `cGroup`, `rowBytes`, `panels`, `panelsPerUnit`, `parts`.
 */
export function writeOverTaps(module: ModuleWriter, tile: Callable, layout: FrameLayout): void {
  const patch = rowPatch(module);
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    const words = ['k', 'kBlock', 'rowPanels', 'rowBytes', 'panels', 'panelsPerUnit', 'positions', 'taps', 'a', 'aImage', 'pictureImage'];
    for (const word of words) frame.preload(word);
    const number = code.parameter(1, 'i32');
    const group = code.let(i32.divU(number, frame.word('parts')));
    const first = code.let(i32.mul(i32.remU(number, frame.word('parts')), frame.word('panelsPerUnit')));
    const end = least(code, i32.add(first, frame.word('panelsPerUnit')), frame.word('panels'));
    const picture = code.let(i32.add(frame.word('picture'), i32.mul(group, frame.word('pictureGroup'))));
    const a = code.let(i32.add(frame.word('a'), i32.mul(group, frame.word('aGroup'))));
    const c = code.let(i32.add(frame.word('c'), i32.mul(group, frame.word('cGroup'))));
    const k = frame.word('k');
    const panelBytes = code.let(i32.mul(k, i32.const(ROW_STEP_BYTES)));
    const tileRowBytes = code.let(i32.mul(frame.word('rowBytes'), i32.const(TILE_ROWS)));
    code.for(frame.word('images'), (image) => {
      code.for(
        k,
        (from) => {
          const depth = least(code, i32.sub(k, from), frame.word('kBlock'));
          const bufferBytes = code.let(i32.mul(depth, i32.const(COLUMN_STEP_BYTES)));
          const buffer = code.let(workspace);
          code.for(
            end,
            (panel) => {
              code.run(patch, [
                buffer,
                i32.add(frame.word('positions'), i32.mul(from, i32.const(WORD_BYTES))),
                depth,
                picture,
                i32.add(frame.word('taps'), i32.mul(panel, i32.const(PANEL * WORD_BYTES))),
              ]);
              code.set(buffer, i32.add(buffer, bufferBytes));
            },
            first,
          );
          const rows = code.let(i32.add(a, i32.mul(from, i32.const(ROW_STEP_BYTES))));
          const target = code.let(i32.add(c, i32.mul(first, i32.const(COLUMN_STEP_BYTES))));
          code.for(frame.word('rowPanels'), () => {
            code.set(buffer, workspace);
            const column = code.let(target);
            code.for(
              end,
              () => {
                code.run(tile, [rows, buffer, column, depth, frame.word('rowBytes'), i32.or(image, from)]);
                code.set(buffer, i32.add(buffer, bufferBytes));
                code.set(column, i32.add(column, i32.const(COLUMN_STEP_BYTES)));
              },
              first,
            );
            code.set(rows, i32.add(rows, panelBytes));
            code.set(target, i32.add(target, tileRowBytes));
          });
        },
        i32.const(0),
        frame.word('kBlock'),
      );
      code.set(picture, i32.add(picture, frame.word('pictureImage')));
      code.set(a, i32.add(a, frame.word('aImage')));
    });
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
