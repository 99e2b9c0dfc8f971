/**
 * Normalisation of rows: layer norm (Ba, Kiros and Hinton, "Layer Normalization", 2016) and root-mean-square norm (Zhang and Sennrich, "Root
 * Mean Square Layer Normalization", 2019); semantics of PyTorch.
 *
 * A *row* is what is normalised together, C elements: the last axis, or several last axes seen as one. Where the device has the kernel, it
 * gives y and the gradient of x; gradients of weight and bias are reductions over rows.
 */

import { isFloat } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { vjp } from '../autograd/backward.ts';
import { ArgumentError, ShapeError } from '../errors.ts';
import type { GradientContext, GradientRule, OpRow } from '../graph/op.ts';
import { floatOf, promote } from '../graph/promotion.ts';
import { fullLike, scalarNode } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import type { Dims } from '../tensor.ts';
import { showValue } from '../values.ts';
import { requireOptions } from './arguments.ts';
import type { Operand } from './arguments.ts';
import { add, mul, square, sub } from './arithmetic.ts';
import { toDType } from './convert.ts';
import { sum } from './expand.ts';
import { rsqrt } from './functions.ts';
import { mean } from './reduce.ts';
import { reshape } from './reshape.ts';
import { recordRowwise, rowwiseRow, runsRowwise } from './rowwise.ts';

const LAST = { axis: -1, keepDims: true } as const;

type Norm = 'layerNorm' | 'rmsNorm';

/** `n` and `r` of the contract's table: the normalised rows, and what deviations were multiplied by. */
function normalized(norm: Norm, x: Tensor, eps: Operand): { readonly n: Tensor; readonly r: Tensor } {
  const deviation = norm === 'layerNorm' ? sub(x, mean(x, LAST)) : x;
  const r = rsqrt(add(mean(square(deviation), LAST), eps));
  return { n: mul(deviation, r), r };
}

/** The gradient of x, given that of y, as a composition. */
function composedGradient(norm: Norm, x: Tensor, weight: Tensor, g: Tensor, eps: Operand): Tensor {
  const { n, r } = normalized(norm, x, eps);
  const h = mul(g, weight);
  const along = sub(h, mul(n, mean(mul(h, n), LAST)));
  return mul(r, norm === 'layerNorm' ? sub(along, mean(h, LAST)) : along);
}

/** Sums of 16-bit floats are taken, and what goes into them is calculated, in float32. */
const widened = (t: Tensor): Tensor => toDType(t, t.dtype === 'float64' ? 'float64' : 'float32');

/** `Σ f` over all rows, `[C]`, in the dtype of `like`. */
function overRows(like: Tensor, rows: Tensor): Tensor {
  const axis = Array.from({ length: rows.rank - 1 }, (_, i) => i);
  return toDType(sum(rows, { axis }), like.dtype);
}

/** Rows without weight and bias, in float32 at least. The kernel of layer norm takes one pass over them where the composition stores deviations. */
function normalizedRows(norm: Norm, x: Tensor, eps: Tensor): Tensor {
  const wide = widened(x);
  if (norm === 'rmsNorm' || !runsRowwise(wide, norm, 'forward', 3)) return normalized(norm, wide, eps).n;
  const [one, zero] = [1, 0].map((value) => fullLike(nodeOf(wide, norm), value, shapeOf(wide.shape.slice(-1)))) as [Tensor, Tensor];
  return recordRowwise(LAYER_NORM, [wide, one, zero, eps], wide.shape);
}

/** Gradients of a kernel's node over x, weight, (bias,) eps. */
function gradientOf(norm: Norm, backward: () => OpRow): GradientRule {
  return (g, { inputs, needs }) => {
    const [x, weight] = inputs as readonly [Tensor, Tensor];
    const eps = inputs.at(-1) as Tensor;
    const ofX = (): Tensor => {
      if (runsRowwise(x, norm, 'backward', 3)) return recordRowwise(backward(), [x, weight, g, eps], x.shape);
      return toDType(composedGradient(norm, widened(x), widened(weight), widened(g), eps), x.dtype);
    };
    const ofWeight = (): Tensor => overRows(x, mul(widened(g), normalizedRows(norm, x, eps)));
    const ofBias = (): Tensor => overRows(x, widened(g));
    const shares = [needs(0) ? ofX() : null, needs(1) ? ofWeight() : null];
    return norm === 'layerNorm' ? [...shares, needs(2) ? ofBias() : null, null] : [...shares, null];
  };
}

