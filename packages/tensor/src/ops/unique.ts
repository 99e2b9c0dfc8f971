/** Different elements, each once. How many there are depends on values, so these ops read and return promises: see `dynamic.ts`. */

import { tensor } from '../creation.ts';
import { ArgumentError } from '../errors.ts';
import type { ElementArray } from '../memory/elements.ts';
import { compose } from '../memory/scope.ts';
import { data } from '../read.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { movedim } from './arrangement.ts';
import { copy } from './convert.ts';
import { refuseTrace } from './dynamic.ts';
import { indexSelect } from './indexing.ts';
import { flatten } from './reshape.ts';

/** Different elements, or slices; where each element went; and how often each occurs. */
export interface Unique {
  /** Ascending; NaN last. */
  readonly values: Tensor;
  /** For each element of the input (of the axis), its place in `values`: int32. */
  readonly inverse: Tensor;
  /** int32. */
  readonly counts: Tensor;
}

/** Order of two slices of `width` numbers: by the first that differs; NaN after everything, and different from itself. */
function compareSlices(values: ElementArray, width: number, a: number, b: number): number {
  for (let i = 0; i < width; i++) {
    const x = values[a * width + i] as number;
    const y = values[b * width + i] as number;
    if (x < y) return -1;
    if (x > y) return 1;
    if (x === y) continue;
    const [xIsNaN, yIsNaN] = [Number.isNaN(x), Number.isNaN(y)];
    if (xIsNaN !== yIsNaN) return xIsNaN ? 1 : -1;
    return a - b;
  }
  return 0;
}

/** Runs of equal slices, in the order that `order` lists them. */
function runsOf(values: ElementArray, width: number, order: readonly number[]): { firsts: number[]; inverse: Int32Array; counts: number[] } {
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(order.length);
  order.forEach((slice, at) => {
    const before = order[at - 1];
    if (before === undefined || compareSlices(values, width, before, slice) !== 0) {
      firsts.push(slice);
      counts.push(0);
    }
    const run = firsts.length - 1;
    counts[run] = (counts[run] ?? 0) + 1;
    inverse[slice] = run;
  });
  return { firsts, inverse, counts };
}

async function different(op: string, x: Tensor, options: { readonly axis?: number }, sorted: boolean): Promise<Unique> {
  requireOptions(op, options, '{ axis: 0 }');
  refuseTrace(op, 'sort keeps the shape: sort(x).values, and compare neighbours.');
  const { shape, runtime } = nodeOf(x, op);
  const axis = options.axis === undefined ? null : normalizeAxis(op, options.axis, shape.rank);
  const count = axis === null ? shape.size : (shape.dims[axis] ?? 0);
  if (axis !== null && shape.size === 0 && count > 0)
    throw new ArgumentError({ op, expected: 'slices that have elements', got: `shape [${shape.dims.join(', ')}]` });
  const { values, width } = await slicesOf(x, axis, count);
  const order = Array.from({ length: count }, (_, i) => i);
  if (sorted) order.sort((a, b) => compareSlices(values, width, a, b) || a - b);
  const { firsts, inverse, counts } = runsOf(values, width, order);
  const places = (list: ArrayLike<number>, dims?: Dims): Tensor =>
    tensor(Int32Array.from(list), { device: runtime.backend, ...(dims && { shape: dims }) });
  return compose(() => ({
    // Taken from x, so that gradients go back to where each occurs first.
    values: indexSelect(axis === null ? flatten(x) : x, places(firsts), { axis: axis ?? 0 }),
    inverse: places(inverse, axis === null ? shape.dims : [count]),
    counts: places(counts),
  }));
}

/** The elements, or the slices along an axis one behind the other, each of `width` numbers. */
async function slicesOf(x: Tensor, axis: number | null, count: number): Promise<{ values: ElementArray; width: number }> {
  if (axis === null || axis === 0) {
    const values = await data(x);
    return { values, width: axis === null ? 1 : values.length / Math.max(count, 1) };
  }
  const front = compose(() => copy(movedim(x, axis, 0)));
  try {
    const values = await data(front);
    return { values, width: values.length / Math.max(count, 1) };
  } finally {
    front.dispose();
  }
}

/**
 * The different elements of `x` in ascending order (`values`), where each of x went (`inverse`), and how often each occurs (`counts`). With an axis,
 * different slices along it, in lexicographic order. NaN differs from everything, itself too, as in PyTorch. The gradient of `values` goes to the
 * first occurrence.
 *
 * @throws AxisError; ArgumentError for slices without elements; TraceError in a compiled function
 */
export function unique(x: Tensor, options: { readonly axis?: number } = {}): Promise<Unique> {
  return different('unique', x, options, true);
}

/** The same of neighbours only: each run of equal elements once, in the order of x. @throws as {@link unique} */
export function uniqueConsecutive(x: Tensor, options: { readonly axis?: number } = {}): Promise<Unique> {
  return different('uniqueConsecutive', x, options, false);
}
