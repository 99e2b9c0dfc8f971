/** Moving elements without touching them: permuting, slicing, flipping, joining, padding. */

import { apply, constant, where as select } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { ArgumentError, AxisError, IndexError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import type { Attribute } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { ExpressionContext, OpRow } from '../graph/op.ts';
import { promote } from '../graph/promotion.ts';
import { record, recordView } from '../graph/record.ts';
import { rowMajorStrides, shapeOf, showDims } from '../graph/shape.ts';
import type { Shape } from '../graph/shape.ts';
import { internalError } from '../internal.ts';
import { permuteView, sliceView } from '../lowering/view.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { normalizeAxes, normalizeAxis, requireOptions } from './arguments.ts';
import type { Axes } from './arguments.ts';
import { castNode } from './convert.ts';
import { reshape, unsqueeze } from './reshape.ts';

/** Refuses what came in place of an array: callers without types pass its elements one by one. */
function requireList(op: string, list: readonly unknown[], what: string, example: string): void {
  if (Array.isArray(list)) return;
  throw new ArgumentError({ op, expected: `${what} in an array`, got: showValue(list), fix: `call ${op}(${example}).` });
}

function requireTensors(op: string, tensors: readonly Tensor[], options: object): void {
  requireList(op, tensors, 'tensors', '[a, b]');
  requireOptions(op, options, '{ axis: 1 }');
}

const noCopy = (view: Tensor | null): Tensor => view ?? internalError('strides always say this');

/** Axis i of the result is axis `order[i]`. */
const PERMUTE: OpRow = /* @__PURE__ */ row({
  name: 'permute',
  lowering: {
    kind: 'view',
    apply: (view, site) => permuteView(view, attributeValue<Dims>(site)),
    invert: (view, site) => permuteView(view, inverse(attributeValue<Dims>(site))),
  },
  gradient: (g, { attribute }) => [permute(g, inverse(attribute as Dims))],
});

const inverse = (order: Dims): number[] => order.map((_, axis) => order.indexOf(axis));

/** Shape and attribute of a permutation. */
interface Permutation {
  readonly shape: Shape;
  readonly attribute: Attribute;
}

/** By shape and order: the same transposes come again in every step. */
const permutations = new WeakMap<Shape, Map<string, Permutation>>();

function permutation(shape: Shape, order: Dims): Permutation {
  const key = order.join();
  const known = permutations.get(shape) ?? new Map<string, Permutation>();
  let found = known.get(key);
  if (found === undefined) {
    const { dims, rank } = shape;
    const axes = order.map((axis) => normalizeAxis('permute', axis, rank));
    if (axes.length !== rank || new Set(axes).size !== rank)
      throw new AxisError({ op: 'permute', expected: `each of ${rank} axes once`, got: showDims(order) });
    found = { shape: shapeOf(axes.map((axis) => dims[axis] ?? 1)), attribute: intern(`permute:${axes.join()}`, axes) };
    permutations.set(shape, known.set(key, found));
  }
  return found;
}

/** Axis i of the result is axis `order[i]` of `x`; a view. @throws AxisError unless `order` names each axis once */
export function permute(x: Tensor, order: Dims): Tensor {
  const node = nodeOf(x, 'permute');
  requireList('permute', order, 'axes', '[1, 0]');
  const { shape, attribute } = permutation(node.shape, order);
  return noCopy(recordView(PERMUTE, node, shape, attribute));
}

/** Exchanges two axes (the last two by default); a view. @throws AxisError */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const { rank } = nodeOf(x, 'transpose').shape;
  const first = normalizeAxis('transpose', a, rank);
  const second = normalizeAxis('transpose', b, rank);
  const order = Array.from({ length: rank }, (_, axis) => (axis === first ? second : axis === second ? first : axis));
  return permute(x, order);
}

interface SliceAttribute {
  readonly starts: Dims;
  readonly steps: Dims;
}

/** Every `step`-th element from `start`. */
const SLICE: OpRow = /* @__PURE__ */ row({
  name: 'slice',
  lowering: {
    kind: 'view',
    apply: (view, site) => {
      const { starts, steps } = attributeValue<SliceAttribute>(site);
      return sliceView(view, starts, steps, site.dims);
    },
  },
  gradient: (g, { inputs: [x], attribute }) => [x === undefined ? null : unslice(g, attribute as SliceAttribute, x.shape, 0)],
});

/** A range of one axis: `[start, end)` by `step`, as in Python; or one index, which drops the axis. */
export type Range = number | { readonly start?: number; readonly end?: number; readonly step?: number };

