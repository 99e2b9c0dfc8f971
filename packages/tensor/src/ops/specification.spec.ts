/**
 * Test specifications: for each op a float64 reference on plain arrays, inputs to try, and tolerances. They stand beside the ops in
 * `*.spec.ts` files, which are never shipped; `test/ops.test.ts` makes tests of them.
 */

import type { Tensor } from '../tensor.ts';

/** A row-major array of float64: what references calculate with. */
export interface Reference {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** One input: its shape and the interval its values are drawn from. */
export interface InputSpecification {
  readonly dims: readonly number[];
  readonly low?: number;
  readonly high?: number;
  /** Draw whole numbers from [low, high), as int32; they get no gradient. */
  readonly whole?: boolean;
  /** Fixed values instead of drawn ones. */
  readonly values?: readonly number[];
}

/** What is tested of one op. */
export interface OpSpecification {
  readonly name: string;
  readonly run: (...inputs: Tensor[]) => Tensor;
  readonly reference: (...inputs: Reference[]) => Reference;
  /** Each case is a list of inputs. */
  readonly cases: readonly (readonly InputSpecification[])[];
  /** Has it a gradient? Default true. */
  readonly differentiable?: boolean;
  /** Largest relative error in float32 against the float64 reference. Default 2e-6. */
  readonly tolerance?: number;
}

/** Makes an array. */
export function array(dims: readonly number[], valueAt: (index: readonly number[], flat: number) => number): Reference {
  const size = dims.reduce((n, d) => n * d, 1);
  const data = new Float64Array(size);
  const index = dims.map(() => 0);
  for (let flat = 0; flat < size; flat++) {
    data[flat] = valueAt(index, flat);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (dims[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return { dims, data };
}

/** The element at `index`; NaN outside. */
export function at(x: Reference, index: readonly number[]): number {
  let flat = 0;
  for (const [axis, i] of index.entries()) {
    const size = x.dims[axis] ?? 1;
    if (i < 0 || i >= size) return NaN;
    flat = flat * size + i;
  }
  return x.data[flat] ?? NaN;
}

/** Shapes broadcast by brute force. */
function broadcastDims(all: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...all.map((d) => d.length));
  return Array.from(
    { length: rank },
    (_, i) => Math.max(...all.map((d) => d[i - rank + d.length] ?? 1), 0) * (all.some((d) => d[i - rank + d.length] === 0) ? 0 : 1),
  );
}

/** `f` at every place, with broadcasting. */
export function pointwise(f: (...values: number[]) => number): OpSpecification['reference'] {
  return (...inputs) => {
    const dims = broadcastDims(inputs.map((x) => x.dims));
    return array(dims, (index) =>
      f(
        ...inputs.map((x) =>
          at(
            x,
            index.slice(dims.length - x.dims.length).map((i, axis) => (x.dims[axis] === 1 ? 0 : i)),
          ),
        ),
      ),
    );
  };
}

/** Folds the values along `axes` into one. */
export function foldAxes(axes: readonly number[], keepDims: boolean, f: (values: number[]) => number): OpSpecification['reference'] {
  return (x) => {
    if (x === undefined) throw new Error('a fold needs an input');
    const folded = axes.map((a) => (a < 0 ? a + x.dims.length : a));
    const kept = x.dims.map((size, axis) => (folded.includes(axis) ? 1 : size));
    const full = array(kept, (index) => {
      const values: number[] = [];
      array(
        x.dims.map((size, axis) => (folded.includes(axis) ? size : 1)),
        (inner) => {
          values.push(
            at(
              x,
              index.map((i, axis) => i + (inner[axis] ?? 0)),
            ),
          );
          return 0;
        },
      );
      return f(values);
    });
    return keepDims ? full : { dims: x.dims.filter((_, axis) => !folded.includes(axis)), data: full.data };
  };
}
