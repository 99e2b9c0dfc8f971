/** Pooling forward: one row of results. Results are words: float32 or 32-bit integers. */

import type { Local } from '../assembler/code.ts';
import { f32, f32x4, i32, i32x4, v128 } from '../assembler/instructions.ts';
import type { F32, I32, V128 } from '../assembler/value.ts';
import { identityOf } from '../kernels/folds.ts';
import { inFloats } from '../kernels/point.ts';
import { scalarElements } from '../lanes/elements.ts';
import type { Loaded, StoredDType } from '../lanes/elements.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { vectorLanes } from '../lanes/vector.ts';
import type { Cells, WindowRow } from './columns.ts';
import { TapLoader, forEachTap } from './taps.ts';

const WORD_BYTES = 4;

/** What a row of results is made of. Addresses are those of planes, but `result` is that of the row. */
export interface ForwardRow {
  readonly windows: WindowRow;
  readonly x: I32;
  readonly values: I32;
  readonly result: I32;
  readonly xDType: StoredDType;
  readonly valueDType: StoredDType;
}

function resultAt({ result }: ForwardRow, column: I32): I32 {
  return i32.add(result, i32.mul(column, i32.const(WORD_BYTES)));
}

/** The largest so far of four windows. */
export class FourLargest {
  readonly #row: WindowRow;
  readonly #dtype: StoredDType;
  readonly #best: Local<'v128'>;

  constructor(row: WindowRow, dtype: StoredDType) {
    const lanes = vectorLanes(row.code);
    const lowest = identityOf('max', dtype);
    this.#row = row;
    this.#dtype = dtype;
    this.#best = row.code.let(inFloats(dtype) ? lanes.float(lowest) : lanes.int(lowest));
  }

  /** Takes in a cell of each window. Which of them win, because they are larger, or the first NaN? */
  meet(value: V128): V128 {
    const wins = this.#row.code.let(this.#beats(value));
    this.#take(value, wins);
    return wins;
  }

