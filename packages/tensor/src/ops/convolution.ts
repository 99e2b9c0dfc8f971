/**
 * Convolution (cross-correlation) in 1 to 3 dimensions.
 *
 * x is `[N, C, ...spatial]`, weight `[O, C/groups, ...kernel]`, the result `[N, O, ...spatial]`. Three rows, one for each pass;
 * the gradient of each is made of the other two, so that gradients of gradients are convolutions too.
 */

import { apply, cast, gather } from '@gradus/backend';
import type { ConvolutionKernel, Expression, Kernel, Operand, ReduceKernel, Window } from '@gradus/backend';
import { ArgumentError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { AnchorPlan, Decomposition, GradientRule, OpRow, OpSite } from '../graph/op.ts';
import { promote } from '../graph/promotion.ts';
import { record } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { add } from './arithmetic.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { castNode } from './convert.ts';
import { reshape } from './reshape.ts';
import {
  SizeArguments,
  TRUE,
  axesFrom,
  both,
  flatPosition,
  guarded,
  inputCoordinate,
  int,
  outputCoordinate,
  outputSizes,
  perAxis,
  plus,
  within,
} from './windows.ts';
import type { PerAxis } from './windows.ts';

/** What a convolution node remembers: geometry, and the shapes of all three tensors. */
export interface ConvolutionAttribute {
  readonly window: Window;
  readonly groups: number;
  readonly x: Dims;
  readonly filter: Dims;
  readonly y: Dims;
}

type Pass = ConvolutionKernel['pass'];

const anchor = (pass: Pass): OpRow['lowering'] => ({ kind: 'anchor', plan: (site) => planOf(pass, site) });

const convolutionRow = (pass: Pass, gradient: GradientRule): OpRow =>
  row({ name: `convolution ${pass}`, lowering: anchor(pass), residuals: 'inputs', gradient });

/** Inputs x, filter. */
const FORWARD: OpRow = /* @__PURE__ */ convolutionRow('forward', (g, { inputs, attribute, needs }) => {
  const [x, filter] = inputs as readonly [Tensor, Tensor];
  return [needs(0) ? recordPass('inputGradient', g, filter, attribute) : null, needs(1) ? recordPass('filterGradient', x, g, attribute) : null];
});

/** Inputs gradient of y, filter. */
const INPUT_GRADIENT: OpRow = /* @__PURE__ */ convolutionRow('inputGradient', (g, { inputs, attribute, needs }) => {
  const [gy, filter] = inputs as readonly [Tensor, Tensor];
  return [needs(0) ? recordPass('forward', g, filter, attribute) : null, needs(1) ? recordPass('filterGradient', g, gy, attribute) : null];
});

/** Inputs x, gradient of y. */
const FILTER_GRADIENT: OpRow = /* @__PURE__ */ convolutionRow('filterGradient', (g, { inputs, attribute, needs }) => {
  const [x, gy] = inputs as readonly [Tensor, Tensor];
  return [needs(0) ? recordPass('inputGradient', gy, g, attribute) : null, needs(1) ? recordPass('forward', x, g, attribute) : null];
});

function rowOf(pass: Pass): OpRow {
  return pass === 'forward' ? FORWARD : pass === 'inputGradient' ? INPUT_GRADIENT : FILTER_GRADIENT;
}

/** One pass over two of its three tensors; the attribute is a {@link ConvolutionAttribute}. */
export function recordPass(pass: Pass, a: Tensor, b: Tensor, attribute: unknown): Tensor {
  const geometry = attribute as ConvolutionAttribute;
  const result = pass === 'forward' ? geometry.y : pass === 'inputGradient' ? geometry.x : geometry.filter;
  const left = nodeOf(a, 'convolution');
  return record(
    rowOf(pass),
    [left, nodeOf(b, 'convolution')],
    shapeOf(result),
    left.dtype,
    intern(`convolution:${JSON.stringify(geometry)}`, geometry),
  );
}

function planOf(pass: Pass, site: OpSite): AnchorPlan {
  const { window, groups, x, filter, y } = attributeValue<ConvolutionAttribute>(site);
  const accumulate = site.dtype === 'float64' ? 'float64' : 'float32';
  return {
    sizes: [x[0] ?? 0, x[1] ?? 0, filter[0] ?? 0, ...x.slice(2), ...y.slice(2)],
    accumulate,
    kernel: (operands, scalars, outputs) => ({ kind: 'convolution', pass, window, groups, accumulate, operands, scalars, outputs }),
    decompose: (kernel, dims) => decompose(kernel as ConvolutionKernel, dims, { window, groups, x, filter, y }),
  };
}

/** A reduce that gathers both operands: over channels and cells, over filters and cells, or over the batch and outputs. */
function decompose(kernel: ConvolutionKernel, dims: Int32Array, geometry: ConvolutionAttribute): Decomposition {
  const { x, filter, y } = geometry;
  const spatial = geometry.window.size.length;
  const args = new SizeArguments(kernel.scalars.length);
  const terms = termsOf(kernel, geometry, args);
  const element = (operand: number, position: Expression): Expression =>
    cast(gather(kernel.operands[operand]?.dtype ?? 'float32', operand, position), kernel.accumulate);
  const value = apply('multiply', element(0, terms.first), element(1, terms.second));
  const kept = kernel.pass === 'forward' ? y : kernel.pass === 'inputGradient' ? x : filter;
  const operands = kernel.operands.map((o, i): Operand => (i < 2 ? { ...o, space: 'full' } : o));
  const reduce: ReduceKernel = {
    kind: 'reduce',
    rank: 2 + spatial + terms.folded.length,
    folded: terms.folded.length,
    operands,
    scalars: [...kernel.scalars, ...args.values.map((): 'int32' => 'int32')],
    folds: [{ fold: 'sum', value }],
    outputs: kernel.outputs,
  };
  const head = 3 + 2 * spatial;
  const sizes = [...kept, ...terms.folded];
  const run = {
    kernel: reduce as Kernel,
    dims: Int32Array.from([...sizes, ...dims.subarray(head)]),
    blocks: operands.map((_, operand) => ({ operand })),
    sizes: args.values,
  };
  return { temporaries: [], runs: [run] };
}

/** Positions in operands 0 and 1 at a point of the decomposed index space, and the sizes of its folded axes. */
function termsOf(
  kernel: ConvolutionKernel,
  geometry: ConvolutionAttribute,
  args: SizeArguments,
): { first: Expression; second: Expression; folded: readonly number[] } {
  const { window, groups, x, filter, y } = geometry;
  const spatial = window.size.length;
  const channels = (x[1] ?? 0) / groups;
  const filters = (filter[0] ?? 0) / groups;
  const [a = int(0), b = int(0), ...places] = axesFrom(0, 2 + spatial);
  const folded = axesFrom(2 + spatial, 1 + spatial);
  const [inner = int(0), ...cells] = folded;
  const group = (index: Expression, size: number): Expression => apply('divide', index, args.of(size));
  const inGroup = (g: Expression, size: number, index: Expression): Expression => plus(apply('multiply', g, args.of(size)), index);

  if (kernel.pass === 'forward') {
    // a = image, b = filter, places = output; fold over the group's channels and the window's cells.
    const at = places.map((out, i) => inputCoordinate(window, i, out, cells[i] ?? int(0)));
    const inside = at.reduce((ok, c, i) => both(ok, within(c, args.of(x[2 + i] ?? 0))), TRUE);
    const first = guarded(flatPosition([a, inGroup(group(b, filters), channels, inner), ...at], x, args), inside);
    return { first, second: flatPosition([b, inner, ...cells], filter, args), folded: [channels, ...window.size] };
  }
  if (kernel.pass === 'inputGradient') {
    // a = image, b = channel, places = input; fold over the group's filters and the cells that reach here.
    const reached = places.map((at, i) => outputCoordinate(window, i, at, cells[i] ?? int(0), args.of(y[2 + i] ?? 0)));
    const inside = reached.reduce((ok, r) => both(ok, r.valid), TRUE);
    const g = group(b, channels);
    const o = inGroup(g, filters, inner);
    const channel = apply('remainder', b, args.of(channels));
    const first = guarded(flatPosition([a, o, ...reached.map((r) => r.out)], y, args), inside);
    return { first, second: flatPosition([o, channel, ...cells], filter, args), folded: [filters, ...window.size] };
  }
  // a = filter, b = channel of its group, places = cell; fold over images and outputs.
  const at = cells.map((out, i) => inputCoordinate(window, i, out, places[i] ?? int(0)));
  const inside = at.reduce((ok, c, i) => both(ok, within(c, args.of(x[2 + i] ?? 0))), TRUE);
  const first = guarded(flatPosition([inner, inGroup(group(a, filters), channels, b), ...at], x, args), inside);
  return { first, second: flatPosition([inner, a, ...cells], y, args), folded: [x[0] ?? 0, ...y.slice(2)] };
}

/** Options of convolutions; each number stands for all spatial axes, or give one each. */
export interface ConvolutionOptions {
  /** One number a filter, `[O]`. */
  readonly bias?: Tensor;
  /** Default 1. */
  readonly stride?: PerAxis;
  /** Zeros on both sides, default 0; `same` keeps the size (stride 1), an odd cell going to the end. */
  readonly padding?: PerAxis | 'same' | 'valid';
  /** Default 1. */
  readonly dilation?: PerAxis;
  /** Channels and filters are split into as many independent parts. Default 1. */
  readonly groups?: number;
}

function convolve(op: string, rank: number, x: Tensor, weight: Tensor, options: ConvolutionOptions): Tensor {
  const input = nodeOf(x, op);
  const filter = nodeOf(weight, op);
  requireOptions(op, options, '{ bias, stride: 2 }');
  const dtype = promote(op, input.dtype, filter.dtype);
  requireFloat(op, dtype);
  const { dims } = input.shape;
  const kernel = filter.shape.dims;
  const groups = options.groups ?? 1;
  const [outputs = 0, depth = 0] = kernel;
  const middle = Array.from({ length: rank }, (_, i) => i + 1).join(', ');
  if (dims.length !== rank + 2 || kernel.length !== rank + 2) {
    throw new ShapeError({
      op,
      expected: `x of rank ${rank + 2} [N, C, …] and weight of rank ${rank + 2} [O, C/groups, …]`,
      got: `${showDims(dims)} and ${showDims(kernel)}`,
      fix: 'unsqueeze a single image at axis 0.',
    });
  }
  if (!Number.isInteger(groups) || groups < 1 || dims[1] !== depth * groups || outputs % groups !== 0) {
    throw new ShapeError({
      op,
      expected: `${depth} · groups channels, and filters that groups divides`,
      got: `${dims[1]} channels, ${outputs} filters, groups ${groups}`,
      ...(dims.at(-1) === depth * groups && { fix: `put the channels of x, which come last, second: x.permute([0, ${rank + 1}, ${middle}]).` }),
    });
  }
  const stride = perAxis(op, 'stride', options.stride ?? 1, rank, 1);
  const dilation = perAxis(op, 'dilation', options.dilation ?? 1, rank, 1);
  const size = kernel.slice(2);
  const padding = paddingOf(op, options.padding ?? 0, size, stride, dilation);
  const window: Window = { size, stride, dilation, padding };
  const spatial = options.padding === 'same' ? dims.slice(2) : outputSizes(op, dims.slice(2), window);
  const y = [dims[0] ?? 0, outputs, ...spatial];
  const geometry: ConvolutionAttribute = { window, groups, x: dims, filter: kernel, y };
  const product = record(
    FORWARD,
    [castNode(input, dtype), castNode(filter, dtype)],
    shapeOf(y),
    dtype,
    intern(`convolution:${JSON.stringify(geometry)}`, geometry),
  );
  return withBias(op, product, options.bias);
}

/** `y` `[N, O, …]` with one number of `bias` `[O]` added to each filter's part. @throws ShapeError */
export function withBias(op: string, y: Tensor, bias: Tensor | undefined): Tensor {
  if (bias === undefined) return y;
  const [, outputs = 0, ...spatial] = nodeOf(y, op).shape.dims;
  const { dims } = nodeOf(bias, op).shape;
  if (dims.length !== 1 || dims[0] !== outputs) throw new ShapeError({ op, expected: `bias [${outputs}]`, got: showDims(dims) });
  return add(y, reshape(bias, [outputs, ...spatial.map(() => 1)]));
}

function paddingOf(op: string, padding: NonNullable<ConvolutionOptions['padding']>, size: Dims, stride: Dims, dilation: Dims): readonly number[] {
  if (padding === 'valid') return size.map(() => 0);
  if (padding !== 'same') return perAxis(op, 'padding', padding, size.length, 0);
  if (stride.some((s) => s !== 1))
    throw new ArgumentError({ op, expected: "stride 1 with padding 'same'", got: `stride ${showDims(stride)}`, fix: 'give the padding as numbers.' });
  return size.map((n, i) => Math.floor(((n - 1) * (dilation[i] ?? 1)) / 2));
}

/** Convolution over one axis: x `[N, C, L]`, weight `[O, C/groups, k]`. @throws ShapeError, DTypeError, ArgumentError */
export function conv1d(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  return convolve('conv1d', 1, x, weight, options);
}

/** Convolution over two axes: x `[N, C, H, W]`, weight `[O, C/groups, kH, kW]`. @throws ShapeError, DTypeError, ArgumentError */
export function conv2d(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  return convolve('conv2d', 2, x, weight, options);
}

/** Convolution over three axes: x `[N, C, D, H, W]`, weight `[O, C/groups, kD, kH, kW]`. @throws ShapeError, DTypeError, ArgumentError */
export function conv3d(x: Tensor, weight: Tensor, options: ConvolutionOptions = {}): Tensor {
  return convolve('conv3d', 3, x, weight, options);
}
