/** Attention over any sizes, several blocks of keys and queries among them, against plain loops in float64; the kit has small sizes and special values. */

import type { AttentionKernel, Backend } from '@gradus/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SIMD_LEVELS, dense, runDense, values } from '../../test/dense.ts';
import { wasm } from '../index.ts';

/** Scores of about 1, and sums of up to a thousand numbers below 1: some hundred roundings. */
const BOUND = 3e-5;
const SCALE = 0.3;

interface Sizes {
  readonly images: number;
  readonly keyHeads: number;
  readonly sharing: number;
  readonly T: number;
  readonly S: number;
  readonly headDim: number;
}

type Mask = AttentionKernel['mask'];

interface Inputs extends Sizes {
  readonly causal: boolean;
  readonly mask: Mask;
  readonly q: readonly number[];
  readonly k: readonly number[];
  readonly v: readonly number[];
  readonly g: readonly number[];
  /** For every query of an image and every key: what is added to the score. */
  readonly added: readonly number[];
}

function inputsOf(sizes: Sizes, causal: boolean, mask: Mask): Inputs {
  const { images, keyHeads, sharing, T, S, headDim } = sizes;
  const queries = images * keyHeads * sharing * T * headDim;
  const keys = images * keyHeads * S * headDim;
  const rows = values(images * T * S, 5);
  // Every fifth row allows nothing.
  const allowed = (x: number, i: number): boolean => x < 0.5 && Math.floor(i / S) % 5 !== 1;
  const added = rows.map((x, i) => (mask === 'none' ? 0 : allowed(x, i) ? (mask === 'bool' ? 0 : x) : -Infinity));
  return { ...sizes, causal, mask, q: values(queries, 1), k: values(keys, 2), v: values(keys, 3), g: values(queries, 4), added };
}

interface Results {
  readonly y: number[];
  readonly lse: number[];
  readonly dq: number[];
  readonly dk: number[];
  readonly dv: number[];
}

/** As the contract has it. */
function plain(inputs: Inputs): Results {
  const { images, keyHeads, sharing, T, S, headDim, causal, q, k, v, g, added } = inputs;
  const heads = keyHeads * sharing;
  const zeros = (like: readonly number[]): number[] => like.map(() => 0);
  const results: Results = { y: zeros(q), lse: [], dq: zeros(q), dk: zeros(k), dv: zeros(v) };
  const dot = (a: readonly number[], from: number, b: readonly number[], at: number): number => {
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += (a[from + d] ?? NaN) * (b[at + d] ?? NaN);
    return sum;
  };
  const add = (to: number[], at: number, weight: number, of: readonly number[], from: number): void => {
    for (let d = 0; d < headDim; d++) to[at + d] = (to[at + d] ?? NaN) + weight * (of[from + d] ?? NaN);
  };
  for (let row = 0; row < images * heads * T; row++) {
    const [t, head] = [row % T, Math.floor(row / T)];
    const image = Math.floor(head / heads);
    const query = row * headDim;
    const keyAt = (s: number): number => (Math.floor(head / sharing) * S + s) * headDim;
    const scores = Array.from({ length: S }, (_, s) =>
      causal && s > t ? -Infinity : SCALE * dot(q, query, k, keyAt(s)) + (added[(image * T + t) * S + s] ?? NaN),
    );
    const top = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = scores.reduce((sum, score) => sum + (score === -Infinity ? 0 : Math.exp(score - top)), 0);
    const p = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - top) / total));
    results.lse.push(top + Math.log(total));
    p.forEach((weight, s) => add(results.y, query, weight, v, keyAt(s)));
    const mean = dot(g, query, results.y, query);
    p.forEach((weight, s) => {
      const slope = SCALE * weight * (dot(g, query, v, keyAt(s)) - mean);
      add(results.dq, query, slope, k, keyAt(s));
      add(results.dk, keyAt(s), slope, q, query);
      add(results.dv, keyAt(s), weight, g, query);
    });
  }
  return results;
}