  /** The same where some cells are outside; the first one inside wins in any case. `found`: which windows had one. */
  meetInside(value: V128, inside: V128, found: Local<'v128'>): V128 {
    const { code } = this.#row;
    const wins = code.let(v128.and(inside, v128.or(v128.not(found), this.#beats(value))));
    this.#take(value, wins);
    code.set(found, v128.or(found, inside));
    return wins;
  }

  #beats(value: V128): V128 {
    const best = this.#best;
    if (inFloats(this.#dtype)) return v128.andnot(f32x4.eq(best, best), f32x4.le(value, best));
    return this.#dtype === 'uint32' ? i32x4.gtU(value, best) : i32x4.gtS(value, best);
  }

  #take(value: V128, wins: V128): void {
    this.#row.code.set(this.#best, v128.bitselect(value, this.#best, wins));
  }
}

/** Does one cell win over another? The first NaN does. */
function beats(dtype: StoredDType, value: Loaded<F32, I32>, best: Loaded<F32, I32>): I32 {
  if (value.float !== null && best.float !== null) {
    const ordered = f32.eq(best.float, best.float);
    return i32.and(ordered, i32.eqz(f32.le(value.float, best.float)));
  }
  const [a, b] = [value.int ?? i32.const(0), best.int ?? i32.const(0)];
  return dtype === 'uint32' ? i32.gtU(a, b) : i32.gtS(a, b);
}

/** Writes the search for the winner of the window in one column: `win` has the statements for each new winner. */
export function searchWinner(row: WindowRow, x: I32, dtype: StoredDType, column: I32, win: (cells: Cells, tap: I32) => void): void {
  const { code } = row;
  const elements = scalarElements(scalarLanes(code));
  const found = code.let(i32.const(0));
  const bestFloat = code.local('f32');
  const bestInt = code.local('i32');
  const first = row.firstCell(column);
  row.eachCoveredRow(first, (cells) => {
    row.eachTapInside(first, (tap) => {
      const value = elements.load(dtype, cells.cell(x, dtype, tap), 'unit');
      const best = value.float === null ? { float: null, int: bestInt } : { float: bestFloat, int: null };
      code.if(i32.or(i32.eqz(found), beats(dtype, value, best)), () => {
        code.set(found, i32.const(1));
        if (value.float !== null) code.set(bestFloat, value.float);
        if (value.int !== null) code.set(bestInt, value.int);
        win(cells, tap);
      });
    });
  });
}

/** What a maximum of no cells gives. */
function nothing(dtype: StoredDType): number {
  return identityOf('max', dtype);
}

/** Four values at the places of x's maxima. `masked`: some cells may be outside. */
function fourSelected({ windows, x, values, xDType, valueDType }: ForwardRow, column: I32, masked: boolean): V128 {
  const { code, along } = windows;
  const lanes = vectorLanes(code);
  const first = windows.firstCell(column);
  const largest = new FourLargest(windows, xDType);
  const masks = masked ? windows.insideMasks(first) : null;
  const found = code.let(lanes.int(0));
  const identity = inFloats(valueDType) ? lanes.float(nothing(valueDType)) : lanes.int(nothing(valueDType));
  // Where none is outside, the first cell's wins unless another is larger.
  const selected = code.let(masked ? identity : new TapLoader(lanes, along, windows.firstCoveredRow(first).row(values, valueDType)).load(0));
  windows.eachCoveredRow(first, (cells) => {
    const [here, there] = [cells.row(x, xDType), cells.row(values, valueDType)];
    const [keys, candidates] = [new TapLoader(lanes, along, here), new TapLoader(lanes, along, there)];
    masks?.begin();
    forEachTap(code, along, [here, there], (tap) => {
      const key = keys.load(tap);
      const wins = masks === null ? largest.meet(key) : largest.meetInside(key, masks.next(), found);
      code.set(selected, v128.bitselect(candidates.load(tap), selected, wins));
    });
  });
  return selected;
}

/** Four maxima, of floats. */
function fourMaxima({ windows, x, xDType }: ForwardRow, column: I32, masked: boolean): V128 {
  const { code, along } = windows;
  const lanes = vectorLanes(code);
  const first = windows.firstCell(column);
  const masks = masked ? windows.insideMasks(first) : null;
  const best = code.let(lanes.float(-Infinity));
  // All ones, which is a NaN, where one was met: pmax passes over it.
  const broken = code.let(lanes.int(0));
  windows.eachCoveredRow(first, (cells) => {
    const here = cells.row(x, xDType);
    const keys = new TapLoader(lanes, along, here);
    masks?.begin();
    forEachTap(code, along, [here], (tap) => {
      const key = keys.load(tap);
      const value = masks === null ? key : code.let(v128.bitselect(key, lanes.float(-Infinity), masks.next()));
      code.set(best, f32x4.pmax(best, value));
      code.set(broken, v128.or(broken, f32x4.ne(value, value)));
    });
  });
  return v128.or(best, broken);
}

/** The values at the places of x's maxima. `same`: x and the values are one and the same, in floats. */
export function writeMaximum(row: ForwardRow, same: boolean): void {
  const { windows, x, values, xDType, valueDType } = row;
  const { code } = windows;
  const fours = (column: I32, masked: boolean): void => {
    const four = same ? fourMaxima(row, column, masked) : fourSelected(row, column, masked);
    code.effect(v128.store(resultAt(row, column), four));
  };
  windows.walk(
    (column) => fours(column, false),
    (column) => {
      const elements = scalarElements(scalarLanes(code));
      const identity = nothing(valueDType);
      const selected = code.let(inFloats(valueDType) ? i32.reinterpretF32(f32.const(identity)) : i32.const(identity));
      searchWinner(windows, x, xDType, column, (cells, tap) => {
        const { float, int } = elements.load(valueDType, cells.cell(values, valueDType, tap), 'unit');
        code.set(selected, float === null ? (int ?? i32.const(0)) : i32.reinterpretF32(float));
      });
      code.effect(i32.store(resultAt(row, column), selected));
    },
    (column) => fours(column, true),
  );
}

/** 1 / divisor of windows with `cells` cells inside, which have `size` in all. */
export function weightOf(countPadding: boolean, size: number, cells: I32): F32 {
  return f32.div(f32.const(1), countPadding ? f32.const(size) : f32.convertI32S(cells));
}

/** The average. A row of cells is summed by itself, so that long sums lose less. */
export function writeAverage(row: ForwardRow, countPadding: boolean, size: number): void {
  const { windows, values, valueDType } = row;
  const { code, along } = windows;
  const inner = code.let(f32x4.splat(weightOf(countPadding, size, i32.mul(windows.coveredRows, i32.const(along.size)))));
  const fours = (column: I32, masked: boolean): void => {
    const lanes = vectorLanes(code);
    const first = windows.firstCell(column);
    const masks = masked ? windows.insideMasks(first) : null;
    const sum = code.let(lanes.float(0));
    const part = code.local('v128');
    const count = code.let(lanes.int(0));
    windows.eachCoveredRow(first, (cells) => {
      const here = cells.row(values, valueDType);
      const loader = new TapLoader(lanes, along, here);
      code.set(part, lanes.float(0));
      masks?.begin();
      forEachTap(code, along, [here], (tap) => {
        const value = loader.load(tap);
        const inside = masks?.next() ?? null;
        code.set(part, f32x4.add(part, inside === null ? value : v128.and(value, inside)));
        // A mask is -1 where it holds.
        if (inside !== null) code.set(count, i32x4.sub(count, inside));
      });
      code.set(sum, f32x4.add(sum, part));
    });
    const own = f32x4.div(lanes.float(1), f32x4.convertI32x4S(count));
    code.effect(v128.store(resultAt(row, column), f32x4.mul(sum, masked && !countPadding ? own : inner)));
  };
  windows.walk(
    (column) => fours(column, false),
    (column) => {
      const elements = scalarElements(scalarLanes(code));
      const sum = code.let(f32.const(0));
      const part = code.local('f32');
      const count = code.let(i32.const(0));
      const first = windows.firstCell(column);
      windows.eachCoveredRow(first, (cells) => {
        code.set(part, f32.const(0));
        windows.eachTapInside(first, (tap) => {
          const { float } = elements.load(valueDType, cells.cell(values, valueDType, tap), 'unit');
          if (float !== null) code.set(part, f32.add(part, float));
          code.set(count, i32.add(count, i32.const(1)));
        });
        code.set(sum, f32.add(sum, part));
      });
      code.effect(f32.store(resultAt(row, column), f32.mul(sum, weightOf(countPadding, size, count))));
    },
    (column) => fours(column, true),
  );
}
