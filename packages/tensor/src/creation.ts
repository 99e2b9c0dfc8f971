/** Making tensors from numbers. */

import type { DType } from '@gradus/backend';
import { requireStorable } from './dtype-names.ts';
import { ArgumentError, DTypeError, ShapeError } from './errors.ts';
import { NO_ATTRIBUTE } from './graph/node.ts';
import { constantNode, recordView, scalarNode } from './graph/record.ts';
import { SCALAR_SHAPE, shapeOf, showDims } from './graph/shape.ts';
import { internalError } from './internal.ts';
import { dtypeOfArray, roundTo } from './memory/elements.ts';
import { compose } from './memory/scope.ts';
import { methodful } from './methods.ts';
import { toDType } from './ops/convert.ts';
import { equal, less, pow, where } from './ops/arithmetic.ts';
import { EXPAND } from './ops/expand.ts';
import { flip } from './ops/movement.ts';
import { arange as ramps, ramp, runtimeFor } from './ops/positions.ts';
import type { CreationOptions } from './ops/positions.ts';
import type { Runtime } from './runtime.ts';
import { isTensor, nodeOf } from './tensor.ts';
import type { Dims, Tensor } from './tensor.ts';
import { fromElements } from './transfer.ts';
import { showValue } from './values.ts';

/** Numbers or booleans, nested as deep as there are axes; or a typed array. */
export type TensorData = number | boolean | readonly TensorData[] | ArrayLike<number>;

/** Options of {@link tensor}. */
export interface TensorOptions<S extends Dims = Dims> extends CreationOptions {
  /** Sizes; by default those of the nested arrays. */
  readonly shape?: S;
  /** Default false. */
  readonly requiresGrad?: boolean;
}

/**
 * A tensor with the given elements: nested arrays of one depth, or a typed array with a shape.
 *
 * The dtype is that of a typed array, bool for booleans, else float32. Elements are copied.
 * @throws ShapeError for ragged arrays or a shape with another number of elements; DTypeError for a dtype the device cannot store
 */
export function tensor<const S extends Dims = Dims>(elements: TensorData, options: TensorOptions<S> = {}): Tensor<S> {
  const runtime = runtimeFor(options, 'tensor');
  const { values, dims, boolean } = flattenData(elements);
  const shape = shapeOf(options.shape ?? dims, 'tensor');
  if (shape.size !== values.length)
    throw new ShapeError({ op: 'tensor', expected: `${shape.size} elements for shape ${showDims(shape.dims)}`, got: String(values.length) });
  const dtype = options.dtype ?? (boolean ? 'bool' : (dtypeOfArray(values) ?? 'float32'));
  const made = methodful(fromElements('tensor', values, shape, dtype, runtime));
  if (options.requiresGrad === true) made.requiresGrad = true;
  return made as Tensor<S>;
}

function flattenData(elements: TensorData): { values: ArrayLike<number>; dims: number[]; boolean: boolean } {
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) throw notNumbers(elements);
  if (ArrayBuffer.isView(elements) && isList(elements)) {
    const values = elements as unknown as ArrayLike<number>;
    return { values, dims: [values.length], boolean: false };
  }
  const dims: number[] = [];
  for (let level: unknown = elements; isList(level); level = level[0]) dims.push(level.length);
  const values: number[] = [];
  let boolean = true;
  const visit = (part: unknown, axis: number): void => {
    if (isList(part)) {
      if (part.length !== dims[axis]) throw ragged(dims);
      for (let i = 0; i < part.length; i++) visit(part[i], axis + 1);
      return;
    }
    if (axis !== dims.length) throw ragged(dims);
    if (typeof part !== 'number' && typeof part !== 'boolean') throw notNumbers(part);
    boolean &&= typeof part === 'boolean';
    values.push(Number(part));
  };
  visit(elements, 0);
  return { values, dims, boolean: boolean && values.length > 0 };
}