/** Parts of the leading axes; `null` takes a whole axis. A view. @throws IndexError, AxisError, ArgumentError */
export function slice(x: Tensor, ranges: readonly (Range | null)[]): Tensor {
  const node = nodeOf(x, 'slice');
  requireList('slice', ranges, 'ranges', '[{ start: 0, end: 2 }]');
  const { dims, rank } = node.shape;
  if (ranges.length > rank) throw new AxisError({ op: 'slice', expected: `at most ${rank} ranges`, got: String(ranges.length) });
  const starts: number[] = [];
  const steps: number[] = [];
  const sizes: number[] = [];
  const dropped: number[] = [];
  dims.forEach((size, axis) => {
    const range = ranges[axis] ?? null;
    if (typeof range === 'number') dropped.push(axis);
    const { start, step, length } = typeof range === 'number' ? single(range, size, axis) : resolveRange(range ?? {}, size);
    starts.push(start);
    steps.push(step);
    sizes.push(length);
  });
  const attribute = intern(`slice:${starts.join()}:${steps.join()}`, { starts, steps } satisfies SliceAttribute);
  const part = noCopy(recordView(SLICE, node, shapeOf(sizes), attribute));
  return dropped.length === 0
    ? part
    : reshape(
        part,
        sizes.filter((_, axis) => !dropped.includes(axis)),
      );
}

function single(index: number, size: number, axis: number): { start: number; step: number; length: number } {
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new IndexError({
      op: 'slice',
      expected: size === 0 ? `no index along axis ${axis} of size 0` : `an index from ${-size} to ${size - 1} along axis ${axis}`,
      got: String(index),
    });
  }
  return { start: index < 0 ? index + size : index, step: 1, length: 1 };
}

function resolveRange(range: Exclude<Range, number>, size: number): { start: number; step: number; length: number } {
  const step = range.step ?? 1;
  if (!Number.isInteger(step) || step === 0) throw new ArgumentError({ op: 'slice', expected: 'a whole step other than 0', got: String(step) });
  const odd = [range.start, range.end].find((at) => at !== undefined && !Number.isInteger(at));
  if (odd !== undefined) throw new ArgumentError({ op: 'slice', expected: 'whole bounds', got: String(odd) });
  const clip = (at: number, low: number, high: number): number => Math.min(Math.max(at < 0 ? at + size : at, low), high);
  const start = range.start === undefined ? (step > 0 ? 0 : size - 1) : step > 0 ? clip(range.start, 0, size) : clip(range.start, -1, size - 1);
  const end = range.end === undefined ? (step > 0 ? size : -1) : step > 0 ? clip(range.end, 0, size) : clip(range.end, -1, size - 1);
  const length = Math.max(0, Math.ceil((end - start) / step));
  return { start: length === 0 ? 0 : start, step, length };
}

/** Reverses axes (all by default); a view. @throws AxisError */
export function flip(x: Tensor, options: { readonly axis?: Axes } = {}): Tensor {
  const { rank } = nodeOf(x, 'flip').shape;
  requireOptions('flip', options, '{ axis: 0 }');
  const axes = normalizeAxes('flip', options.axis, rank);
  return slice(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? { step: -1 } : null)),
  );
}

interface UnsliceAttribute extends SliceAttribute {
  readonly fill: number;
}

/** The input spread out into a larger, filled tensor: what slicing takes out, put back. */
const UNSLICE: OpRow = /* @__PURE__ */ row({
  name: 'unslice',
  lowering: { kind: 'elementwise', indexed: [0], express: (_, context) => spread(context) },
  gradient: (g, { inputs: [x], attribute }) => {
    const { starts, steps } = attribute as UnsliceAttribute;
    if (x === undefined) return [null];
    const node = nodeOf(g, 'slice');
    return [
      noCopy(recordView(SLICE, node, shapeOf(x.shape), intern(`slice:${starts.join()}:${steps.join()}`, { starts, steps } satisfies SliceAttribute))),
    ];
  },
});

/** For each axis, which element of the input belongs here, if any: (coordinate - start) / step, whole and in range. */
function spread(context: ExpressionContext): Expression {
  const { starts, steps, fill } = attributeValue<UnsliceAttribute>(context);
  const dims = context.inputs[0]?.dims ?? [];
  const strides = rowMajorStrides(dims);
  const zero = constant('int32', 0);
  let position: Expression = zero;
  let inside: Expression = constant('bool', 1);
  dims.forEach((size, axis) => {
    const coordinate = context.position(dims.map((_, i) => (i === axis ? 1 : 0)));
    const step = steps[axis] ?? 1;
    const moved = apply('subtract', coordinate, context.size(starts[axis] ?? 0));
    const index = step === 1 ? moved : apply('divide', moved, context.size(step));
    const inRange = apply('and', apply('lessEqual', zero, index), apply('less', index, context.size(size)));
    const whole = step === 1 ? inRange : apply('and', inRange, apply('equal', apply('remainder', moved, context.size(step)), zero));
    inside = apply('and', inside, whole);
    position = apply('add', position, apply('multiply', index, context.size(strides[axis] ?? 1)));
  });
  return context.gather(0, select(inside, position, constant('int32', -1)), fill);
}

