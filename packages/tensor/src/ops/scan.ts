/**
 * Running folds along an axis: cumulative sums, products, maxima and minima.
 *
 * Where the device claims the contract's `scan` kernel, one launch; elsewhere ⌈log₂ n⌉ maps over the whole tensor, each of which combines
 * every element with the one 1, 2, 4, … places before it. Hillis and Steele, "Data Parallel Algorithms", 1986.
 */

import { DTYPES, isFloat, isInteger } from '@gradus/backend';
import type { DType, FoldKind, Kernel } from '@gradus/backend';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { KernelPlan, OpDefinition, OpRow, OpSite } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { add, equal, isNaN, logicalOr, maximum, minimum, mul, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import { detach, toDType } from './convert.ts';
import { dense, isClaimed, kernelNamed, throughComposition } from './fast-path.ts';
import { logaddexp } from './exponentials.ts';
import { takeAlongAxis } from './indexing.ts';
import { pad, slice, transpose } from './movement.ts';
import { positionsAlong } from './positions.ts';
import { inWideFloat } from './reduce.ts';

/** Which elements a running fold covers: those up to its own place, or from there on; with or without its own. */
interface Direction {
  readonly reverse: boolean;
  readonly exclusive: boolean;
}

const FORWARD: Direction = { reverse: false, exclusive: false };

function scanKernel(fold: FoldKind, { reverse, exclusive }: Direction, dtype: DType): Kernel {
  return kernelNamed(`scan ${fold} ${reverse} ${exclusive} ${dtype}`, () => ({
    kind: 'scan',
    fold,
    reverse,
    exclusive,
    operands: [dense(dtype), dense(dtype, 'write')],
    scalars: [],
  }));
}

function planOf(fold: FoldKind, site: OpSite): KernelPlan {
  const columns = site.dims.at(-1) ?? 1;
  const rows = site.dims.slice(0, -1).reduce((n, d) => n * d, 1);
  return {
    kernel: scanKernel(fold, attributeValue<Direction>(site), site.dtype),
    sizes: [rows, columns],
    operands: [
      { input: 0, size: rows * columns },
      { output: 0, size: rows * columns },
    ],
    scalars: [],
  };
}

/** Input x, folded along its last axis. Attribute: the {@link Direction}. */
const scanRow = (name: string, fold: FoldKind, more: Pick<OpDefinition, 'gradient' | 'residuals'> = {}): OpRow =>
  row({ name, lowering: { kind: 'kernel', output: 0, plan: (site) => planOf(fold, site) }, ...more });

const ROWS: { readonly [F in FoldKind]: OpRow } = {
  sum: /* @__PURE__ */ scanRow('cumsum', 'sum', {
    gradient: (g, { attribute }) => {
      const { reverse, exclusive } = attribute as Direction;
      return [runningFold('sum', g, { reverse: !reverse, exclusive })];
    },
  }),
  // Through the maps, which only multiply: right where elements are 0, and so is the gradient of the gradient.
  prod: /* @__PURE__ */ scanRow('cumprod', 'prod', {
    residuals: 'inputs',
    gradient: (g, context) => throughComposition(1, (x) => composed('prod', x, context.attribute as Direction))(g, context),
  }),
  max: /* @__PURE__ */ scanRow('running max', 'max'),
  min: /* @__PURE__ */ scanRow('running min', 'min'),
};

const COMBINE: { readonly [F in FoldKind]: (a: Tensor, b: Tensor) => Tensor } = { sum: add, prod: mul, max: maximum, min: minimum };

/** What changes nothing when folded in. */
function identityOf(fold: FoldKind, dtype: DType): number {
  switch (fold) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    case 'max':
      return isFloat(dtype) ? -Infinity : DTYPES[dtype].min;
    case 'min':
      return isFloat(dtype) ? Infinity : DTYPES[dtype].max;
    default:
      return fold satisfies never;
  }
}

/** The fold along the last axis as maps: of `combine`, which `identity` leaves alone. */
function inSteps(combine: (a: Tensor, b: Tensor) => Tensor, identity: number, x: Tensor, { reverse, exclusive }: Direction): Tensor {
  const { shape } = nodeOf(x, 'scan');
  const columns = shape.dims.at(-1) ?? 1;
  const whole = shape.dims.slice(0, -1).map(() => null);
  /** Every element `by` places further on, with the identity before the first. */
  const moved = (t: Tensor, by: number): Tensor => {
    const widths = shape.dims.map((_, axis): [number, number] => (axis < shape.rank - 1 ? [0, 0] : reverse ? [0, by] : [by, 0]));
    return slice(pad(t, widths, { value: identity }), [...whole, reverse ? { start: by } : { end: columns }]);
  };
  let total = x;
  for (let by = 1; by < columns; by *= 2) total = combine(total, moved(total, by));
  return exclusive ? moved(total, 1) : total;
}

