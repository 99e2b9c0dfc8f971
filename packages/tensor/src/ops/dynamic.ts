/** Ops whose result's shape depends on values: they have to read first, so they return promises, and a compiled function refuses them. */

import { ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { tracing } from '../graph/tracing.ts';
import { tensor } from '../creation.ts';
import { data } from '../read.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { toDType } from './convert.ts';
import { takeAlongAxis } from './indexing.ts';
import { reshape } from './reshape.ts';

/** @throws TraceError in a trace */
export function refuseTrace(op: string, instead: string): void {
  tracing.active?.refuse({ op, expected: 'shapes that do not depend on values inside a compiled function', got: `${op}(…)`, fix: instead });
}

/** Places of elements that are not 0, in row-major order. */
async function placesOf(x: Tensor): Promise<number[]> {
  return [...(await data(x))].flatMap((value, place) => (value === 0 ? [] : [place]));
}

/**
 * Coordinates of the elements that are not 0, in row-major order: int32 `[count, rank]`.
 *
 * @throws TraceError in a compiled function: there, weigh elements with `where(x.notEqual(0), …)` instead of picking them
 */
export async function nonzero(x: Tensor): Promise<Tensor> {
  refuseTrace('nonzero', 'keep the shape: where(x.notEqual(0), value, 0) counts only those elements.');
  const { shape, runtime } = nodeOf(x, 'nonzero');
  const coordinates = (await placesOf(x)).flatMap((place) => shape.dims.map((size, axis) => Math.floor(place / (shape.strides[axis] ?? 1)) % size));
  const count = shape.rank === 0 ? 0 : coordinates.length / shape.rank;
  return tensor(Int32Array.from(coordinates), { shape: [count, shape.rank], device: runtime.backend });
}

/**
 * The elements of `x` where `mask` is true, in row-major order: `[count]`. Differentiable in x.
 *
 * @param mask shaped like x
 * @throws ShapeError; TraceError in a compiled function: there, `where(mask, x, fill)` keeps the shape
 */
export async function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor> {
  refuseTrace('maskedSelect', 'keep the shape with where(mask, x, fill).');
  const { shape, runtime } = nodeOf(x, 'maskedSelect');
  const other = nodeOf(mask, 'maskedSelect').shape;
  if (other !== shape) throw new ShapeError({ op: 'maskedSelect', expected: `a mask of shape ${showDims(shape.dims)}`, got: showDims(other.dims) });
  const places = tensor(Int32Array.from(await placesOf(toDType(mask, 'bool'))), { device: runtime.backend });
  return takeAlongAxis(reshape(x, [-1]), places, { axis: 0 });
}