function unslice(x: Tensor, { starts, steps }: SliceAttribute, dims: Dims, fill: number): Tensor {
  const node = nodeOf(x, 'unslice');
  const attribute = intern(`unslice:${starts.join()}:${steps.join()}:${fill}`, { starts, steps, fill } satisfies UnsliceAttribute);
  return record(UNSLICE, [node], shapeOf(dims), node.dtype, attribute);
}

/** `x` with `[before, after]` cells of `value` (default 0) around each axis, listed from the first axis. @throws ShapeError, ArgumentError */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[], options: { readonly value?: number } = {}): Tensor {
  const { dims, rank } = nodeOf(x, 'pad').shape;
  requireList('pad', widths, 'pairs', '[[1, 1], [0, 2]]');
  if (widths.length !== rank) throw new ShapeError({ op: 'pad', expected: `a pair for each of ${rank} axes`, got: `${widths.length} pairs` });
  if (widths.some(([before, after]) => !(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0)))
    throw new ArgumentError({ op: 'pad', expected: 'whole widths of at least 0', got: JSON.stringify(widths) });
  const starts = widths.map(([before]) => before);
  return unslice(
    x,
    { starts, steps: starts.map(() => 1) },
    dims.map((size, axis) => size + (widths[axis]?.[0] ?? 0) + (widths[axis]?.[1] ?? 0)),
    options.value ?? 0,
  );
}

/** The inputs one behind the other along the axis in the attribute. */
const CONCATENATE: OpRow = /* @__PURE__ */ row({
  name: 'concatenate',
  lowering: { kind: 'concatenate', axis: (site) => attributeValue<number>(site) },
  gradient: (g, { inputs, attribute, needs }) => {
    const axis = attribute as number;
    let at = 0;
    return inputs.map((x, i) => {
      const start = at;
      at += x.shape[axis] ?? 0;
      return needs(i) ? slice(g, [...Array.from({ length: axis }, () => null), { start, end: at }]) : null;
    });
  },
});

/** Tensors joined along `axis` (default 0), promoted to one dtype. @throws ShapeError when the other axes differ */
export function concatenate(tensors: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  requireTensors('concatenate', tensors, options);
  const nodes = tensors.map((t) => nodeOf(t, 'concatenate'));
  const [first] = nodes;
  if (first === undefined) throw new ArgumentError({ op: 'concatenate', expected: 'at least one tensor', got: 'none' });
  const axis = normalizeAxis('concatenate', options.axis ?? 0, first.shape.rank);
  let total = 0;
  for (const node of nodes) {
    const { dims } = node.shape;
    if (dims.length !== first.shape.rank || dims.some((size, i) => i !== axis && size !== first.shape.dims[i])) {
      throw new ShapeError({
        op: 'concatenate',
        expected: `shapes equal to ${showDims(first.shape.dims)} except along axis ${axis}`,
        got: showDims(dims),
      });
    }
    total += dims[axis] ?? 0;
  }
  const dtype = nodes.reduce((common, node) => promote('concatenate', common, node.dtype), first.dtype);
  const shape = shapeOf(first.shape.dims.map((size, i) => (i === axis ? total : size)));
  return record(
    CONCATENATE,
    nodes.map((node) => castNode(node, dtype)),
    shape,
    dtype,
    intern(`concatenate:${axis}`, axis),
  );
}

/** Tensors of one shape along a new axis at `axis` (default 0). @throws ShapeError */
export function stack(tensors: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  requireTensors('stack', tensors, options);
  const axis = options.axis ?? 0;
  return concatenate(
    tensors.map((t) => unsqueeze(t, axis)),
    { axis },
  );
}

/** Cuts `x` along `axis` (default 0) into parts of these sizes, or into parts of one size (the last may be smaller); views. @throws ShapeError */
export function split(x: Tensor, sizes: number | Dims, options: { readonly axis?: number } = {}): Tensor[] {
  const { dims, rank } = nodeOf(x, 'split').shape;
  requireOptions('split', options, '{ axis: 1 }');
  const axis = normalizeAxis('split', options.axis ?? 0, rank);
  const whole = dims[axis] ?? 0;
  if (typeof sizes === 'number' && !(sizes >= 1)) throw new ArgumentError({ op: 'split', expected: 'parts of at least 1', got: String(sizes) });
  const parts = typeof sizes === 'number' ? Array.from({ length: Math.ceil(whole / sizes) }, (_, i) => Math.min(sizes, whole - i * sizes)) : sizes;
  if (parts.reduce((sum, n) => sum + n, 0) !== whole)
    throw new ShapeError({ op: 'split', expected: `sizes that add up to ${whole}`, got: showDims(parts) });
  let at = 0;
  return parts.map((size) => {
    const start = at;
    at += size;
    return slice(x, [...Array.from({ length: axis }, () => null), { start, end: at }]);
  });
}