/** The same, with 16-bit floats rounded at the end only. */
function composed(fold: FoldKind, x: Tensor, direction: Direction): Tensor {
  const { dtype } = nodeOf(x, 'scan');
  const narrow = dtype === 'float16' || dtype === 'bfloat16';
  const inThese = (t: Tensor, of: DType): Tensor => inSteps(COMBINE[fold], identityOf(fold, of), t, direction);
  return narrow ? toDType(inThese(toDType(x, 'float32'), 'float32'), dtype) : inThese(x, dtype);
}

/** The fold along the last axis, as the device runs it best. */
function runningFold(fold: FoldKind, x: Tensor, direction: Direction): Tensor {
  const node = nodeOf(x, 'scan');
  if (!isClaimed(x, scanKernel(fold, direction, node.dtype))) return composed(fold, x, direction);
  const { reverse, exclusive } = direction;
  return record(ROWS[fold], [node], node.shape, node.dtype, intern(`scan:${reverse}:${exclusive}`, { reverse, exclusive } satisfies Direction));
}

/** Options of cumulative sums and products. */
export interface ScanOptions {
  /** The axis to run along. */
  readonly axis: number;
  /** From the last element backwards. Default false. */
  readonly reverse?: boolean;
  /** Without the element's own place, so that the first result is that of nothing: 0 or 1. Default false. */
  readonly exclusive?: boolean;
}

function accumulated(op: string, fold: 'sum' | 'prod', x: Tensor, options: ScanOptions): Tensor {
  const { dtype, shape } = nodeOf(x, op);
  requireOptions(op, options, '{ axis: 1 }');
  const axis = normalizeAxis(op, options.axis, shape.rank);
  const direction: Direction = { reverse: options.reverse ?? false, exclusive: options.exclusive ?? false };
  return compose(() => {
    const wide = dtype === 'bool' || (isInteger(dtype) && dtype !== 'uint32') ? toDType(x, 'int32') : x;
    return transpose(runningFold(fold, transpose(wide, axis, -1), direction), axis, -1);
  });
}

/** Running sum along `axis`: element i is the sum of elements 0 to i. Integers and bool add up as int32. @throws AxisError */
export function cumsum(x: Tensor, options: ScanOptions): Tensor {
  return accumulated('cumsum', 'sum', x, options);
}

/**
 * Running product along `axis`: element i is the product of elements 0 to i. Small integers multiply as int32. Its gradient is right where
 * elements are 0. @throws AxisError
 */
export function cumprod(x: Tensor, options: ScanOptions): Tensor {
  return accumulated('cumprod', 'prod', x, options);
}

/**
 * Running `log Σ exp(x)` along `axis`: element i is that of elements 0 to i, without overflow. ⌈log₂ n⌉ maps on every device, so that it
 * differentiates to any order. @throws AxisError
 */
export function logcumsumexp(x: Tensor, options: { readonly axis: number }): Tensor {
  requireOptions('logcumsumexp', options, '{ axis: 1 }');
  const axis = normalizeAxis('logcumsumexp', options.axis, nodeOf(x, 'logcumsumexp').shape.rank);
  return inWideFloat('logcumsumexp', x, (wide) => transpose(inSteps(logaddexp, -Infinity, transpose(wide, axis, -1), FORWARD), axis, -1));
}

/** Values, and the places along the axis that they come from, as int32. */
export interface ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;
}

function runningExtreme(op: string, fold: 'max' | 'min', x: Tensor, options: { readonly axis: number }): ValuesAndIndices {
  const { dtype, shape } = nodeOf(x, op);
  requireOptions(op, options, '{ axis: 1 }');
  const axis = normalizeAxis(op, options.axis, shape.rank);
  return compose(() => {
    const numbers = transpose(detach(dtype === 'bool' ? toDType(x, 'uint8') : x), axis, -1);
    const extreme = equal(numbers, runningFold(fold, numbers, FORWARD));
    const wins = isFloat(dtype) ? logicalOr(extreme, isNaN(numbers)) : extreme;
    const places = where(wins, positionsAlong(numbers, shape.rank - 1), 0);
    const indices = transpose(runningFold('max', places, FORWARD), axis, -1);
    return { values: takeAlongAxis(x, indices, { axis }), indices };
  });
}

/**
 * The largest element so far along `axis`, and its place: the last one among equals, as in PyTorch. NaN wins and stays. The gradient goes
 * to that place. @throws AxisError
 */
export function cummax(x: Tensor, options: { readonly axis: number }): ValuesAndIndices {
  return runningExtreme('cummax', 'max', x, options);
}

/** The smallest element so far along `axis`, and its place: the last one among equals. NaN wins and stays. @throws AxisError */
export function cummin(x: Tensor, options: { readonly axis: number }): ValuesAndIndices {
  return runningExtreme('cummin', 'min', x, options);
}
