/** Kernels that go by the order of a row's elements, interpreted: running folds, stable sorts, places of extremes. */

import type { ArgReduceKernel, ScanKernel, SortKernel } from '@gradus/backend';
import { Folder } from './fold.ts';
import type { Launch } from './launch.ts';

/** Places 0, 1, … of a row. */
function places(columns: number): number[] {
  return Array.from({ length: columns }, (_, i) => i);
}

export function interpretScan(kernel: ScanKernel, launch: Launch): void {
  const [rows = 0, columns = 0] = launch.dims;
  for (let row = 0; row < rows; row++) {
    const folder = new Folder(kernel.fold, launch.dtype(0));
    for (const place of kernel.reverse ? places(columns).toReversed() : places(columns)) {
      const at = row * columns + place;
      if (kernel.exclusive) launch.view(1).set(at, folder.result);
      folder.add(launch.view(0).get(at));
      if (!kernel.exclusive) launch.view(1).set(at, folder.result);
    }
  }
}

/** Ascending, NaN last; 0 for what is equal. */
function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

export function interpretSort(kernel: SortKernel, launch: Launch): void {
  const [rows = 0, columns = 0] = launch.dims;
  for (let row = 0; row < rows; row++) {
    const x = places(columns).map((place) => launch.view(0).get(row * columns + place));
    const at = (place: number): number => x[place] ?? NaN;
    // Array.prototype.sort is stable.
    const sorted = places(columns).toSorted((a, b) => (kernel.descending ? order(at(b), at(a)) : order(at(a), at(b))));
    sorted.forEach((from, to) => {
      launch.view(1).set(row * columns + to, at(from));
      launch.view(2).set(row * columns + to, from);
    });
  }
}

export function interpretArgReduce(kernel: ArgReduceKernel, launch: Launch): void {
  const [rows = 0, columns = 0] = launch.dims;
  for (let row = 0; row < rows; row++) {
    const x = places(columns).map((place) => launch.view(0).get(row * columns + place));
    const nan = x.findIndex(Number.isNaN);
    const extreme = kernel.fold === 'max' ? Math.max(...x) : Math.min(...x);
    // indexOf compares with ===, to which zeros are equal.
    launch.view(1).set(row, nan >= 0 ? nan : x.indexOf(extreme));
  }
}
