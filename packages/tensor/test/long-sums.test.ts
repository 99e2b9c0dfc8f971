/** Sums of many: as exact as the contract asks of every backend. */

import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { logSumExp, mean, norm, scope, softmax, sum, tensor, variance } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { threefry } from '../src/random/threefry.ts';

const MANY = 10_000_000;
const SAMPLES = 1_000_000;

/** 10⁴ + N(0, 1), by Box and Muller, and their variance in float64. */
function shiftedNormal(): { readonly values: Float32Array; readonly variance: number } {
  const values = new Float32Array(SAMPLES);
  for (let i = 0; i < SAMPLES; i += 2) {
    const [a, b] = threefry([1, 2], [i, 0]);
    const radius = Math.sqrt(-2 * Math.log(((a >>> 0) + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * (b >>> 0)) / 2 ** 32;
    values[i] = 1e4 + radius * Math.cos(angle);
    values[i + 1] = 1e4 + radius * Math.sin(angle);
  }
  const average = values.reduce((total, x) => total + x, 0) / SAMPLES;
  return { values, variance: values.reduce((total, x) => total + (x - average) ** 2, 0) / (SAMPLES - 1) };
}

test.each<readonly [string, () => Promise<Device>]>([
  ['cpu', () => Promise.resolve(cpu())],
  ['wasm', () => wasm({ simd: 'plain' })],
])('sums, a variance and the likes of softmax on %s', async (_, make) => {
  const device = await make();
  const tenth = Math.fround(0.1);
  scope(() => {
    const tenths = tensor(new Float32Array(MANY).fill(0.1), { device });
    expect(Math.abs(sum(tenths).itemSync() / (tenth * MANY) - 1)).toBeLessThan(1e-5);
    expect(Math.abs(mean(tenths).itemSync() / tenth - 1)).toBeLessThan(1e-5);
    // Along the rows of a matrix, and down its columns.
    for (const axis of [0, 1]) {
      const lines = sum(tenths.reshape([1000, MANY / 1000]), { axis }).dataSync();
      const each = (tenth * MANY) / lines.length;
      expect(lines.every((total) => Math.abs(total / each - 1) < 1e-5)).toBe(true);
    }
  });
  scope(() => {
    const { values, variance: wanted } = shiftedNormal();
    expect(Math.abs(wanted - 1)).toBeLessThan(0.01);
    expect(Math.abs(variance(tensor(values, { device })).itemSync() / wanted - 1)).toBeLessThan(1e-4);
  });
  scope(() => {
    const zeros = tensor(new Float32Array(SAMPLES), { device });
    expect(Math.abs(logSumExp(zeros).itemSync() / Math.log(SAMPLES) - 1)).toBeLessThan(1e-6);
    expect(Math.abs((softmax(zeros).dataSync()[0] ?? NaN) * SAMPLES - 1)).toBeLessThan(1e-5);
    expect(Math.abs(norm(zeros.add(3)).itemSync() / (3 * Math.sqrt(SAMPLES)) - 1)).toBeLessThan(1e-5);
  });
});
