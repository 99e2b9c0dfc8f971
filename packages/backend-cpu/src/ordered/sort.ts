/**
 * `sort`: a stable merge sort of each row, bottom up, on float64 keys and the places that they came from.
 *
 * NaN is set apart first, since it compares with nothing; for descending order the keys are negated, which leaves equal ones equal.
 */

import type { SortKernel } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { DenseOperands } from '../dense/operands.ts';
import type { Workspace } from '../workspace.ts';

/** Keys and their places, of one row. */
interface Pairs {
  readonly keys: Float64Array;
  readonly places: Int32Array;
}

/** Merges the sorted runs `[from, middle)` and `[middle, to)`; of equal keys, those of the first come first. */
function merge(source: Pairs, target: Pairs, from: number, middle: number, to: number): void {
  const { keys, places } = source;
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    const takeLeft = left < middle && (right >= to || (keys[left] as number) <= (keys[right] as number));
    const taken = takeLeft ? left++ : right++;
    target.keys[at] = keys[taken] as number;
    target.places[at] = places[taken] as number;
  }
}

/** Sorts the first `count` pairs, in one of the two; gives the one. */
function sortPairs(pairs: Pairs, spare: Pairs, count: number): Pairs {
  let [source, target] = [pairs, spare];
  for (let width = 1; width < count; width *= 2) {
    for (let from = 0; from < count; from += 2 * width) merge(source, target, from, Math.min(from + width, count), Math.min(from + 2 * width, count));
    [source, target] = [target, source];
  }
  return source;
}

/** Code for a sort. */
export function prepareSort(kernel: SortKernel, { row: keyScratch, places: placeScratch }: Workspace): KernelCode {
  const { descending } = kernel;
  const sign = descending ? -1 : 1;
  return (views, _scalars, dims) => {
    const [rows = 0, columns = 0] = dims;
    const run = new DenseOperands(kernel, views, dims);
    const [numbers, x, values, places] = [run.read(0), run.raw(0), run.raw(1), run.raw(2)];
    const keys = keyScratch.get(2 * columns);
    const taken = placeScratch.get(3 * columns);
    const pairs: Pairs = { keys: keys.subarray(0, columns), places: taken.subarray(0, columns) };
    const spare: Pairs = { keys: keys.subarray(columns), places: taken.subarray(columns, 2 * columns) };
    const nan = taken.subarray(2 * columns);
    for (let row = 0; row < rows; row++) {
      const first = row * columns;
      let count = 0;
      let ofNaN = 0;
      for (let i = 0; i < columns; i++) {
        const value = numbers[first + i] as number;
        if (value !== value) nan[ofNaN++] = i;
        else {
          pairs.keys[count] = sign * value;
          pairs.places[count++] = i;
        }
      }
      const sorted = sortPairs(pairs, spare, count);
      places.set(sorted.places.subarray(0, count), descending ? first + ofNaN : first);
      places.set(nan.subarray(0, ofNaN), descending ? first : first + count);
      for (let i = first; i < first + columns; i++) values[i] = x[first + (places[i] as number)] as number;
    }
  };
}
