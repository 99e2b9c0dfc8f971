/** Normalisations against their formulas in float64, for rows of any length: shorter than a vector, with tails, longer than a run of sums. */

import type { DType, RowwiseKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { PATIENCE, dense, devices, rounded, runKernel } from '../../test/rounded-runs.ts';
import type { Contents } from '../../test/rounded-runs.ts';

type Row = readonly number[];

const sum = (row: Row): number => row.reduce((a, b) => a + b, 0);
const mean = (row: Row): number => sum(row) / row.length;
const dot = (a: Row, b: Row): number => sum(a.map((value, i) => value * (b[i] ?? NaN)));
const times = (a: Row, b: Row): number[] => a.map((value, i) => value * (b[i] ?? NaN));

const EPS = 1e-3;

function logOfSum(x: Row): number {
  const top = x.reduce((a, b) => Math.max(a, b), -Infinity);
  return top + Math.log(sum(x.map((value) => Math.exp(value - top))));
}

function normalised(x: Row, centred: boolean): { n: number[]; r: number } {
  const centre = centred ? mean(x) : 0;
  const distances = x.map((value) => value - centre);
  const r = 1 / Math.sqrt(dot(distances, distances) / x.length + EPS);
  return { n: distances.map((value) => value * r), r };
}

function normGradient(x: Row, w: Row, g: Row, centred: boolean): number[] {
  const { n, r } = normalised(x, centred);
  const h = times(g, w);
  const slope = dot(h, n) / x.length;
  const shift = centred ? mean(h) : 0;
  return h.map((value, i) => r * (value - shift - (n[i] ?? NaN) * slope));
}

type Name = RowwiseKernel['function'];

/** What each function makes of a row: x, weight, bias. */
const FORWARD: { readonly [N in Name]: (x: Row, w: Row, b: Row) => number[] } = {
  softmax: (x) => FORWARD.logSoftmax(x, [], []).map(Math.exp),
  logSoftmax: (x) => {
    const log = logOfSum(x);
    return x.map((value) => value - log);
  },
  logSumExp: (x) => [logOfSum(x)],
  layerNorm: (x, w, b) => times(normalised(x, true).n, w).map((value, i) => value + (b[i] ?? NaN)),
  rmsNorm: (x, w) => times(normalised(x, false).n, w),
};
/** And backward: x or y, weight (or the row's y), gradient. */
const BACKWARD: { readonly [N in Name]: (x: Row, w: Row, g: Row) => number[] } = {
  softmax: (y, _w, g) => {
    const along = dot(g, y);
    return y.map((value, i) => value * ((g[i] ?? NaN) - along));
  },
  logSoftmax: (y, _w, g) => {
    const total = sum(g);
    return g.map((value, i) => value - Math.exp(y[i] ?? NaN) * total);
  },
  logSumExp: (x, y, g) => x.map((value) => (g[0] ?? NaN) * Math.exp(value - (y[0] ?? NaN))),
  layerNorm: (x, w, g) => normGradient(x, w, g, true),
  rmsNorm: (x, w, g) => normGradient(x, w, g, false),
};

const NAMES = Object.keys(FORWARD) as Name[];
/** The largest error of a result, relative to the magnitudes that it is made of. */
const TOLERANCE = { float32: 2e-6, float16: 2 ** -10, bfloat16: 2 ** -7 };
/** A sum may be off by this share of the sum of its magnitudes, in units of the tolerance. */
const LOST_IN_SUMS = 0.05;

const cases = fc.record({
  name: fc.constantFrom(...NAMES),
  pass: fc.constantFrom('forward' as const, 'backward' as const),
  dtype: fc.constantFrom('float32' as const, 'float16' as const, 'bfloat16' as const),
  rows: fc.integer({ min: 1, max: 3 }),
  columns: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 4090, max: 5000 })),
  seed: fc.nat(),
});

