/**
 * Where the windows of a pooling lie, as tables and numbers for its code.
 *
 * Words used here:
 * - **row**: the windows, or the cells, along the last spatial axis at one place of the others.
 * - **column**: a place along the last axis. Columns are *inner* where every cell of the window that lies along the row is inside the input.
 * - **plane**: all cells of one channel of one image.
 */

import type { Window } from '@gradus/backend';

/** A window along the last axis. */
export interface Along {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
}

/** A window's last axis. */
export function alongOf({ size, stride, dilation, padding }: Window): Along {
  return { size: size.at(-1) ?? 1, stride: stride.at(-1) ?? 1, dilation: dilation.at(-1) ?? 1, padding: padding.at(-1) ?? 0 };
}

/** The inner columns: from `first` up to, not including, `end`. */
export function innerColumns({ size, stride, dilation, padding }: Along, input: number, output: number): { first: number; end: number } {
  const first = Math.min(output, Math.ceil(padding / stride));
  const last = Math.floor((input - 1 - (size - 1) * dilation + padding) / stride);
  return { first, end: Math.max(first, Math.min(output, last + 1)) };
}

/** Elements that may be read before and after a row, wherever it lies: those of a vector. */
const REACH = 4;

/** May four windows anywhere in a row be computed at once, reading what lies beyond the row and masking it away? */
export function masksAllowed({ size, stride, dilation, padding }: Along, input: number, output: number): boolean {
  // With a stride of 2, taps are loaded as pairs.
  const last = (output - 1) * stride - padding + (size - 1) * dilation + stride - 1;
  return output >= REACH && stride <= 2 && padding <= REACH && last < input + REACH;
}

/** For every row of windows, the rows of cells in the input that it covers: `cells[starts[r]]` up to `cells[starts[r + 1]]`, each by its first cell. */
export interface CoveredRows {
  readonly starts: readonly number[];
  readonly cells: readonly number[];
}

/** The rows that windows cover, in row-major order; rows outside the input are left out. */
export function coveredRows({ size, stride, dilation, padding }: Window, input: readonly number[], output: readonly number[]): CoveredRows {
  const last = input.length - 1;
  const starts = [0];
  const cells: number[] = [];
  const visit = (axis: number, rows: readonly number[]): void => {
    if (axis === last) {
      for (const row of rows) cells.push(row * (input[last] ?? 0));
      starts.push(cells.length);
      return;
    }
    const extent = input[axis] ?? 0;
    for (let place = 0; place < (output[axis] ?? 0); place++) {
      const first = place * (stride[axis] ?? 1) - (padding[axis] ?? 0);
      const inside = Array.from({ length: size[axis] ?? 1 }, (_, tap) => first + tap * (dilation[axis] ?? 1)).filter((at) => at >= 0 && at < extent);
      visit(
        axis + 1,
        rows.flatMap((row) => inside.map((at) => row * extent + at)),
      );
    }
  };
  visit(0, [0]);
  return { starts, cells };
}
