/** Pooling backward: what one row of gradients adds to the cells of its windows. Sums are words: float32 or 32-bit integers. */

import type { DType } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import type { Local } from '../assembler/code.ts';
import { f32, f32x4, i32, i32x4, v128 } from '../assembler/instructions.ts';
import type { F32, I32, V128 } from '../assembler/value.ts';
import { inFloats } from '../kernels/point.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { StoredDType } from '../lanes/elements.ts';
import type { VectorLanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { vectorLanes } from '../lanes/vector.ts';
import type { WindowRow } from './columns.ts';
import { FourLargest, searchWinner, weightOf } from './forward.ts';
import { TapAdder, TapLoader, forEachTap } from './taps.ts';

/** What gradients are spread by. `x` and `result` are addresses of planes, `gradient` is that of the row. */
export interface BackwardRow {
  readonly windows: WindowRow;
  readonly x: I32;
  readonly gradient: I32;
  readonly result: I32;
  readonly xDType: StoredDType;
  readonly gradientDType: StoredDType;
}

/** The dtype that gradients are added in: the one of four bytes that holds them. */
export function sumDType(dtype: DType): 'float32' | 'int32' | 'uint32' {
  if (inFloats(dtype)) return 'float32';
  return dtype === 'uint32' ? 'uint32' : 'int32';
}

function gradientAt({ gradient, gradientDType }: BackwardRow, column: I32): I32 {
  return i32.add(gradient, i32.mul(column, i32.const(DTYPES[gradientDType].bytes)));
}

/** The gradients of four windows; 0 for those before column `fresh`, which are done. */
function fourGradients(row: BackwardRow, column: I32, fresh: I32): V128 {
  const { code } = row.windows;
  const lanes = vectorLanes(code);
  const { float, int } = vectorElements(lanes).load(row.gradientDType, code.let(gradientAt(row, column)), 'unit');
  const gradients = code.let(float ?? int ?? lanes.int(0));
  code.if(i32.ltS(column, fresh), () => {
    code.set(gradients, v128.and(gradients, i32x4.geS(lanes.progression(column, i32.const(1)), i32x4.splat(fresh))));
  });
  return gradients;
}

/** The numbers of taps from 0, in every lane: constants where taps are unrolled, else counted. */
class TapNumbers {
  readonly #lanes: VectorLanes;
  readonly #counter: Local<'v128'> | null;
  #next = 0;

  constructor(lanes: VectorLanes, windows: WindowRow) {
    this.#lanes = lanes;
    this.#counter = windows.unrolled ? null : lanes.code.let(lanes.int(0));
  }

  next(): V128 {
    if (this.#counter === null) return this.#lanes.int(this.#next++);
    const { code } = this.#lanes;
    const number = code.let(this.#counter);
    code.set(this.#counter, i32x4.add(number, this.#lanes.int(1)));
    return number;
  }
}

function addToCell(row: BackwardRow, address: I32, float: F32 | null, int: I32 | null): void {
  const { code } = row.windows;
  const at = code.let(address);
  if (float === null) code.effect(i32.store(at, i32.add(i32.load(at), int ?? i32.const(0))));
  else code.effect(f32.store(at, f32.add(f32.load(at), float)));
}

/** Each gradient goes to the place of its window's maximum. */
export function writeMaximumGradient(row: BackwardRow): void {
  const { windows, x, xDType, result, gradientDType } = row;
  const { code, along } = windows;
  const sums = sumDType(gradientDType);
  windows.walk(
    (column, fresh) => {
      const lanes = vectorLanes(code);
      const first = windows.firstCell(column);
      const largest = new FourLargest(windows, xDType);
      // The number of the tap that wins: the latest, which is the largest.
      const winner = code.let(lanes.int(0));
      const numbers = new TapNumbers(lanes, windows);
      windows.eachCoveredRow(first, (cells) => {
        const here = cells.row(x, xDType);
        const loader = new TapLoader(lanes, along, here);
        forEachTap(code, along, [here], (tap) => {
          const wins = largest.meet(loader.load(tap));
          code.set(winner, i32x4.maxS(winner, v128.and(wins, numbers.next())));
        });
      });
      const gradients = fourGradients(row, column, fresh);
      const again = new TapNumbers(lanes, windows);
      windows.eachCoveredRow(first, (cells) => {
        const there = cells.row(result, sums);
        const adder = new TapAdder(lanes, along, there);
        forEachTap(code, along, [there], (tap) => adder.add(tap, code.let(v128.and(gradients, i32x4.eq(again.next(), winner)))));
      });
    },
    (column) => {
      const target = code.let(i32.const(0));
      searchWinner(windows, x, xDType, column, (cells, tap) => code.set(target, cells.cell(result, sums, tap)));
      // A window without cells has no winner.
      code.if(target, () => {
        const { float, int } = scalarElements(scalarLanes(code)).load(gradientDType, code.let(gradientAt(row, column)), 'unit');
        addToCell(row, target, float, int);
      });
    },
  );
}

/** Each gradient goes to all cells of its window in equal shares. */
export function writeAverageGradient(row: BackwardRow, countPadding: boolean, size: number): void {
  const { windows, result, gradientDType } = row;
  const { code, along } = windows;
  const inner = code.let(f32x4.splat(weightOf(countPadding, size, i32.mul(windows.coveredRows, i32.const(along.size)))));
  windows.walk(
    (column, fresh) => {
      const lanes = vectorLanes(code);
      const share = code.let(f32x4.mul(fourGradients(row, column, fresh), inner));
      windows.eachCoveredRow(windows.firstCell(column), (cells) => {
        const there = cells.row(result, 'float32');
        const adder = new TapAdder(lanes, along, there);
        forEachTap(code, along, [there], (tap) => adder.add(tap, share));
      });
    },
    (column) => {
      const first = windows.firstCell(column);
      const count = code.let(i32.const(0));
      windows.eachTapInside(first, () => code.set(count, i32.add(count, windows.coveredRows)));
      const { float } = scalarElements(scalarLanes(code)).load(gradientDType, code.let(gradientAt(row, column)), 'unit');
      if (float === null) return;
      const share = code.let(f32.mul(float, weightOf(countPadding, size, count)));
      windows.eachCoveredRow(first, (cells) => {
        windows.eachTapInside(first, (tap) => addToCell(row, cells.cell(result, 'float32', tap), share, null));
      });
    },
  );
}