function notNumbers(given: unknown): DTypeError {
  const bigInts = typeof given === 'bigint' || given instanceof BigInt64Array || given instanceof BigUint64Array;
  const fix = isTensor(given)
    ? 'join tensors with stack([a, b]); copy one with t.copy().'
    : bigInts
      ? 'convert them: Int32Array.from(values, Number).'
      : null;
  return new DTypeError({ op: 'tensor', expected: 'numbers or booleans', got: showValue(given), ...(fix !== null && { fix }) });
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function ragged(dims: readonly number[]): ShapeError {
  return new ShapeError({
    op: 'tensor',
    expected: `arrays nested evenly, as the first one is: ${showDims(dims)}`,
    got: 'ragged arrays',
    fix: 'pad the shorter ones.',
  });
}

/** All 0. @throws ShapeError */
export function zeros<const S extends Dims>(shape: S, options: CreationOptions = {}): Tensor<S> {
  return constant('zeros', 0, shape, options) as Tensor<S>;
}

/** All 1. @throws ShapeError */
export function ones<const S extends Dims>(shape: S, options: CreationOptions = {}): Tensor<S> {
  return constant('ones', 1, shape, options) as Tensor<S>;
}

function constant(op: string, value: number, shape: Dims, options: CreationOptions): Tensor {
  const runtime = runtimeFor(options, op);
  const dtype = options.dtype ?? 'float32';
  requireStorable(op, dtype, runtime.backend);
  return methodful(constantNode(value, shapeOf(shape, op), dtype, runtime));
}

/** All `value`. @throws ShapeError */
export function full<const S extends Dims>(shape: S, value: number, options: CreationOptions = {}): Tensor<S> {
  const runtime = runtimeFor(options, 'full');
  const dtype = options.dtype ?? 'float32';
  requireStorable('full', dtype, runtime.backend);
  const one = methodful(scalarNode(roundTo(value, dtype), dtype, runtime));
  const target = shapeOf(shape, 'full');
  if (target === SCALAR_SHAPE) return one as Tensor<S>;
  const wide = recordView(EXPAND, nodeOf(one, 'full'), target, NO_ATTRIBUTE) ?? internalError('a broadcast needs no copy');
  one.dispose();
  return wide as Tensor<S>;
}

/** All 0, like `x` in shape, dtype and device. */
export function zerosLike(x: Tensor): Tensor {
  const { shape, dtype, runtime } = nodeOf(x, 'zerosLike');
  return methodful(constantNode(0, shape, dtype, runtime));
}

/** All 1, like `x` in shape, dtype and device. */
export function onesLike(x: Tensor): Tensor {
  const { shape, dtype, runtime } = nodeOf(x, 'onesLike');
  return methodful(constantNode(1, shape, dtype, runtime));
}

/** All `value`, like `x` in shape and device, and in dtype unless another is given. */
export function fullLike(x: Tensor, value: number, options: { readonly dtype?: DType } = {}): Tensor {
  const { shape, dtype, runtime } = nodeOf(x, 'fullLike');
  return full(shape.dims, value, { dtype: options.dtype ?? dtype, device: runtime.backend });
}

/** Numbers from `start` (default 0) up to, without, `end`, by `step` (default 1). int32 when all three are whole, else float32. */
export const arange: typeof ramps = (first: number, second?: number | CreationOptions, step?: number, options?: CreationOptions): Tensor => {
  const made = typeof second === 'number' ? ramps(first, second, step, options) : ramps(first, second);
  return methodful(made);
};

/**
 * `count` numbers from `start` to `end`, both included and exact, evenly spaced: each counted from the nearer end. Integers are rounded towards 0.
 *
 * @throws ArgumentError for a count that is no whole number of at least 0
 */
export function linspace(start: number, end: number, count: number, options: CreationOptions = {}): Tensor {
  const runtime = runtimeFor(options, 'linspace');
  const dtype = options.dtype ?? 'float32';
  requireStorable('linspace', dtype, runtime.backend);
  requireCount('linspace', count);
  return methodful(compose(() => toDType(spaced(start, end, count, calculatedIn(dtype), runtime), dtype)));
}

/** Integers and 16-bit floats are calculated as float32. */
const calculatedIn = (dtype: DType): DType => (dtype === 'float64' ? dtype : 'float32');

function spaced(start: number, end: number, count: number, dtype: DType, runtime: Runtime): Tensor {
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  const up = ramp(start, step, count, dtype, runtime);
  const down = ramp(end, -step, count, dtype, runtime);
  return where(less(ramp(0, 1, count, 'int32', runtime), Math.ceil(count / 2)), up, flip(down));
}

function requireCount(op: string, count: number): void {
  if (!Number.isInteger(count) || count < 0) throw new ArgumentError({ op, expected: 'a whole count of at least 0', got: showValue(count) });
}

/** `base` (default 10) to the powers {@link linspace} gives: from `base ** start` to `base ** end`. @throws ArgumentError */
export function logspace(start: number, end: number, count: number, options: CreationOptions & { readonly base?: number } = {}): Tensor {
  const runtime = runtimeFor(options, 'logspace');
  const dtype = options.dtype ?? 'float32';
  requireStorable('logspace', dtype, runtime.backend);
  requireCount('logspace', count);
  return methodful(compose(() => toDType(pow(options.base ?? 10, spaced(start, end, count, calculatedIn(dtype), runtime)), dtype)));
}

/** The identity matrix `[rows, columns]` (square by default). */
export function eye(rows: number, options: CreationOptions & { readonly columns?: number } = {}): Tensor {
  const runtime = runtimeFor(options, 'eye');
  const columns = options.columns ?? rows;
  const down = methodful(ramp(0, 1, rows, 'int32', runtime)).reshape([rows, 1]);
  return toDType(equal(down, ramp(0, 1, columns, 'int32', runtime)), options.dtype ?? 'float32');
}

/** 1 at each index along a new last axis of size `classes`, else 0. An index outside `[0, classes)` gives zeros alone. */
export function oneHot(index: Tensor, classes: number, options: { readonly dtype?: DType } = {}): Tensor {
  const { runtime } = nodeOf(index, 'oneHot');
  const places = ramp(0, 1, classes, 'int32', runtime);
  return toDType(equal(toDType(index, 'int32').unsqueeze(-1), places), options.dtype ?? 'float32');
}
