/**
 * Packing of quantized matrices: panels as `product/pack.ts` makes them, `[steps][rows of a panel]`, of words that hold several values each.
 *
 * With groups, every group begins with a step of its own, which holds the scales of the panel's rows; so the product needs no other pointer. The
 * left side has that step too, and nothing in it. Groups, and rows, that fill no whole word are filled with zeros.
 */

import type { Callable, Code, Local } from '../assembler/code.ts';
import { f32, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { transpose } from '../product/pack.ts';
import { VALUES_PER_WORD, bitsOf, fourWords, oneWord } from './values.ts';
import type { Packing, ValueFormat } from './values.ts';

const WORD_BYTES = 4;

/** One side of a quantized product. */
export interface PackedSide {
  /** Rows of a panel. */
  readonly width: number;
  readonly packing: Packing;
  readonly format: ValueFormat;
  /** Values of a group, or null where there are no groups. */
  readonly group: number | null;
  /** Does the step that a group begins with hold scales? */
  readonly scaled: boolean;
}

/** Steps of a packed panel of rows of k values. */
export function stepsOf(packing: Packing, group: number | null, k: number): number {
  const values = VALUES_PER_WORD[packing];
  if (group === null) return Math.ceil(k / values);
  const whole = Math.floor(k / group);
  const rest = k % group;
  return whole * (1 + Math.ceil(group / values)) + (rest === 0 ? 0 : 1 + Math.ceil(rest / values));
}

/** Moves pointers. */
function advance(code: Code, pointers: readonly Local<'i32'>[], bytes: number): void {
  for (const pointer of pointers) code.set(pointer, i32.add(pointer, i32.const(bytes)));
}

/** `panel(source, target, rowsLeft, k, rowBytes, scales, scaleRowBytes)`: one panel. Rows beyond the last are copies of it. */
function writePanel(module: ModuleWriter, { width, packing, format, group, scaled }: PackedSide): Callable {
  const names = ['source', 'target', 'rowsLeft', 'k', 'rowBytes', 'scales', 'scaleRowBytes'] as const;
  const perWord = VALUES_PER_WORD[packing];
  const wordBytes = (perWord * bitsOf(format)) / 8;
  return routine(module, names, (code, { source, target, rowsLeft, k, rowBytes, scales, scaleRowBytes }) => {
    const lanes = vectorLanes(code);
    const last = code.let(i32.sub(rowsLeft, i32.const(1)));
    const rowsFrom = (start: I32, stride: I32): Local<'i32'>[] =>
      Array.from({ length: width }, (_, r) => code.let(i32.add(start, i32.mul(least(code, i32.const(r), last), stride))));
    const rows = rowsFrom(source, rowBytes);
    const words = (rest: Local<'i32'>): void => {
      code.while(i32.geS(rest, i32.const(LANES * perWord)), () => {
        for (let first = 0; first < width; first += LANES) {
          const vectors = rows.slice(first, first + LANES).map((row) => code.let(fourWords(lanes, packing, format, row)));
          transpose(code, vectors).forEach((vector, step) => code.effect(v128.store(target, vector, (step * width + first) * WORD_BYTES)));
        }
        advance(code, rows, LANES * wordBytes);
        advance(code, [target], LANES * width * WORD_BYTES);
        code.set(rest, i32.sub(rest, i32.const(LANES * perWord)));
      });
      code.while(i32.gtS(rest, i32.const(0)), () => {
        rows.forEach((row, r) => code.effect(i32.store(target, oneWord(packing, format, row, rest), r * WORD_BYTES)));
        advance(code, rows, wordBytes);
        advance(code, [target], width * WORD_BYTES);
        code.set(rest, i32.sub(rest, i32.const(perWord)));
      });
    };
    if (group === null) {
      words(k);
      return;
    }
    const scaleRows = scaled ? rowsFrom(scales, scaleRowBytes) : [];
    // The last word of a group may reach beyond it: the next one begins where it lies, at a whole byte (groups of 4-bit values are even).
    const begin = rows.map((row) => code.let(row));
    code.while(i32.gtS(k, i32.const(0)), () => {
      scaleRows.forEach((scale, r) => code.effect(f32.store(target, f32.load(scale), r * WORD_BYTES)));
      advance(code, scaleRows, WORD_BYTES);
      advance(code, [target], width * WORD_BYTES);
      const rest = least(code, k, i32.const(group));
      words(rest);
      advance(code, begin, (group * bitsOf(format)) / 8);
      rows.forEach((row, r) => code.set(row, begin[r] ?? row));
      code.set(k, i32.sub(k, i32.const(group)));
    });
  });
}

/**
 * Writes the code that packs one side; its entry is exported as `run`. A unit is some panels.
 * Words: `source`, `rows`, `k` (values of a row), `rowBytes`, `target`, `panels`, `panelBytes`, `panelsPerUnit`; `scales`, `scaleRowBytes`.
 */
export function writePackQuantized(module: ModuleWriter, side: PackedSide, layout: FrameLayout): void {
  const panel = writePanel(module, side);
  const unit = routine(module, ['address', 'number'], (code, { address, number }) => {
    const frame = new Frame(code, layout, address);
    const words = ['source', 'rows', 'k', 'rowBytes', 'target', 'panels', 'panelBytes', 'panelsPerUnit', 'scales', 'scaleRowBytes'] as const;
    for (const word of words) frame.preload(word);
    const first = code.let(i32.mul(number, frame.word('panelsPerUnit')));
    const end = least(code, i32.add(first, frame.word('panelsPerUnit')), frame.word('panels'));
    code.for(
      end,
      (p) => {
        const row = code.let(i32.mul(p, i32.const(side.width)));
        code.run(panel, [
          i32.add(frame.word('source'), i32.mul(row, frame.word('rowBytes'))),
          i32.add(frame.word('target'), i32.mul(p, frame.word('panelBytes'))),
          i32.sub(frame.word('rows'), row),
          frame.word('k'),
          frame.word('rowBytes'),
          i32.add(frame.word('scales'), i32.mul(row, frame.word('scaleRowBytes'))),
          frame.word('scaleRowBytes'),
        ]);
      },
      first,
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