/** Repeatable numbers between -2 and 2, as the dtype holds them. */
function numbers(dtype: DType, count: number, seed: number): number[] {
  let state = seed % 2147483647 || 1;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return rounded(dtype, (4 * state) / 2147483647 - 2);
  });
}

const split = (values: Row, rows: number): Row[] => {
  const columns = values.length / rows;
  return Array.from({ length: rows }, (_, i) => values.slice(i * columns, (i + 1) * columns));
};

for (const [simd, device] of await devices())
  test(`rows of any length, simd: ${simd}`, { timeout: PATIENCE }, () => {
    fc.assert(
      fc.property(cases, ({ name, pass, dtype, rows, columns, seed }) => {
        const forward = pass === 'forward';
        const norm = name === 'layerNorm' || name === 'rmsNorm';
        const perRow = name === 'logSumExp';
        const matrix = numbers(dtype, rows * columns, seed);
        const weight = numbers(dtype, columns, seed + 1);
        const bias = numbers(dtype, columns, seed + 2);
        const gradient = numbers(dtype, perRow ? rows : rows * columns, seed + 3);
        // Where the gradient is made of y, any matrix may stand for it.
        const xs = split(matrix, rows);
        const lse = xs.map((x) => rounded(dtype, logOfSum(x)));
        const gs = split(gradient, rows);
        const expected = xs.flatMap((x, i) =>
          forward ? FORWARD[name](x, weight, bias) : BACKWARD[name](x, perRow ? lse.slice(i) : weight, gs[i] ?? []),
        );
        const inputs = [matrix];
        if (norm) inputs.push(weight);
        if (forward && name === 'layerNorm') inputs.push(bias);
        if (!forward && perRow) inputs.push(lse);
        if (!forward) inputs.push(gradient);
        const contents: Contents[] = [...inputs, expected.map(() => 0)].map((values) => ({ values }));
        const kernel: RowwiseKernel = {
          kind: 'rowwise',
          function: name,
          pass,
          operands: [...inputs.map(() => dense(dtype)), dense(dtype, 'write')],
          scalars: norm ? ['float32'] : [],
        };
        const result = runKernel(device, kernel, [rows, columns], contents, norm ? [EPS] : []).at(-1) ?? [];
        // Gradients of softmax and logSoftmax multiply by sums over the row.
        const summed = forward || norm ? 0 : Math.max(...xs.map((x, k) => sum(times(x, gs[k] ?? []).map((term) => 1 + Math.abs(term)))));
        const errors = result.map((value, i) => {
          const want = expected[i] ?? NaN;
          const magnitude = 1 + Math.abs(want) + (perRow ? 0 : LOST_IN_SUMS * summed);
          return Math.abs(value - want) / magnitude;
        });
        const worst = errors.reduce((a, b) => Math.max(a, b), 0);
        expect(worst, `${name} ${pass} ${dtype}`).toBeLessThanOrEqual(TOLERANCE[dtype]);
      }),
      { numRuns: 60 },
    );
  });

for (const [simd, device] of await devices())
  test(`softmax has relative error < 4e-7 down to denormal results, simd: ${simd}`, () => {
    // Two columns: the second result is eˣ / (1 + eˣ).
    const xs = Array.from({ length: 10_001 }, (_, i) => Math.fround(-i / 97));
    const kernel: RowwiseKernel = {
      kind: 'rowwise',
      function: 'softmax',
      pass: 'forward',
      operands: [dense('float32'), dense('float32', 'write')],
      scalars: [],
    };
    const matrix = xs.flatMap((x) => [0, x, -Infinity, -Infinity]);
    const result = runKernel(device, kernel, [xs.length, 4], [{ values: matrix }, { values: matrix.map(() => 0) }])[1] ?? [];
    const errors = xs.map((x, i) => {
      const want = Math.exp(x) / (1 + Math.exp(x));
      return Math.abs((result[4 * i + 1] ?? NaN) - want) / Math.max(want, 2 ** -126);
    });
    expect(errors.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(4e-7);
  });