function run(device: Backend, inputs: Inputs): Results {
  const { images, keyHeads, sharing, T, S, headDim, causal, mask, q, k, v, g, added } = inputs;
  const sizes = [images, keyHeads * sharing, keyHeads, T, S];
  const masks = mask === 'none' ? [] : [mask === 'bool' ? added.map((x) => Number(x === 0)) : added];
  const reads = [dense('float32'), dense('float32'), dense('float32'), ...masks.map(() => dense(mask === 'bool' ? 'bool' : 'float32'))];
  const write = dense('float32', 'write');
  const kernel = { kind: 'attention', headDim, causal, mask, scalars: ['float32'] } as const;
  const forward: AttentionKernel = { ...kernel, pass: 'forward', operands: [...reads, write, write] };
  const rows = images * keyHeads * sharing * T;
  const [y = [], lse = []] = runDense(device, forward, sizes, [q, k, v, ...masks, q.length, rows], [SCALE]).slice(-2);
  const three = [dense('float32'), dense('float32'), dense('float32')];
  const backward: AttentionKernel = { ...kernel, pass: 'backward', operands: [...reads, ...three, write, write, write] };
  const contents = [q, k, v, ...masks, y, lse, g, q.length, k.length, v.length];
  const [dq = [], dk = [], dv = []] = runDense(device, backward, sizes, contents, [SCALE]).slice(-3);
  return { y, lse, dq, dk, dv };
}

function expectClose(got: readonly number[], wanted: readonly number[], name: string): void {
  expect(got.length, name).toBe(wanted.length);
  const off = got.findIndex((x, i) => {
    const exact = wanted[i] ?? NaN;
    return !(x === exact || Math.abs(x - exact) <= BOUND * Math.max(1, Math.abs(exact)));
  });
  expect(off, `${name}: element ${off} is ${got[off]} and should be ${wanted[off]}`).toBe(-1);
}

function check(device: Backend, inputs: Inputs): void {
  const [got, wanted] = [run(device, inputs), plain(inputs)];
  for (const name of ['y', 'lse', 'dq', 'dk', 'dv'] as const) expectClose(got[name], wanted[name], name);
}

describe.each(SIMD_LEVELS)('attention, %s SIMD', (simd) => {
  const one: Sizes = { images: 1, keyHeads: 1, sharing: 1, T: 0, S: 0, headDim: 4 };

  test.each([
    { ...one, T: 150, S: 270, headDim: 12 },
    { ...one, T: 270, S: 150, headDim: 7 },
    { ...one, images: 2, keyHeads: 2, sharing: 3, T: 67, S: 131, headDim: 5 },
    // More key heads than there are units.
    { ...one, images: 7, keyHeads: 5, T: 3, S: 4 },
  ])('several blocks, odd sizes: $images images, $keyHeads key heads, $T by $S, headDim $headDim', async (sizes) => {
    const device = await wasm({ simd });
    for (const causal of [false, true]) for (const mask of ['none', 'bool', 'additive'] as const) check(device, inputsOf(sizes, causal, mask));
  });

  test('any sizes', async () => {
    const device = await wasm({ simd });
    const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
    const sizes = fc.record({
      images: few(2),
      keyHeads: few(2),
      sharing: few(3),
      T: fc.nat(80),
      S: fc.nat(140),
      headDim: few(20),
    });
    fc.assert(
      fc.property(sizes, fc.boolean(), fc.constantFrom<Mask>('none', 'bool', 'additive'), (own, causal, mask) =>
        check(device, inputsOf(own, causal, mask)),
      ),
      { numRuns: 40 },
    );
  });

  test('a run repeats to the bit, whatever the memory held', async () => {
    const device = await wasm({ simd });
    const inputs = inputsOf({ ...one, images: 3, keyHeads: 2, sharing: 2, T: 21, S: 37, headDim: 6 }, true, 'additive');
    const first = run(device, inputs);
    run(device, inputsOf({ ...one, T: 90, S: 140, headDim: 16 }, false, 'none'));
    expect(run(device, inputs)).toEqual(first);
  });
});
