/** Attention, interpreted: the formulas of `attention.ts` in the contract, row by row in float64, rounded when stored. */

import type { AttentionKernel } from '@gradus/backend';
import { sumOf } from './fold.ts';
import { forEachPoint } from './launch.ts';
import type { Launch } from './launch.ts';
import { hold } from './number.ts';
import { logSumExp } from './rowwise.ts';

/** Sizes, and access to rows of operands by name. */
interface Attention {
  readonly heads: number;
  readonly keyHeads: number;
  readonly T: number;
  readonly S: number;
  /** The vector of one query (or key) in an operand `[B, heads, T, headDim]` (or `[B, keyHeads, S, headDim]`). */
  readonly query: (operand: number, b: number, h: number, t: number) => number[];
  readonly key: (operand: number, b: number, h: number, s: number) => number[];
  /** Scaled and masked scores of a query with all keys. */
  readonly scores: (b: number, h: number, t: number) => number[];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return sumOf(a.map((value, i) => value * (b[i] ?? NaN)));
}

function attentionOf(kernel: AttentionKernel, launch: Launch): Attention {
  const [, heads = 0, keyHeads = 0, T = 0, S = 0] = launch.dims;
  const { headDim, causal, mask } = kernel;
  const vector = (operand: number, row: number): number[] => Array.from({ length: headDim }, (_, d) => launch.view(operand).get(row * headDim + d));
  const query: Attention['query'] = (operand, b, h, t) => vector(operand, (b * heads + h) * T + t);
  // Several heads in a row share a key head.
  const key: Attention['key'] = (operand, b, h, s) => vector(operand, (b * keyHeads + keyHeadOf(h, heads, keyHeads)) * S + s);
  const scores: Attention['scores'] = (b, h, t) => {
    const q = query(0, b, h, t);
    return Array.from({ length: S }, (_, s) => {
      const masked = mask === 'none' ? 0 : launch.view(3).get((b * T + t) * S + s);
      if ((causal && s > t) || (mask === 'bool' && masked === 0)) return -Infinity;
      return launch.scalar(0) * dot(q, key(1, b, h, s)) + (mask === 'additive' ? masked : 0);
    });
  };
  return { heads, keyHeads, T, S, query, key, scores };
}

function keyHeadOf(head: number, heads: number, keyHeads: number): number {
  return Math.floor(head / (heads / keyHeads));
}

/** `exp(score - lse)`, and 0 for what is not allowed: a row of nothing has an lse of -Infinity too. */
function probabilities(scores: readonly number[], lse: number): number[] {
  return scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - lse)));
}

export function interpretAttention(kernel: AttentionKernel, launch: Launch): void {
  if (kernel.pass === 'forward') forward(kernel, launch);
  else backward(kernel, launch);
}

function forward(kernel: AttentionKernel, launch: Launch): void {
  const { heads, T, S, key, scores } = attentionOf(kernel, launch);
  const [b = 0] = launch.dims;
  const { headDim } = kernel;
  const y = kernel.operands.length - 2;
  forEachPoint([b, heads, T], ([image = 0, h = 0, t = 0]) => {
    const row = (image * heads + h) * T + t;
    const of = scores(image, h, t);
    const lse = of.includes(Infinity) ? NaN : logSumExp(of);
    const p = probabilities(of, lse);
    const values = Array.from({ length: S }, (_, s) => key(2, image, h, s));
    for (let d = 0; d < headDim; d++) {
      const value = sumOf(p.map((weight, s) => weight * (values[s]?.[d] ?? NaN)));
      launch.view(y).set(row * headDim + d, hold(launch.dtype(y), value));
    }
    launch.view(y + 1).set(row, hold(launch.dtype(y + 1), lse));
  });
}

function backward(kernel: AttentionKernel, launch: Launch): void {
  const { heads, keyHeads, T, S, query, key, scores } = attentionOf(kernel, launch);
  const [b = 0] = launch.dims;
  const { headDim } = kernel;
  const y = kernel.mask === 'none' ? 3 : 4;
  const [lse, gradient, gradientOfQ, gradientOfK, gradientOfV] = [y + 1, y + 2, y + 3, y + 4, y + 5];
  const scale = launch.scalar(0);
  /** Terms of every element of a gradient, to be summed at the end. */
  const zeros = (rows: number): number[][] => Array.from({ length: rows * headDim }, () => []);
  const terms = { q: zeros(b * heads * T), k: zeros(b * keyHeads * S), v: zeros(b * keyHeads * S) };
  const add = (to: number[][], row: number, weight: number, vector: readonly number[]): void =>
    vector.forEach((value, d) => to[row * headDim + d]?.push(weight * value));

  forEachPoint([b, heads, T], ([image = 0, h = 0, t = 0]) => {
    const row = (image * heads + h) * T + t;
    const g = query(gradient, image, h, t);
    const p = probabilities(scores(image, h, t), launch.view(lse).get(row));
    const along = dot(g, query(y, image, h, t));
    p.forEach((weight, s) => {
      const keyRow = (image * keyHeads + keyHeadOf(h, heads, keyHeads)) * S + s;
      const ofScore = weight * (dot(g, key(2, image, h, s)) - along);
      add(terms.q, row, scale * ofScore, key(1, image, h, s));
      add(terms.k, keyRow, scale * ofScore, query(0, image, h, t));
      add(terms.v, keyRow, weight, g);
    });
  });
  const store = (operand: number, from: readonly (readonly number[])[]): void =>
    from.forEach((list, at) => launch.view(operand).set(at, hold(launch.dtype(operand), sumOf(list))));
  store(gradientOfQ, terms.q);
  store(gradientOfK, terms.k);
  store(gradientOfV, terms.v);
}