/** The gradient of the gradient of x, over x, weight, g, eps. */
function secondGradientOf(norm: Norm): GradientRule {
  return (g, { inputs }: GradientContext) => {
    const [x, weight, gy, eps] = inputs as readonly [Tensor, Tensor, Tensor, Tensor];
    const compose3 = (...[a, b, c]: Tensor[]): Tensor => {
      const wide = composedGradient(norm, widened(a as Tensor), widened(b as Tensor), widened(c as Tensor), eps);
      return toDType(wide, x.dtype);
    };
    return [...vjp(compose3, [x, weight, gy], g).gradients, null];
  };
}

const LAYER_NORM: OpRow = /* @__PURE__ */ rowwiseRow(
  'layerNorm',
  'forward',
  3,
  /* @__PURE__ */ gradientOf('layerNorm', () => LAYER_NORM_BACKWARD),
  'inputs',
);
const LAYER_NORM_BACKWARD: OpRow = /* @__PURE__ */ rowwiseRow('layerNorm', 'backward', 3, /* @__PURE__ */ secondGradientOf('layerNorm'), 'inputs');
const RMS_NORM: OpRow = /* @__PURE__ */ rowwiseRow(
  'rmsNorm',
  'forward',
  2,
  /* @__PURE__ */ gradientOf('rmsNorm', () => RMS_NORM_BACKWARD),
  'inputs',
);
const RMS_NORM_BACKWARD: OpRow = /* @__PURE__ */ rowwiseRow('rmsNorm', 'backward', 3, /* @__PURE__ */ secondGradientOf('rmsNorm'), 'inputs');

/** Options of {@link rmsNorm}. */
export interface RmsNormOptions {
  /** Factors for the elements of a row, shaped like one. Default 1. */
  readonly weight?: Tensor | null;
  /** Sizes of the last axes, which a row is made of. Default: the weight's shape, else the last axis. */
  readonly normalizedShape?: Dims;
  /** Added to the mean square. Default, as in PyTorch: the epsilon of the dtype of x, 2⁻²³ for float32. */
  readonly eps?: number | null;
}

