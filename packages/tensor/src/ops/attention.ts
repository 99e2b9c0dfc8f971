/**
 * Scaled dot-product attention. Vaswani et al., "Attention Is All You Need", 2017; heads that share keys: Ainslie et al., "GQA", 2023.
 *
 * Where the device has the kernel, it gives y and the rows' log-sum-exp in one launch, and the three gradients in another, without the
 * score matrix (Dao et al., "FlashAttention", 2022). Elsewhere, for masks that differ between heads or want a gradient, and for gradients
 * of gradients it is composed. Words: T queries, S keys, D the size of a head, B all leading axes together.
 */

import { isFloat } from '@gradus/backend';
import type { DType, Kernel } from '@gradus/backend';
import { vjp } from '../autograd/backward.ts';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import type { Attribute } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { GradientContext, GradientRule, KernelOperand, KernelPlan, Lowering, OpRow, OpSite } from '../graph/op.ts';
import { promote } from '../graph/promotion.ts';
import { gradientsAreOn, record, scalarNode } from '../graph/record.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { add, div, equal, lessEqual, mul, sub, where } from './arithmetic.ts';
import { toDType } from './convert.ts';
import { expand, sum } from './expand.ts';
import { dense, isClaimed, kernelNamed } from './fast-path.ts';
import { exp } from './functions.ts';
import { matmul } from './matmul.ts';
import { transpose } from './movement.ts';
import { positionsAlong } from './positions.ts';
import { reshape } from './reshape.ts';
import { shiftOf } from './softmax.ts';

const OP = 'scaledDotProductAttention';

/** What the nodes remember. */
interface AttentionAttribute {
  readonly causal: boolean;
  readonly mask: 'none' | 'bool' | 'additive';
}

type Pass = 'forward' | 'backward';

/** The dtype of the scale and of log-sum-exps. */
const wideOf = (dtype: DType): 'float32' | 'float64' => (dtype === 'float64' ? 'float64' : 'float32');
const widened = (t: Tensor): Tensor => toDType(t, wideOf(t.dtype));

function attentionKernel(pass: Pass, dtype: DType, headDim: number, { causal, mask }: AttentionAttribute): Kernel {
  return kernelNamed(`attention ${pass} ${dtype} ${headDim} ${causal} ${mask}`, () => {
    const own = dense(dtype);
    const read = [own, own, own, ...(mask === 'none' ? [] : [dense(mask === 'bool' ? 'bool' : dtype)])];
    const written = dense(dtype, 'write');
    const rest = pass === 'forward' ? [written, dense(wideOf(dtype), 'write')] : [own, dense(wideOf(dtype)), own, written, written, written];
    return { kind: 'attention', pass, headDim, causal, mask, operands: [...read, ...rest], scalars: [wideOf(dtype)] };
  });
}

const sizeOf = (dims: Dims): number => dims.reduce((n, size) => n * size, 1);

/** Input 3 of every node is the scale; 0, 1, 2 are q, k, v; 4 is the mask, if there is one. */
const SCALE = 3;

/** The plan of all nodes of a pass. Those of the backward pass have y, lse and the gradient of y for further inputs. */
function planOf(pass: Pass, site: OpSite): KernelPlan {
  const attribute = attributeValue<AttentionAttribute>(site);
  const [q = [], k = []] = site.inputs.map((input) => input.dims);
  const [heads = 0, T = 0, headDim = 0] = q.slice(-3);
  const [keyHeads = 0, S = 0] = k.slice(-3);
  const B = sizeOf(q.slice(0, -3));
  const read = (input: number): KernelOperand => ({ input, size: sizeOf(site.inputs[input]?.dims ?? []) });
  const rows = B * heads * T;
  const sizes = { q: rows * headDim, k: B * keyHeads * S * headDim };
  const masks = attribute.mask === 'none' ? [] : [SCALE + 1];
  const more = SCALE + 1 + masks.length;
  const written = pass === 'forward' ? [sizes.q, rows] : [sizes.q, sizes.k, sizes.k];
  return {
    kernel: attentionKernel(pass, site.inputs[0]?.dtype ?? 'float32', headDim, attribute),
    sizes: [B, heads, keyHeads, T, S],
    operands: [
      ...[0, 1, 2, ...masks, ...(pass === 'forward' ? [] : [more, more + 1, more + 2])].map(read),
      ...written.map((size, output): KernelOperand => ({ output, size })),
    ],
    scalars: [SCALE],
  };
}

