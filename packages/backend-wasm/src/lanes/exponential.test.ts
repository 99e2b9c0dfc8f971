/** exp, log and tanh over their whole range, against float64. Bounds are relative errors; where results are denormal, of the smallest normal number. */

import { apply, load } from '@gradus/backend';
import type { Backend, MapKernel, Opcode } from '@gradus/backend';
import { expect, test } from 'vitest';
import { devices, runKernel } from '../../test/support.ts';

const COUNT = 100_003;
const SMALLEST_NORMAL = 2 ** -126;

function results(device: Backend, op: Opcode, x: readonly number[]): number[] {
  const operand = { dtype: 'float32', layout: 'contiguous', space: 'full' } as const;
  const kernel: MapKernel = {
    kind: 'map',
    rank: 1,
    operands: [
      { ...operand, access: 'read' },
      { ...operand, access: 'write' },
    ],
    scalars: [],
    outputs: [{ operand: 1, value: apply(op, load('float32', 0)) }],
  };
  return (
    runKernel(
      device,
      kernel,
      [x.length],
      [
        { values: x, strides: [1] },
        { values: x.map(() => 0), strides: [1] },
      ],
    )[1] ?? []
  );
}

/** The largest error of a function of numbers evenly spread over an interval. */
function worstError(device: Backend, op: Opcode, exact: (x: number) => number, from: number, to: number): number {
  const x = Array.from({ length: COUNT }, (_, i) => Math.fround(from + ((to - from) * i) / (COUNT - 1)));
  return results(device, op, x).reduce((worst, value, i) => {
    const want = exact(x[i] ?? NaN);
    return Math.max(worst, Math.abs(value - want) / Math.max(Math.abs(want), SMALLEST_NORMAL));
  }, 0);
}

for (const [simd, device] of await devices()) {
  test(`exp has relative error < 1.3e-7, simd: ${simd}`, () => {
    expect(worstError(device, 'exp', Math.exp, -103, 88.7)).toBeLessThan(1.3e-7);
    expect(worstError(device, 'exp', Math.exp, -1, 1)).toBeLessThan(1.3e-7);
  });

  test(`log has relative error < 1.2e-7, simd: ${simd}`, () => {
    expect(worstError(device, 'log', Math.log, 1e-30, 1e30)).toBeLessThan(1.2e-7);
    expect(worstError(device, 'log', Math.log, 0.01, 3)).toBeLessThan(1.2e-7);
  });

  test(`tanh has relative error < 2.5e-7, simd: ${simd}`, () => {
    expect(worstError(device, 'tanh', Math.tanh, -10, 10)).toBeLessThan(2.5e-7);
    expect(worstError(device, 'tanh', Math.tanh, -1e-3, 1e-3)).toBeLessThan(2.5e-7);
  });

  test(`exp at the ends of its range, simd: ${simd}`, () => {
    const x = [0, -0, Infinity, -Infinity, NaN, 89, 1e30, -104, -1e30, 88.72283];
    const [zero, minus, infinite, none, broken, above, far, below, farBelow, last] = results(device, 'exp', x);
    expect([zero, minus, infinite, none, broken, above, far, below, farBelow]).toEqual([1, 1, Infinity, 0, NaN, Infinity, Infinity, 0, 0]);
    expect(last).toBeLessThan(Infinity);
  });
}