/** Options of {@link layerNorm}. */
export interface LayerNormOptions {
  /** Factors for the elements of a row, shaped like one. Default 1. */
  readonly weight?: Tensor | null;
  /** Added after the weight, shaped like it. Default 0. */
  readonly bias?: Tensor | null;
  /** Sizes of the last axes, which a row is made of. Default: the shape of weight or bias, else the last axis. */
  readonly normalizedShape?: Dims;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** The distance from 1 to the next number: what `torch.finfo(dtype).eps` says. */
const EPSILON: Partial<Record<DType, number>> = { float16: 2 ** -10, bfloat16: 2 ** -7, float32: 2 ** -23, float64: 2 ** -52 };

/** The sizes that make a row, which x must end in, and weight and bias must have. @throws ShapeError */
function rowShape(norm: Norm, x: Tensor, affine: readonly (Tensor | null)[], given: Dims | undefined): Dims {
  const { dims, rank } = nodeOf(x, norm).shape;
  const own = affine.find((t) => t !== null);
  const row = given === undefined ? (own === undefined ? dims.slice(-1) : nodeOf(own, norm).shape.dims) : shapeOf(given, norm).dims;
  const ends = row.length > 0 && row.length <= rank && row.every((size, i) => size === dims[rank - row.length + i]);
  if (!ends) throw new ShapeError({ op: norm, expected: `x whose last axes are ${showDims(row)}, at least one`, got: showDims(dims) });
  const wrong = affine.find((t) => t !== null && nodeOf(t, norm).shape !== shapeOf(row));
  if (wrong !== undefined && wrong !== null)
    throw new ShapeError({ op: norm, expected: `weight and bias of shape ${showDims(row)}`, got: showDims(nodeOf(wrong, norm).shape.dims) });
  return row;
}

function requireEps(op: string, eps: number): number {
  if (Number.isFinite(eps) && eps >= 0) return eps;
  throw new ArgumentError({ op, expected: 'a finite eps of at least 0', got: showValue(eps) });
}

/** What both norms do; `bias` null in the one without. */
function normalize(norm: Norm, x: Tensor, weight: Tensor | null, bias: Tensor | null, row: Dims, eps: number): Tensor {
  return compose(() => {
    const given = [x, weight, bias].flatMap((t) => (t === null ? [] : [t]));
    const dtype = floatOf(given.map((t) => t.dtype).reduce((a, b) => promote(norm, a, b)));
    const { shape } = x;
    const columns = row.reduce((n, size) => n * size, 1);
    const rows = toDType(reshape(x, [...shape.slice(0, shape.length - row.length), columns]), dtype);
    const flat = (t: Tensor): Tensor => toDType(reshape(t, [columns]), dtype);
    const op = norm === 'layerNorm' ? LAYER_NORM : RMS_NORM;
    const count = norm === 'layerNorm' ? 3 : 2;
    if (isFloat(dtype) && runsRowwise(rows, norm, 'forward', count)) {
      const node = nodeOf(rows, norm);
      const fill = (t: Tensor | null, value: number): Tensor => (t === null ? fullLike(node, value, shapeOf([columns])) : flat(t));
      const number = new Tensor(scalarNode(eps, dtype === 'float64' ? 'float64' : 'float32', node.runtime));
      const affine = norm === 'layerNorm' ? [fill(weight, 1), fill(bias, 0)] : [fill(weight, 1)];
      return reshape(recordRowwise(op, [rows, ...affine, number], rows.shape), shape);
    }
    const { n } = normalized(norm, widened(rows), eps);
    const scaled = weight === null ? n : mul(n, widened(flat(weight)));
    const shifted = bias === null ? scaled : add(scaled, widened(flat(bias)));
    return reshape(toDType(shifted, dtype), shape);
  });
}

/**
 * Each row of x with mean 0 and (biased) variance 1, then scaled and shifted: `(x - μ) / sqrt(σ² + eps) · weight + bias`.
 *
 * x, weight and bias promote to one float dtype, which the result has; 16-bit floats are calculated in float32.
 *
 * @param x `[..., ...normalizedShape]`
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  requireOptions('layerNorm', options, '{ weight, bias, eps: 1e-6 }');
  const { weight = null, bias = null, normalizedShape, eps = 1e-5 } = options;
  return normalize('layerNorm', x, weight, bias, rowShape('layerNorm', x, [weight, bias], normalizedShape), requireEps('layerNorm', eps));
}

/**
 * Each row of x divided by the root of its mean square, then scaled: `x / sqrt(mean(x²) + eps) · weight`.
 *
 * x and weight promote to one float dtype, which the result has; 16-bit floats are calculated in float32.
 *
 * @param x `[..., ...normalizedShape]`
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function rmsNorm(x: Tensor, options: RmsNormOptions = {}): Tensor {
  requireOptions('rmsNorm', options, '{ weight, eps: 1e-6 }');
  const { weight = null, normalizedShape } = options;
  const row = rowShape('rmsNorm', x, [weight], normalizedShape);
  const eps = options.eps ?? EPSILON[floatOf(x.dtype)] ?? 0;
  return normalize('rmsNorm', x, weight, null, row, requireEps('rmsNorm', eps));
}

/** Options of {@link groupNorm}. */
export interface GroupNormOptions {
  /** How many groups the channels make, a divisor of their number; as many as channels is instance norm. */
  readonly groups: number;
  /** Factor of each channel, `[C]`. Default 1. */
  readonly weight?: Tensor | null;
  /** Added to each channel, `[C]`. Default 0. */
  readonly bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * Layer norm of each group of channels of each example, with a weight and a bias for each channel. Wu and He, "Group Normalization", 2018.
 *
 * @param x `[N, C, ...]`
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  requireOptions('groupNorm', options, '{ groups: 8 }');
  const { groups, weight = null, bias = null, eps = 1e-5 } = options;
  const { dims } = nodeOf(x, 'groupNorm').shape;
  const [N = 0, C = 0, ...rest] = dims;
  if (!Number.isInteger(groups) || groups < 1)
    throw new ArgumentError({ op: 'groupNorm', expected: 'a whole number of groups', got: showValue(groups), fix: 'pass { groups: 8 }.' });
  if (dims.length < 2 || C % groups !== 0)
    throw new ShapeError({ op: 'groupNorm', expected: `x [N, C, …] whose channels ${groups} divides`, got: showDims(dims) });
  const wrong = [weight, bias].find((t) => t !== null && nodeOf(t, 'groupNorm').shape !== shapeOf([C]));
  if (wrong) throw new ShapeError({ op: 'groupNorm', expected: `weight and bias of shape [${C}]`, got: showDims(wrong.shape) });
  return compose(() => {
    const dtype = floatOf([weight, bias].reduce((d, t) => (t === null ? d : promote('groupNorm', d, t.dtype)), x.dtype));
    const size = rest.reduce((n, d) => n * d, C / groups);
    const normal = reshape(layerNorm(reshape(widened(x), [N, groups, size]), { eps: requireEps('groupNorm', eps) }), dims);
    const perChannel = (t: Tensor): Tensor => reshape(widened(t), [C, ...rest.map(() => 1)]);
    const scaled = weight === null ? normal : mul(normal, perChannel(weight));
    return toDType(bias === null ? scaled : add(scaled, perChannel(bias)), dtype);
  });
}
