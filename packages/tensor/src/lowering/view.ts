/**
 * Views: a block of elements seen through an offset and strides, and what movement ops do to them.
 *
 * Every function returns a new view, or null where strides cannot express the result (a reshape across a gap).
 */

import { rowMajorStrides } from '../graph/shape.ts';

/** Elements at `offset + Σ coordinate · stride`. */
export interface View {
  readonly dims: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The dense row-major view of `dims`. */
export function denseView(dims: readonly number[], offset = 0): View {
  return { dims, strides: rowMajorStrides(dims), offset };
}

/** Is it dense and row-major (whatever its offset)? Axes of one element do not matter. */
export function isDense(view: View): boolean {
  let expected = 1;
  for (let axis = view.dims.length - 1; axis >= 0; axis--) {
    const size = view.dims[axis] ?? 1;
    if (size === 0) return true;
    if (size !== 1 && view.strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Axis i of the result is axis `order[i]` of the view. */
export function permuteView(view: View, order: readonly number[]): View {
  return { dims: order.map((a) => view.dims[a] ?? 1), strides: order.map((a) => view.strides[a] ?? 0), offset: view.offset };
}

/** Broadcast to `dims`: new leading axes and axes of size 1 get stride 0. */
export function expandView(view: View, dims: readonly number[]): View {
  const added = dims.length - view.dims.length;
  const strides = dims.map((size, i) => (i < added || (view.dims[i - added] === 1 && size !== 1) ? 0 : (view.strides[i - added] ?? 0)));
  return { dims, strides, offset: view.offset };
}

/** Every `step`-th element from `start`, `dims` of them along each axis. */
export function sliceView(view: View, starts: readonly number[], steps: readonly number[], dims: readonly number[]): View {
  let { offset } = view;
  const strides = view.strides.map((stride, axis) => {
    offset += stride * (starts[axis] ?? 0);
    return stride * (steps[axis] ?? 1);
  });
  return { dims, strides, offset };
}

/** The same elements in row-major order as `dims`; null when that needs a copy. */
export function reshapeView(view: View, dims: readonly number[]): View | null {
  if (isDense(view)) return denseView(dims, view.offset);
  const from = view.dims.map((size, axis) => ({ size, stride: view.strides[axis] ?? 0 })).filter((a) => a.size !== 1);
  const strides = Array.from(dims, () => 0);
  let at = 0;
  let axis = 0;
  while (axis < dims.length) {
    if (dims[axis] === 1) {
      axis++;
      continue;
    }
    // Match one run of old axes with one run of new axes of the same number of elements.
    const first = at;
    let old = from[at++]?.size ?? 1;
    const start = axis;
    let fresh = dims[axis++] ?? 1;
    while (old !== fresh) {
      if (old < fresh) old *= from[at++]?.size ?? 1;
      else fresh *= dims[axis++] ?? 1;
      if (at > from.length || axis > dims.length) return null;
    }
    for (let i = first; i + 1 < at; i++) {
      const here = from[i];
      const next = from[i + 1];
      if (here === undefined || next === undefined || here.stride !== next.stride * next.size) return null;
    }
    let stride = from[at - 1]?.stride ?? 0;
    for (let i = axis - 1; i >= start; i--) {
      strides[i] = stride;
      stride *= dims[i] ?? 1;
    }
  }
  return { dims, strides, offset: view.offset };
}
