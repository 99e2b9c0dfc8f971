/** `argReduce`: the place of each row's first extreme, or of its first NaN. */

import type { ArgReduceKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { DenseOperands } from '../dense/operands.ts';

/** The place of the first NaN of a row, else of its first largest element; with a sign of -1, of its first smallest. */
function placeOfExtreme(x: TypedArray, from: number, columns: number, sign: number): number {
  let place = 0;
  let best = sign * (x[from] as number);
  for (let i = 0; i < columns; i++) {
    const value = sign * (x[from + i] as number);
    if (value !== value) return i;
    if (value > best) {
      best = value;
      place = i;
    }
  }
  return place;
}

/** Code for a search of extremes. */
export function prepareArgReduce(kernel: ArgReduceKernel): KernelCode {
  const sign = kernel.fold === 'max' ? 1 : -1;
  return (views, _scalars, dims) => {
    const [rows = 0, columns = 0] = dims;
    const run = new DenseOperands(kernel, views, dims);
    const x = run.read(0);
    const places = run.raw(1);
    for (let row = 0; row < rows; row++) places[row] = placeOfExtreme(x, row * columns, columns, sign);
  };
}
