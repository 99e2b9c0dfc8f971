/** Attention where tiles and chunks end: a query, a key and a dimension more than fit. And programs for all sizes. */

import type { AttentionKernel } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noDawn } from '../../test/dawn.ts';
import { dense, runDense, values } from '../../test/dense-runs.ts';
import { webgpu } from '../index.ts';
import type { WebGpuDevice } from '../index.ts';

/** Shaders take seconds to compile on the software driver. */
const PATIENCE = 240_000;

const HEAD_DIM = 33;
const SCALE = 0.5;
const [HEADS, KEY_HEADS] = [2, 1];

const inputs = [dense('float32'), dense('float32'), dense('float32')];
const rest = { kind: 'attention', headDim: HEAD_DIM, causal: true, mask: 'none', scalars: ['float32'] } as const;
const forward: AttentionKernel = { ...rest, pass: 'forward', operands: [...inputs, dense('float32', 'write'), dense('float32', 'write')] };
const backward: AttentionKernel = {
  ...rest,
  pass: 'backward',
  operands: [...inputs, ...inputs, dense('float32', 'write'), dense('float32', 'write'), dense('float32', 'write')],
};

interface Found {
  readonly y: number[];
  readonly lse: number[];
  readonly dq: number[];
  readonly dk: number[];
  readonly dv: number[];
}

/** The formulas of the contract for one image, in float64. */
function reference(T: number, S: number, q: readonly number[], k: readonly number[], v: readonly number[], g: readonly number[]): Found {
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const [queries, keys] = [HEADS * T * HEAD_DIM, KEY_HEADS * S * HEAD_DIM];
  const found = { y: zeros(queries), lse: zeros(HEADS * T), dq: zeros(queries), dk: zeros(keys), dv: zeros(keys) };
  const dot = (a: readonly number[], i: number, b: readonly number[], j: number): number => {
    let sum = 0;
    for (let d = 0; d < HEAD_DIM; d++) sum += (a[i * HEAD_DIM + d] ?? NaN) * (b[j * HEAD_DIM + d] ?? NaN);
    return sum;
  };
  const add = (to: number[], i: number, factor: number, from: readonly number[], j: number): void => {
    for (let d = 0; d < HEAD_DIM; d++) to[i * HEAD_DIM + d] = (to[i * HEAD_DIM + d] ?? NaN) + factor * (from[j * HEAD_DIM + d] ?? NaN);
  };
  for (let row = 0; row < HEADS * T; row++) {
    // All heads use the one key head; a query sees the keys up to its own place.
    const scores = Array.from({ length: Math.min(S, (row % T) + 1) }, (_, s) => SCALE * dot(q, row, k, s));
    const lse = Math.log(scores.reduce((sum, score) => sum + Math.exp(score), 0));
    const p = scores.map((score) => Math.exp(score - lse));
    p.forEach((weight, s) => add(found.y, row, weight, v, s));
    const along = dot(g, row, found.y, row);
    p.forEach((weight, s) => {
      const slope = SCALE * weight * (dot(g, row, v, s) - along);
      add(found.dq, row, slope, k, s);
      add(found.dk, s, slope, q, row);
      add(found.dv, s, weight, g, row);
    });
    found.lse[row] = lse;
  }
  return found;
}

function worst(got: readonly number[] | undefined, expected: readonly number[]): number {
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - (got?.[i] ?? NaN))), 0);
}

describe.skipIf(noDawn !== null)('on a device', () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu();
  });
  afterAll(() => device.dispose());

  test('one more than tiles and chunks have, with the programs of every other size', { timeout: PATIENCE }, async () => {
    const shaders: number[] = [];
    for (const [T, S] of [
      [33, 65],
      [32, 32],
      [65, 31],
    ] as const) {
      const [queries, keys] = [HEADS * T * HEAD_DIM, KEY_HEADS * S * HEAD_DIM];
      const [q, k, v, g] = [values(queries, 1), values(keys, 2), values(keys, 3), values(queries, 4)];
      const expected = reference(T, S, q, k, v, g);
      const sizes = [1, HEADS, KEY_HEADS, T, S];
      const [, , , y = [], lse = []] = await runDense(device, forward, sizes, [q, k, v, queries, HEADS * T], [SCALE]);
      expect(worst(y, expected.y), `y of ${T} x ${S}`).toBeLessThan(2e-6);
      expect(worst(lse, expected.lse), `lse of ${T} x ${S}`).toBeLessThan(2e-6);
      const results = await runDense(device, backward, sizes, [q, k, v, y, lse, g, queries, keys, keys], [SCALE]);
      expect(worst(results[6], expected.dq), `dq of ${T} x ${S}`).toBeLessThan(2e-5);
      expect(worst(results[7], expected.dk), `dk of ${T} x ${S}`).toBeLessThan(2e-5);
      expect(worst(results[8], expected.dv), `dv of ${T} x ${S}`).toBeLessThan(2e-5);
      shaders.push(device.statistics.shaders);
    }
    // One forward; numbers, queries and keys backward.
    expect(shaders).toEqual([4, 4, 4]);
  });

  test('claims heads up to the variables that a function may have', () => {
    expect(device.supports({ ...forward, headDim: 1024 })).toBe(true);
    expect(device.supports({ ...forward, headDim: 1025 })).toBe(false);
  });
});
