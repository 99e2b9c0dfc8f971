/**
 * A walk over the columns of a row of windows: four at a time where they are inner ones. Elsewhere forward passes compute four with masks, if what
 * they read beyond the row stays within reach; all others compute one at a time.
 *
 * If the inner columns do not end with a whole vector, the last one begins earlier and meets columns that are done: `fours` is told how many.
 */

import { DTYPES } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32, i32x4 } from '../assembler/instructions.ts';
import type { I32, V128 } from '../assembler/value.ts';
import { least } from '../kernels/units.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import type { Frame } from '../launch/frame.ts';
import type { Along } from './geometry.ts';
import { MOST_UNROLLED } from './taps.ts';
import type { RowOfCells } from './taps.ts';

const WORD_BYTES = 4;

/** The cells that a window has in one row. */
export interface Cells {
  /** Their row in a plane of some dtype, at the cell of tap 0. */
  readonly row: (plane: I32, dtype: StoredDType) => RowOfCells;
  /** The address of the cell of any tap. */
  readonly cell: (plane: I32, dtype: StoredDType, tap: I32) => I32;
}

/** The row that a function of `forward.ts` or `backward.ts` computes. */
export class WindowRow {
  readonly code: Code;
  readonly along: Along;
  readonly #frame: Frame;
  /** The table's entries for the rows of cells that are covered. */
  readonly #begin: I32;
  readonly #end: I32;
  readonly #simd: boolean;
  /** Where the rows of cells begin, if code is made for just so many. */
  readonly #rows: readonly I32[] | null;

  /** `count`: how many rows of cells are covered, which then are unrolled; null if that is known at run time. */
  constructor(code: Code, frame: Frame, along: Along, begin: I32, end: I32, count: number | null, simd: boolean) {
    this.code = code;
    this.along = along;
    this.#frame = frame;
    this.#begin = begin;
    this.#end = end;
    this.#simd = simd;
    this.#rows = count === null ? null : Array.from({ length: count }, (_, row) => code.let(i32.load(begin, row * WORD_BYTES)));
    for (const name of ['inputWidth', 'outputWidth', 'firstInner', 'endInner', 'masksAllowed']) frame.preload(name);
  }

  /** How many rows of cells the windows cover. */
  get coveredRows(): I32 {
    return this.#rows === null ? i32.shrU(i32.sub(this.#end, this.#begin), i32.const(2)) : i32.const(this.#rows.length);
  }

  /** Are all taps unrolled, so that what is written for a tap is written once? */
  get unrolled(): boolean {
    return this.#rows !== null && this.along.size <= MOST_UNROLLED;
  }

  /** The place along the row of tap 0 of the window in this column. */
  firstCell(column: I32): Local<'i32'> {
    const { stride, padding } = this.along;
    return this.code.let(i32.sub(i32.mul(column, i32.const(stride)), i32.const(padding)));
  }

  /** Writes `visit` for each covered row; `first` is what `firstCell` gave. */
  eachCoveredRow(first: I32, visit: (cells: Cells) => void): void {
    const { code } = this;
    if (this.#rows !== null) {
      for (const row of this.#rows) visit(this.#cellsAt(first, row));
      return;
    }
    const entry = code.let(this.#begin);
    code.while(i32.ltU(entry, this.#end), () => {
      visit(this.#cellsAt(first, i32.load(entry)));
      code.set(entry, i32.add(entry, i32.const(WORD_BYTES)));
    });
  }

  /** The first covered row, where there is one. */
  firstCoveredRow(first: I32): Cells {
    return this.#cellsAt(first, this.#rows?.[0] ?? i32.load(this.#begin));
  }

  #cellsAt(first: I32, row: I32): Cells {
    const { code } = this;
    const at = code.let(i32.add(row, first));
    const address = (plane: I32, dtype: StoredDType, place: I32): Local<'i32'> =>
      code.let(i32.add(plane, i32.mul(place, i32.const(DTYPES[dtype].bytes))));
    return {
      row: (plane, dtype) => ({ dtype, address: address(plane, dtype, at) }),
      cell: (plane, dtype, tap) => address(plane, dtype, i32.add(at, i32.mul(tap, i32.const(this.along.dilation)))),
    };
  }

  /** Writes `visit` for each tap of the window in one column whose cell is inside. */
  eachTapInside(first: I32, visit: (tap: I32) => void): void {
    const { code } = this;
    const { size, dilation } = this.along;
    code.for(i32.const(size), (tap) => {
      const at = code.let(i32.add(first, i32.mul(tap, i32.const(dilation))));
      code.if(i32.ltU(at, this.#frame.word('inputWidth')), () => visit(tap));
    });
  }

  /** Which cells of a tap are inside, for four windows: masks that go on from tap to tap of a row. */
  insideMasks(first: I32): { readonly begin: () => void; readonly next: () => V128 } {
    const { code } = this;
    const { stride, dilation } = this.along;
    const lanes = vectorLanes(code);
    const start = code.let(lanes.progression(first, i32.const(stride)));
    const width = code.let(i32x4.splat(this.#frame.word('inputWidth')));
    const cell = code.local('v128');
    return {
      begin: () => code.set(cell, start),
      next: () => {
        // Cells before the row are negative, and large without their sign.
        const inside = code.let(i32x4.ltU(cell, width));
        code.set(cell, i32x4.add(cell, lanes.int(dilation)));
        return inside;
      },
    };
  }

  /**
   * The whole row. `fours` computes columns from `column` on, those before `fresh` once more; `masked` does so where cells may be outside, if
   * the pass has a way; `one` computes a single column.
   */
  walk(fours: (column: I32, fresh: I32) => void, one: (column: I32) => void, masked: ((column: I32) => void) | null = null): void {
    const { code } = this;
    const width = this.#frame.word('outputWidth');
    const column = code.let(i32.const(0));
    const single = (): void => {
      one(column);
      code.set(column, i32.add(column, i32.const(1)));
    };
    if (!this.#simd) {
      code.while(i32.ltS(column, width), single);
      return;
    }
    const firstInner = this.#frame.word('firstInner');
    const endInner = this.#frame.word('endInner');
    // Four columns from here, or as many before the last ones as it takes.
    const vector = (last: I32, compute: (column: I32, fresh: I32) => void): void => {
      const at = least(code, column, last);
      compute(at, column);
      code.set(column, i32.add(at, i32.const(LANES)));
    };
    const lastInner = code.let(i32.sub(endInner, i32.const(LANES)));
    const lastMasked = code.let(i32.sub(width, i32.const(LANES)));
    // No vectors of inner columns where there is less than one, or where no row of cells is covered.
    const usable = code.let(i32.and(i32.leS(firstInner, lastInner), i32.ltU(this.#begin, this.#end)));
    const elsewhere = (): void => {
      if (masked === null) single();
      else code.if(this.#frame.word('masksAllowed'), () => vector(lastMasked, masked), single);
    };
    code.while(i32.ltS(column, width), () => {
      const inner = i32.and(i32.leS(firstInner, column), i32.ltS(column, endInner));
      code.if(i32.and(usable, inner), () => vector(lastInner, fours), elsewhere);
    });
  }
}