const kernelOutput = (pass: Pass, output: number): Lowering => ({ kind: 'kernel', output, plan: (site) => planOf(pass, site) });

/** Inputs q, k, v, scale, mask. Nothing but y uses it, whose gradient has its share in it. */
const LOG_SUM_EXP: OpRow = /* @__PURE__ */ row({ name: 'attention lse', lowering: /* @__PURE__ */ kernelOutput('forward', 1) });

/** Inputs q, k, v, scale, mask, and lse, which the gradient needs. */
const ATTENTION: OpRow = /* @__PURE__ */ row({
  name: 'attention',
  lowering: /* @__PURE__ */ kernelOutput('forward', 0),
  residuals: 'both',
  gradient: (g, { inputs, output, attribute, needs }) => {
    const kind = attribute as AttentionAttribute;
    const count = kind.mask === 'none' ? SCALE + 1 : SCALE + 2;
    const given = inputs.slice(0, count);
    const lse = inputs[count] as Tensor;
    const q = given[0] as Tensor;
    if (!isClaimed(q, attentionKernel('backward', q.dtype, q.shape.at(-1) ?? 0, kind))) return composedGradients(given, kind, g);
    return GRADIENTS.map((op, i) => {
      const like = nodeOf(given[i] as Tensor, 'attention');
      return needs(i) ? record(op, nodesOf([...given, output, lse, g]), like.shape, like.dtype, attributeOf(kind)) : null;
    });
  },
});

/** Gradients of q, k and v as nodes of one launch. Inputs q, k, v, scale, mask, y, lse, g. */
const GRADIENTS: readonly OpRow[] = /* @__PURE__ */ ['q', 'k', 'v'].map((name, i) =>
  row({ name: `attention gradient of ${name}`, lowering: kernelOutput('backward', i), residuals: 'inputs', gradient: secondGradientOf(i) }),
);

const nodesOf = (tensors: readonly Tensor[]): ReturnType<typeof nodeOf>[] => tensors.map((t) => nodeOf(t, 'attention'));

const attributeOf = ({ causal, mask }: AttentionAttribute): Attribute =>
  intern(`attention:${causal}:${mask}`, { causal, mask } satisfies AttentionAttribute);

/** Gradients of q, k, v in the composition, given that of y. `given` is q, k, v, scale and the mask. */
function composedGradients(given: readonly Tensor[], { causal }: AttentionAttribute, g: Tensor): readonly Tensor[] {
  const [q, k, v, scale, mask = null] = given as readonly [Tensor, Tensor, Tensor, Tensor, Tensor?];
  return vjp((...[a, b, c]) => composed(a as Tensor, b as Tensor, c as Tensor, { scale, causal, mask: mask && betweenHeads(mask, q) }), [q, k, v], g)
    .gradients;
}

/** y and lse are functions of q, k and v, so all of the gradient goes to those, and to g. */
function secondGradientOf(which: number): GradientRule {
  return (h, { inputs, attribute }: GradientContext) => {
    const rest = inputs.slice(SCALE, -3);
    const g = inputs.at(-1) as Tensor;
    const gradient = (...[q, k, v, gy]: Tensor[]): Tensor =>
      composedGradients([q as Tensor, k as Tensor, v as Tensor, ...rest], attribute as AttentionAttribute, gy as Tensor)[which] as Tensor;
    const { gradients } = vjp(gradient, [...inputs.slice(0, SCALE), g], h);
    return [...gradients.slice(0, SCALE), ...rest.map(() => null), null, null, gradients[SCALE] ?? null];
  };
}

/** A mask `[B, T, S]` of the kernel as it broadcasts against `[..., heads, T, S]`. */
function betweenHeads(mask: Tensor, q: Tensor): Tensor {
  return reshape(mask, [...q.shape.slice(0, -3), 1, ...mask.shape.slice(-2)]);
}

