/**
 * Index spaces: coalesced to as few axes as their strides allow, so that kernels run flat loops and share code across ranks;
 * and the layout of an operand in one.
 */

import type { Layout } from '@gradus/backend';
import type { View } from './view.ts';

/** The final axes of an index space. */
export interface Space {
  readonly sizes: readonly number[];
  /** For each axis, the old axis whose stride it takes. */
  readonly axes: readonly number[];
}

/** Axes as they are. */
export function plainSpace(sizes: readonly number[]): Space {
  return { sizes, axes: sizes.map((_, axis) => axis) };
}

/** Axes `from` up to `to` of `dims`: neighbours that every view walks as one are merged, axes of size 1 dropped. */
export function coalesce(dims: readonly number[], from: number, to: number, views: readonly View[]): Space {
  const sizes: number[] = [];
  const axes: number[] = [];
  for (let axis = from; axis < to; axis++) {
    const size = dims[axis] ?? 1;
    if (size === 1) continue;
    const last = axes.at(-1);
    if (last !== undefined && views.every((v) => v.strides[last] === (v.strides[axis] ?? 0) * size)) {
      sizes[sizes.length - 1] = (sizes.at(-1) ?? 1) * size;
      axes[axes.length - 1] = axis;
    } else {
      sizes.push(size);
      axes.push(axis);
    }
  }
  return { sizes, axes };
}

/** One space behind the other. */
export function join(a: Space, b: Space): Space {
  return { sizes: [...a.sizes, ...b.sizes], axes: [...a.axes, ...b.axes] };
}

/** The strides of a view along the final axes. */
export function stridesIn(space: Space, view: View): number[] {
  return space.axes.map((axis) => view.strides[axis] ?? 0);
}

/** `contiguous`, broadcast or strided, by sizes and strides. */
export function layoutOf(sizes: readonly number[], strides: readonly number[]): Layout {
  const broadcast = strides.map((stride, axis) => stride === 0 && sizes[axis] !== 1);
  let dense = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const size = sizes[axis] ?? 1;
    if (size === 1 || broadcast[axis] === true) continue;
    if (strides[axis] !== dense) return 'strided';
    dense *= size;
  }
  return broadcast.includes(true) ? { broadcast } : 'contiguous';
}
