/**
 * Taps along a row: the cells that four neighbouring windows have in one place, loaded and added to as vectors.
 *
 * With a stride of 1 they are next to each other. With a stride of 2, two neighbouring taps share two vectors, and shuffles tell them apart.
 */

import { DTYPES } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { f32x4, i32, i32x4, i8x16 } from '../assembler/instructions.ts';
import type { V128 } from '../assembler/value.ts';
import { vectorElements } from '../lanes/elements.ts';
import type { Step, StoredDType } from '../lanes/elements.ts';
import type { VectorLanes } from '../lanes/lanes.ts';
import { LANES } from '../lanes/vector.ts';
import type { Along } from './geometry.ts';

/** More taps than this along a row are a loop. */
export const MOST_UNROLLED = 8;

const EVEN_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const ODD_WORDS = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31];
const LOWER_INTERLEAVED = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
const UPPER_INTERLEAVED = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];

/** The cells of a row of some operand: where those of tap 0 are. */
export interface RowOfCells {
  readonly dtype: StoredDType;
  readonly address: Local<'i32'>;
}

/** Writes `visit` for each tap: unrolled, or as a loop that moves the rows on and always visits tap 0. */
export function forEachTap(code: Code, { size, dilation }: Along, rows: readonly RowOfCells[], visit: (tap: number) => void): void {
  if (size <= MOST_UNROLLED) {
    for (let tap = 0; tap < size; tap++) visit(tap);
    return;
  }
  code.for(i32.const(size), () => {
    visit(0);
    for (const { dtype, address } of rows) code.set(address, i32.add(address, i32.const(dilation * DTYPES[dtype].bytes)));
  });
}

/** Do taps come in pairs of neighbours? */
function inPairs({ size, stride, dilation }: Along): boolean {
  return stride === 2 && dilation === 1 && size <= MOST_UNROLLED;
}

/** Loads taps of four windows; floats as floats, integers as words. */
export class TapLoader {
  readonly #lanes: VectorLanes;
  readonly #along: Along;
  readonly #row: RowOfCells;
  /** The second of a pair, loaded with the first. */
  #second: V128 | null = null;

  constructor(lanes: VectorLanes, along: Along, row: RowOfCells) {
    this.#lanes = lanes;
    this.#along = along;
    this.#row = row;
  }

  load(tap: number): V128 {
    const { code } = this.#lanes;
    const { stride, dilation, size } = this.#along;
    const { dtype, address } = this.#row;
    const { bytes } = DTYPES[dtype];
    const offset = tap * dilation * bytes;
    if (stride === 2) {
      if (inPairs(this.#along) && tap % 2 === 1 && this.#second !== null) return this.#second;
      const [low, high] = [this.#unit(offset), this.#unit(offset + LANES * bytes)];
      if (inPairs(this.#along) && tap + 1 < size) this.#second = code.let(i8x16.shuffle(low, high, ODD_WORDS));
      return code.let(i8x16.shuffle(low, high, EVEN_WORDS));
    }
    if (stride === 1) return this.#unit(offset);
    const at = code.let(i32.add(address, i32.const(offset)));
    const { float, int } = vectorElements(this.#lanes).load(dtype, at, i32.const(stride * bytes));
    return float ?? int ?? this.#lanes.int(0);
  }

  #unit(offset: number): V128 {
    const { float, int } = vectorElements(this.#lanes).load(this.#row.dtype, this.#row.address, 'unit', offset);
    return float ?? int ?? this.#lanes.int(0);
  }
}

/** Adds to taps of four windows, in cells of four bytes. */
export class TapAdder {
  readonly #lanes: VectorLanes;
  readonly #along: Along;
  readonly #row: RowOfCells;
  #first: V128 | null = null;

  constructor(lanes: VectorLanes, along: Along, row: RowOfCells) {
    this.#lanes = lanes;
    this.#along = along;
    this.#row = row;
  }

  add(tap: number, value: V128): void {
    const { stride, dilation, size } = this.#along;
    const { bytes } = DTYPES[this.#row.dtype];
    const offset = tap * dilation * bytes;
    if (stride === 1) {
      this.#unit(offset, value);
      return;
    }
    if (inPairs(this.#along)) {
      if (tap % 2 === 0 && tap + 1 < size) {
        this.#first = value;
        return;
      }
      if (tap % 2 === 1 && this.#first !== null) {
        this.#unit(offset - bytes, i8x16.shuffle(this.#first, value, LOWER_INTERLEAVED));
        this.#unit(offset - bytes + LANES * bytes, i8x16.shuffle(this.#first, value, UPPER_INTERLEAVED));
        return;
      }
    }
    this.#far(offset, value);
  }

  /** Is the row one of floats? Each of the four words has its own sum. */
  #sum(old: V128, value: V128): V128 {
    return DTYPES[this.#row.dtype].kind === 'float' ? f32x4.add(old, value) : i32x4.add(old, value);
  }

  #unit(offset: number, value: V128): void {
    this.#update('unit', this.#row.address, offset, value);
  }

  #far(offset: number, value: V128): void {
    const { code } = this.#lanes;
    const step = i32.const(this.#along.stride * DTYPES[this.#row.dtype].bytes);
    this.#update(step, code.let(i32.add(this.#row.address, i32.const(offset))), 0, value);
  }

  #update(step: Step, address: Local<'i32'>, offset: number, value: V128): void {
    const elements = vectorElements(this.#lanes);
    const { dtype } = this.#row;
    const { float, int } = elements.load(dtype, address, step, offset);
    const floats = float !== null;
    const sum = this.#sum(float ?? int ?? this.#lanes.int(0), value);
    elements.store(dtype, address, step, floats ? sum : null, floats ? null : sum, offset);
  }
}
