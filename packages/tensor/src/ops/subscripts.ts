/**
 * Subscripts as in NumPy and PyTorch: integers, ranges, an ellipsis, new axes, tensors of integers, and masks.
 *
 * Integers, ranges and new axes come first and are views. Then tensors of indices, broadcast together, pick from the axes that they stand at:
 * one gather of whole slices, through one index into those axes as if they were one.
 */

import { ArgumentError, AxisError, DTypeError, ShapeError } from '../errors.ts';
import { broadcastShapes, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import type { Dims } from '../tensor.ts';
import { showValue } from '../values.ts';
import { add, greaterEqual, less, logicalAnd, mul, where } from './arithmetic.ts';
import { toDType } from './convert.ts';
import { nonzero, refuseTrace } from './dynamic.ts';
import { expand } from './expand.ts';
import { indexSelect, requireWithin, scatterAdd } from './indexing.ts';
import { permute, slice } from './movement.ts';
import type { Range } from './movement.ts';
import { apartFrom } from './own-handles.ts';
import { ramp } from './positions.ts';
import { reshape } from './reshape.ts';
import { scatter, valueLike } from './scattering.ts';

/**
 * One subscript: an integer, which drops its axis; a range `{ start, end, step }` (`{}` for all of an axis); `'...'` for as many whole axes as are
 * left over; `null` for a new axis of size 1; or a tensor, of integers or a mask.
 */
export type Subscript = Range | '...' | null | Tensor;

/** A tensor of indices, and the axis that it stands at after everything else is done. */
interface Picked {
  readonly axis: number;
  readonly index: Tensor;
}

/** What is left to pick from, and by what. */
interface Basic {
  readonly part: Tensor;
  readonly picked: readonly Picked[];
}

/** `'...'` written out, and whole axes at the end. @throws AxisError, ArgumentError, DTypeError */
function resolved(op: string, rank: number, subscripts: readonly Subscript[]): readonly Exclude<Subscript, '...'>[] {
  if (!Array.isArray(subscripts))
    throw new ArgumentError({ op, expected: 'subscripts in an array', got: showValue(subscripts), fix: `call ${op}(x, [0, '...', { start: 1 }]).` });
  const list = subscripts as readonly Subscript[];
  const dots = list.filter((part) => part === '...').length;
  if (dots > 1) throw new ArgumentError({ op, expected: "at most one '...'", got: String(dots) });
  const taken = list.filter((part) => part !== null && part !== '...').length;
  if (taken > rank) throw new AxisError({ op, expected: `at most ${rank} subscripts`, got: String(taken) });
  const whole = Array.from({ length: rank - taken }, (): Range => ({}));
  const full = dots === 0 ? [...list, ...whole] : list.flatMap((part) => (part === '...' ? whole : [part]));
  return full.map((part) => {
    if (part instanceof Tensor) return requireIndexTensor(op, part);
    if (part !== null && typeof part !== 'number' && (typeof part !== 'object' || Array.isArray(part)))
      throw new ArgumentError({ op, expected: "an integer, a range, null, '...' or a tensor", got: showValue(part) });
    return part;
  });
}

function requireIndexTensor(op: string, given: Tensor): Tensor {
  if (nodeOf(given, op).dtype === 'bool')
    throw new DTypeError({ op, expected: 'integer indices', got: 'bool', fix: 'use indexMasked, which reads masks; or where(mask, x, fill).' });
  return given;
}

/** Integers, ranges and new axes applied. */
function basic(op: string, x: Tensor, subscripts: readonly Subscript[]): Basic {
  const parts = resolved(op, nodeOf(x, op).shape.rank, subscripts);
  const ranges = parts.filter((part) => part !== null).map((part): Range => (part instanceof Tensor ? {} : part));
  const cut = slice(x, ranges);
  const picked: Picked[] = [];
  const dims: number[] = [];
  let at = 0;
  for (const part of parts) {
    if (part instanceof Tensor) picked.push({ axis: dims.length, index: part });
    if (typeof part === 'number') continue;
    dims.push(part === null ? 1 : (cut.shape[at++] ?? 1));
  }
  for (const pick of picked) requireWithin(op, pick.index, dims[pick.axis] ?? 1);
  return { part: reshape(cut, dims), picked };
}

/** The axes that are picked from in front, as one, and one index into it, of the shape that the indices broadcast to. */
interface Flat {
  readonly part: Tensor;
  readonly index: Tensor;
  /** Sizes of the axes that are not picked from. */
  readonly rest: Dims;
  /** Which axes are picked from, ascending. */
  readonly axes: readonly number[];
}

function flattened(op: string, { part, picked }: Basic): Flat {
  const { dims } = nodeOf(part, op).shape;
  const axes = picked.map(({ axis }) => axis);
  const others = dims.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  const shape = picked.map((pick) => nodeOf(pick.index, op).shape).reduce((a, b) => broadcastShapes(op, a, b));
  const total = axes.reduce((n, axis) => n * (dims[axis] ?? 1), 1);
  const steps = picked.map((pick) => placesAlong(pick.index, dims[pick.axis] ?? 1));
  const flat = steps.reduce((all, step) => ({
    place: add(mul(all.place, step.size), step.place),
    inside: logicalAnd(all.inside, step.inside),
    size: step.size,
  }));
  // One index out of range must not become another that is not.
  const single = where(flat.inside, flat.place, total);
  const rest = others.map((axis) => dims[axis] ?? 1);
  return { part: reshape(permute(part, [...axes, ...others]), [total, ...rest]), index: expand(single, shape.dims), rest, axes };
}

/** Indices counted from the beginning of an axis of `size`, and whether they lie within. */
function placesAlong(given: Tensor, size: number): { readonly place: Tensor; readonly inside: Tensor; readonly size: number } {
  const raw = toDType(given, 'int32');
  const place = where(less(raw, 0), add(raw, size), raw);
  return { place, inside: logicalAnd(greaterEqual(place, 0), less(place, size)), size };
}

/**
 * A part of `x`, by one subscript for each of its leading axes: `index(x, [0, '...', { end: 2 }, null])`. Integers and ranges alone give a view.
 *
 * Tensors of integers are broadcast together and take the place of the axes that they stand at; where other axes lie between them, theirs come
 * first, as in PyTorch and NumPy. Negative integers count from the end. Differentiable in x.
 *
 * @throws IndexError for an integer out of range (of tensors where they can be checked at the call; elsewhere NaN, 0 for integers); AxisError,
 * ShapeError, ArgumentError; DTypeError for masks: see {@link indexMasked}
 */
export function index(x: Tensor, subscripts: readonly Subscript[]): Tensor {
  return compose(() => {
    const found = basic('index', x, subscripts);
    if (found.picked.length === 0) return apartFrom(x, found.part);
    const flat = flattened('index', found);
    const rows = indexSelect(flat.part, flat.index);
    const first = flat.axes[0] ?? 0;
    const adjacent = flat.axes.every((axis, i) => axis === first + i);
    if (!adjacent || first === 0) return rows;
    const own = flat.index.shape.length;
    const before = Array.from({ length: first }, (_, i) => own + i);
    const after = Array.from({ length: flat.rest.length - first }, (_, i) => own + first + i);
    return permute(rows, [...before, ...Array.from({ length: own }, (_, i) => i), ...after]);
  });
}

/**
 * `x` with `values` in the part that the subscripts name, or added to it with `accumulate`. Of several values for one place the last stays.
 *
 * @param values a number or a tensor that broadcasts to that part; cast to the dtype of x
 * @throws as {@link index}; ShapeError when values do not broadcast
 */
export function indexPut(
  x: Tensor,
  subscripts: readonly Subscript[],
  values: Tensor | number,
  options: { readonly accumulate?: boolean } = {},
): Tensor {
  const { shape, dtype, runtime } = nodeOf(x, 'indexPut');
  return compose(() => {
    // The places of the part, found by taking the same part of all places.
    const places = index(reshape(ramp(0, 1, shape.size, 'int32', runtime), shape.dims), subscripts);
    const source = values instanceof Tensor ? reshape(expand(toDType(values, dtype), places.shape), [-1]) : values;
    const line = reshape(x, [shape.size]);
    const flat = reshape(places, [-1]);
    const write =
      options.accumulate === true
        ? scatterAdd(line, flat, typeof source === 'number' ? valueLike(line, source) : source, { axis: 0 })
        : scatter(line, flat, source, { axis: 0 });
    return reshape(write, shape.dims);
  });
}

/**
 * {@link index} with masks among the subscripts: tensors of bool that stand for as many axes as they have, and pick the places where they are true.
 * They are read, so the result is a promise.
 *
 * @throws as index; ShapeError when a mask does not have the sizes of its axes; TraceError in a compiled function
 */
export async function indexMasked(x: Tensor, subscripts: readonly Subscript[]): Promise<Tensor> {
  const op = 'indexMasked';
  refuseTrace(op, 'keep the shape with where(mask, x, fill).');
  const { dims, rank } = nodeOf(x, op).shape;
  if (!Array.isArray(subscripts))
    throw new ArgumentError({ op, expected: 'subscripts in an array', got: showValue(subscripts), fix: 'call indexMasked(x, [mask]).' });
  const list = subscripts as readonly Subscript[];
  const width = (part: Subscript): number => (part === null || part === '...' ? 0 : isMask(part) ? nodeOf(part, op).shape.rank : 1);
  const taken = list.map(width).reduce((n, own) => n + own, 0);
  let axis = 0;
  const plain: Subscript[] = [];
  const pending: (readonly [number, Tensor])[] = [];
  for (const part of list) {
    if (isMask(part)) {
      const mask = nodeOf(part, op).shape;
      const own = dims.slice(axis, axis + mask.rank);
      if (mask.rank === 0 || showDims(mask.dims) !== showDims(own))
        throw new ShapeError({ op, expected: `a mask with the sizes of its axes, ${showDims(own)}`, got: showDims(mask.dims) });
      pending.push([plain.length, part]);
      plain.push(...Array.from({ length: mask.rank }, () => null));
    } else plain.push(part);
    axis += part === '...' ? rank - taken : width(part);
  }
  const found = await Promise.all(pending.map(async ([at, mask]) => [at, await nonzero(mask)] as const));
  for (const [at, places] of found) {
    const count = places.shape[1] ?? 0;
    for (let i = 0; i < count; i++) plain[at + i] = slice(places, [null, i]);
  }
  return index(x, plain);
}

function isMask(part: Subscript): part is Tensor {
  return part instanceof Tensor && nodeOf(part, 'indexMasked').dtype === 'bool';
}
