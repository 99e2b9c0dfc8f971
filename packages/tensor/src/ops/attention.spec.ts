/** Specifications of attention and embeddings. The reference of attention is its formula, query by query. */

import { scaledDotProductAttention } from './attention.ts';
import type { AttentionOptions } from './attention.ts';
import { embedding } from './embedding.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification, Reference } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from '../creation.ts';

/** What is added to the score of query t and key s of head h in batch b; -Infinity forbids. */
type Bias = (index: readonly number[], t: number, s: number) => number;

/** Attention of q, k and v of rank 3 and up. */
function attentionOf(bias: Bias, scale?: number): OpSpecification['reference'] {
  return (q, k, v) => {
    if (q === undefined || k === undefined || v === undefined) throw new Error('needs q, k and v');
    const [heads = 0, T = 0, D = 0] = q.dims.slice(-3);
    const [keyHeads = 0, S = 0] = k.dims.slice(-3);
    const keys = Array.from({ length: S }, (_, s) => s);
    return array([...q.dims.slice(0, -3), heads, T, v.dims.at(-1) ?? 0], (index) => {
      const batch = index.slice(0, -3);
      const [h = 0, t = 0, e = 0] = index.slice(-3);
      const own = [...batch, Math.floor(h / (heads / keyHeads))];
      const scores = keys.map((s) => {
        const products = Array.from({ length: D }, (_, d) => at(q, [...batch, h, t, d]) * at(k, [...own, s, d]));
        return (scale ?? 1 / Math.sqrt(D)) * products.reduce((a, b) => a + b, 0) + bias([...batch, h], t, s);
      });
      const powers = scores.map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, 0);
      return sum === 0 ? 0 : powers.reduce((y, p, s) => y + (p / sum) * at(v, [...own, s, e]), 0);
    });
  };
}

const attention = (
  name: string,
  dims: readonly [q: readonly number[], k: readonly number[], v: readonly number[]],
  bias: Bias,
  options: (q: Tensor) => AttentionOptions,
  scale?: number,
): OpSpecification => ({
  name: `scaledDotProductAttention${name}`,
  run: (q, k, v) => scaledDotProductAttention(q, k, v, options(q)),
  reference: attentionOf(bias, scale),
  cases: [dims.map((size) => ({ dims: size }))],
  tolerance: 1e-5,
});

const anywhere: Bias = () => 0;
const causal: Bias = (_, t, s) => (s <= t ? 0 : -Infinity);

/** Allows what is not a multiple of 3, counted over `[..., T, S]`; query 0 of a `[2, 3]` mask sees two keys, every query at least one. */
const isAllowed = (flat: number): boolean => flat % 3 !== 0;
const masked = (dims: readonly number[], q: Tensor): Tensor =>
  tensor(
    Array.from({ length: dims.reduce((n, size) => n * size, 1) }, (_, flat) => isAllowed(flat)),
    { shape: dims, dtype: 'bool', device: q.device },
  );
const added = (dims: readonly number[], q: Tensor): Tensor =>
  tensor(
    Array.from({ length: dims.reduce((n, size) => n * size, 1) }, (_, flat) => Math.sin(flat)),
    { shape: dims, dtype: q.dtype, device: q.device },
  );

const ONE: readonly [number[], number[], number[]] = [
  [1, 3, 2],
  [1, 4, 2],
  [1, 4, 2],
];
const TWO: readonly [number[], number[], number[]] = [
  [2, 2, 2, 3],
  [2, 2, 3, 3],
  [2, 2, 3, 3],
];

export const specifications: readonly OpSpecification[] = [
  attention('', ONE, anywhere, () => ({})),
  attention(', scaled', TWO, anywhere, () => ({ scale: 0.3 }), 0.3),
  attention(', causal with more queries than keys', [[1, 3, 2], [1, 2, 2], [1, 2, 2]], causal, () => ({ causal: true })), // prettier-ignore
  attention(', causal with more keys than queries', ONE, causal, () => ({ causal: true })),
  attention(
    ', grouped heads, causal',
    [[1, 4, 2, 2], [1, 2, 3, 2], [1, 2, 3, 2]], // prettier-ignore
    causal,
    () => ({ causal: true }),
  ),
  attention(
    ', a bool mask for all',
    TWO,
    (_, t, s) => (isAllowed(t * 3 + s) ? 0 : -Infinity),
    (q) => ({ mask: masked([2, 3], q) }),
  ),
  attention(
    ', a bool mask for each batch, causal: query 0 of batch 0 sees nothing',
    TWO,
    ([b = 0], t, s) => (isAllowed((b * 2 + t) * 3 + s) && s <= t ? 0 : -Infinity),
    (q) => ({ mask: masked([2, 1, 2, 3], q), causal: true }),
  ),
  attention(
    ', a mask for each head',
    TWO,
    ([, h = 0], t, s) => (isAllowed((h * 2 + t) * 3 + s) ? 0 : -Infinity),
    (q) => ({ mask: masked([2, 2, 3], q) }),
  ),
  attention(
    ', an added mask for all',
    TWO,
    (_, t, s) => Math.fround(Math.sin(t * 3 + s)),
    (q) => ({ mask: added([2, 3], q).toDType('float32') }),
  ),
  attention(', values of another size', [[1, 2, 3], [1, 3, 3], [1, 3, 2]], anywhere, () => ({})), // prettier-ignore
  {
    name: 'scaledDotProductAttention, a mask with gradient',
    run: (q, mask) => scaledDotProductAttention(q, q, q, { mask: mask ?? null }),
    reference: (q, mask) => attentionOf((_, t, s) => at(mask, [t, s]))(q, q, q),
    cases: [[{ dims: [2, 3, 2] }, { dims: [3, 3] }]],
    tolerance: 1e-5,
  },
  {
    name: 'embedding',
    run: (weight, index) => embedding(weight, index),
    reference: (weight, index) => rowsOf(weight, index),
    cases: [
      [
        { dims: [4, 3], low: 0.5, high: 1.5 },
        { dims: [2, 3], whole: true, values: [0, 3, 1, 1, 0, 1] },
      ],
      [
        { dims: [4, 3], low: 0.5, high: 1.5 },
        { dims: [0], whole: true },
      ],
      [
        { dims: [2, 1], low: 0.5, high: 1.5 },
        { dims: [], whole: true, values: [1] },
      ],
    ],
  },
];

function rowsOf(weight: Reference, index: Reference): Reference {
  return array([...index.dims, weight.dims[1] ?? 0], (place) => at(weight, [at(index, place.slice(0, -1)), place.at(-1) ?? 0]));
}
