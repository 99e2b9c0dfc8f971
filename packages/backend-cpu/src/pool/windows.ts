/** The cells of every pooling window that lie inside the input, as one flat table. */

import type { Window } from '@gradus/backend';

import { denseStrides } from '../contract/offsets.ts';

/** Window w, in row-major order of the output, has the cells `cells[starts[w]]` to `cells[starts[w + 1] - 1]`: offsets in a plane, row-major. */
export interface WindowCells {
  readonly count: number;
  readonly starts: Int32Array;
  readonly cells: Int32Array;
}

/** Builds the table for one geometry. */
export function windowCells({ size, stride, dilation, padding }: Window, input: readonly number[], output: readonly number[]): WindowCells {
  const strides = denseStrides(input);
  /** For each axis and output position: the offsets of the cells inside. */
  const inside = output.map((positions, axis) =>
    Array.from({ length: positions }, (_, position) => {
      const first = position * (stride[axis] ?? 1) - (padding[axis] ?? 0);
      return Array.from({ length: size[axis] ?? 0 }, (__, tap) => first + tap * (dilation[axis] ?? 1))
        .filter((cell) => cell >= 0 && cell < (input[axis] ?? 0))
        .map((cell) => cell * (strides[axis] ?? 0));
    }),
  );
  const starts: number[] = [0];
  const cells: number[] = [];
  const visit = (axis: number, offsets: readonly number[]): void => {
    const positions = inside[axis];
    if (positions === undefined) {
      for (const offset of offsets) cells.push(offset);
      starts.push(cells.length);
      return;
    }
    for (const along of positions)
      visit(
        axis + 1,
        offsets.flatMap((offset) => along.map((cell) => offset + cell)),
      );
  };
  visit(0, [0]);
  return { count: starts.length - 1, starts: Int32Array.from(starts), cells: Int32Array.from(cells) };
}