/** What a composition is given beside q, k and v. */
interface Composition {
  readonly scale: Tensor | number;
  readonly causal: boolean;
  /** Broadcasts to `[..., heads, T, S]`. */
  readonly mask: Tensor | null;
}

/** The same in ops, with scores in memory: in float32 (float64 in itself), rounded once. */
function composed(q: Tensor, k: Tensor, v: Tensor, { scale, causal, mask }: Composition): Tensor {
  const { shape } = q;
  const batch = shape.slice(0, -3);
  const [heads = 0, T = 0] = shape.slice(-3);
  const [keyHeads = 0, S = 0] = k.shape.slice(-3);
  // The heads of one key head are one long list of queries to it.
  const byKey = (t: Tensor): Tensor => reshape(t, [...batch, keyHeads, (heads / keyHeads) * T, t.shape.at(-1) ?? 0]);
  const products = mul(matmul(byKey(widened(q)), transpose(widened(k))), scale);
  const scores = allowedScores(reshape(products, [...batch, heads, T, S]), causal, mask);
  const powers = exp(sub(scores, shiftOf(scores, { axis: -1 })));
  const total = sum(powers, { axis: -1, keepDims: true });
  // A row that nothing is allowed to: all powers are 0, so the quotient and its gradient are.
  const p = div(powers, where(equal(total, 0), 1, total));
  const y = matmul(byKey(p), widened(v));
  return toDType(reshape(y, [...batch, heads, T, v.shape.at(-1) ?? 0]), q.dtype);
}

function allowedScores(scores: Tensor, causal: boolean, mask: Tensor | null): Tensor {
  const masked = mask === null ? scores : mask.dtype === 'bool' ? where(mask, scores, -Infinity) : add(scores, widened(mask));
  return causal ? where(lessEqual(positionsAlong(scores, scores.rank - 1), positionsAlong(scores, scores.rank - 2)), masked, -Infinity) : masked;
}

/** Options of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /**
   * Broadcasts to `[..., heads, T, S]`. bool: true where the query may look at the key; a float is added to the scores.
   * Note that masks of PyTorch's `MultiheadAttention` mean the opposite.
   */
  readonly mask?: Tensor | null;
  /** Query t looks at keys 0 to t only, counted from the first of each, whatever T and S are. Beside a mask both must allow. Default false. */
  readonly causal?: boolean;
  /** Factor of the scores. Default `1 / √D`. */
  readonly scale?: number;
}

/**
 * `softmax(scale · q · kᵀ + mask) · v`, head by head.
 *
 * Several query heads may share a key head: `heads` is a multiple of `keyHeads`, and head h uses key head `floor(h / (heads / keyHeads))`, as
 * PyTorch's `enable_gqa`. A query that may look at no key gives 0 with zero gradients, where PyTorch gives NaN. Keys and values that a
 * query may not look at must be finite. q, k and v promote to one float dtype; 16-bit floats are calculated in float32.
 *
 * @param q `[..., heads, T, D]`
 * @param k `[..., keyHeads, S, D]`
 * @param v `[..., keyHeads, S, Dv]`; Dv other than D is composed
 * @throws ShapeError, DTypeError, ArgumentError
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  requireOptions(OP, options, '{ causal: true }');
  requireShapes(q, k, v);
  const dtype = [k, v].reduce((d, t) => promote(OP, d, t.dtype), q.dtype);
  requireFloat(OP, dtype);
  const D = q.shape.at(-1) ?? 0;
  const { mask = null, causal = false, scale = 1 / Math.sqrt(D) } = options;
  if (!Number.isFinite(scale)) throw new ArgumentError({ op: OP, expected: 'a finite scale', got: showValue(scale) });
  if (mask !== null) requireMask(mask, q, k);
  return compose(() => {
    const operands = [q, k, v].map((t) => toDType(t, dtype)) as [Tensor, Tensor, Tensor];
    const attribute: AttentionAttribute = { causal, mask: mask === null ? 'none' : mask.dtype === 'bool' ? 'bool' : 'additive' };
    const own = mask === null || mask.dtype === 'bool' ? mask : toDType(mask, dtype);
    const claimed = v.shape.at(-1) === D && fitsKernel(mask, q) && isClaimed(q, attentionKernel('forward', dtype, D, attribute));
    return claimed ? recordAttention(operands, own, scale, attribute) : composed(...operands, { scale, causal, mask: own });
  });
}

/** Is the mask the same for all heads, and wants no gradient, which the kernel does not give? */
function fitsKernel(mask: Tensor | null, q: Tensor): boolean {
  if (mask === null) return true;
  const heads = mask.shape.at(-3) ?? 1;
  return (heads === 1 || q.shape.at(-3) === 1) && !(gradientsAreOn() && nodeOf(mask, OP).traces !== 0);
}

