/** Attention over more queries and keys than a tile or a block of the product has, against plain loops; the kit has the small ones. */

import type { AttentionKernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';

import { dense, deviceOf, runDense } from '../../test/support.ts';

const [T, S, headDim] = [150, 530, 12];
const scale = 0.3;

/** Numbers between -1 and 1 without a pattern. */
function values(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233));
}

const sum = (terms: readonly number[]): number => terms.reduce((a, b) => a + b, 0);
const vector = (of: readonly number[], row: number): number[] => of.slice(row * headDim, (row + 1) * headDim);
const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * (b[i] ?? NaN)));

const [q, k, v, g] = [values(T * headDim, 1), values(S * headDim, 2), values(S * headDim, 3), values(T * headDim, 4)];

/** Probabilities of all pairs, and everything that follows from them. */
function plain(causal: boolean): { y: number[]; lse: number[]; gradients: number[][] } {
  const [y, lse]: [number[], number[]] = [[], []];
  const gradients = [q, k, v].map((of) => of.map(() => 0));
  const add = (to: number[] | undefined, row: number, weight: number, of: readonly number[]): void =>
    of.forEach((x, d) => to !== undefined && (to[row * headDim + d] = (to[row * headDim + d] ?? 0) + weight * x));
  for (let t = 0; t < T; t++) {
    const scores = Array.from({ length: causal ? Math.min(S, t + 1) : S }, (_, s) => scale * dot(vector(q, t), vector(k, s)));
    const total = sum(scores.map(Math.exp));
    const p = scores.map((score) => Math.exp(score) / total);
    const row = Array.from({ length: headDim }, (_, d) => sum(p.map((weight, s) => weight * (vector(v, s)[d] ?? NaN))));
    y.push(...row);
    lse.push(Math.log(total));
    p.forEach((weight, s) => {
      const slope = scale * weight * (dot(vector(g, t), vector(v, s)) - dot(vector(g, t), row));
      add(gradients[0], t, slope, vector(k, s));
      add(gradients[1], s, slope, vector(q, t));
      add(gradients[2], s, weight, vector(g, t));
    });
  }
  return { y, lse, gradients };
}

describe.each([false, true])('causal: %s', (causal) => {
  const expected = plain(causal);
  const device = deviceOf('generated');
  const kernel = (pass: AttentionKernel['pass'], reads: number, writes: number): AttentionKernel => ({
    kind: 'attention',
    pass,
    headDim,
    causal,
    mask: 'none',
    operands: Array.from({ length: reads + writes }, (_, i) => dense('float64', i < reads ? 'read' : 'write')),
    scalars: ['float64'],
  });
  const close = (got: readonly number[] | undefined, wanted: readonly number[] | undefined): void => {
    expect(got?.length).toBe(wanted?.length);
    expect(Math.max(...(got ?? []).map((x, i) => Math.abs(x - (wanted?.[i] ?? NaN))))).toBeLessThan(1e-12);
  };

  test('forward', () => {
    const got = runDense(device, kernel('forward', 3, 2), [1, 1, 1, T, S], [q, k, v, T * headDim, T], [scale]);
    close(got[3], expected.y);
    close(got[4], expected.lse);
  });

  test('backward', () => {
    const written = [q.length, k.length, v.length];
    const got = runDense(device, kernel('backward', 6, 3), [1, 1, 1, T, S], [q, k, v, expected.y, expected.lse, g, ...written], [scale]);
    for (const i of [0, 1, 2]) close(got[6 + i], expected.gradients[i]);
  });
});