/** The kernel's two nodes: lse, and y, which holds on to it. */
function recordAttention(operands: readonly Tensor[], mask: Tensor | null, scale: number, kind: AttentionAttribute): Tensor {
  const [q, k] = nodesOf(operands) as [ReturnType<typeof nodeOf>, ReturnType<typeof nodeOf>];
  const inputs = [...nodesOf(operands), scalarNode(scale, wideOf(q.dtype), q.runtime)];
  const { dims } = q.shape;
  if (mask !== null) inputs.push(nodeOf(kernelMask(mask, dims, k.shape.dims), OP));
  const attribute = attributeOf(kind);
  const lse = record(LOG_SUM_EXP, inputs, shapeOf(dims.slice(0, -1)), wideOf(q.dtype), attribute);
  return record(ATTENTION, [...inputs, nodeOf(lse, OP)], q.shape, q.dtype, attribute);
}

/** The mask as `[B, T, S]`. */
function kernelMask(mask: Tensor, q: Dims, k: Dims): Tensor {
  const batch = q.slice(0, -3);
  const [T = 0, S = 0] = [q.at(-2), k.at(-2)];
  return reshape(expand(mask, [...batch, 1, T, S]), [sizeOf(batch), T, S]);
}

/** @throws ShapeError */
function requireShapes(q: Tensor, k: Tensor, v: Tensor): void {
  const [a, b, c] = [q, k, v].map((t) => nodeOf(t, OP).shape.dims) as [Dims, Dims, Dims];
  const [heads = 0, , D = 0] = a.slice(-3);
  const [keyHeads = 0] = b.slice(-3);
  const equalBut = (x: Dims, y: Dims, from: number): boolean => x.length === y.length && String(x.slice(0, from)) === String(y.slice(0, from));
  const fits = a.length >= 3 && equalBut(a, b, -3) && equalBut(b, c, -1) && b.at(-1) === D && D > 0;
  if (!fits)
    throw new ShapeError({
      op: OP,
      expected: 'q [..., heads, T, D], k [..., keyHeads, S, D] and v [..., keyHeads, S, Dv] with equal leading axes',
      got: [a, b, c].map(showDims).join(', '),
      ...(a.length === 2 && { fix: 'unsqueeze each at axis 0 for one head.' }),
    });
  if (keyHeads === 0 || heads % keyHeads !== 0)
    throw new ShapeError({ op: OP, expected: 'heads of q that the heads of k divide', got: `${heads} and ${keyHeads}` });
}

/** @throws DTypeError, ShapeError */
function requireMask(mask: Tensor, q: Tensor, k: Tensor): void {
  const { shape, dtype } = nodeOf(mask, OP);
  if (dtype !== 'bool' && !isFloat(dtype))
    throw new DTypeError({ op: OP, expected: 'a mask of bool, or of floats to add', got: dtype, fix: "cast it with toDType('bool')." });
  const scores = [...q.shape.slice(0, -1), k.shape.at(-2) ?? 0];
  const from = scores.length - shape.rank;
  if (from < 0 || shape.dims.some((size, i) => size !== 1 && size !== scores[from + i]))
    throw new ShapeError({ op: OP, expected: `a mask that broadcasts to ${showDims(scores)}`, got: showDims(shape.dims) });
}
