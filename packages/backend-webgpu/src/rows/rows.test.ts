/** Rows around the sizes at which teams grow, of more columns than a block of sums has, and more of them than workgroups along one axis. */

import type { ArgReduceKernel, RowwiseKernel } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noDawn } from '../../test/dawn.ts';
import { dense, runDense, values } from '../../test/dense-runs.ts';
import { webgpu } from '../index.ts';
import type { WebGpuDevice } from '../index.ts';
import { prepareArgReduce } from './arg-reduce.ts';
import { teamSizeFor } from './team.ts';

const logSumExp: RowwiseKernel = {
  kind: 'rowwise',
  function: 'logSumExp',
  pass: 'forward',
  operands: [dense('float32'), dense('float32', 'write')],
  scalars: [],
};
const layerNorm: RowwiseKernel = {
  kind: 'rowwise',
  function: 'layerNorm',
  pass: 'backward',
  operands: [dense('float32'), dense('float32'), dense('float32'), dense('float32', 'write')],
  scalars: ['float32'],
};
const place: ArgReduceKernel = { kind: 'argReduce', fold: 'max', operands: [dense('uint8'), dense('int32', 'write')], scalars: [] };

/** The gradient of a layer norm's x, row by row in float64. */
function layerNormGradient(x: readonly number[], weight: readonly number[], gradient: readonly number[], eps: number): number[] {
  const columns = weight.length;
  const mean = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0) / columns;
  return Array.from({ length: x.length / columns }, (_, i) => i * columns).flatMap((from) => {
    const row = x.slice(from, from + columns);
    const centre = mean(row);
    const r = 1 / Math.sqrt(mean(row.map((value) => (value - centre) ** 2)) + eps);
    const n = row.map((value) => (value - centre) * r);
    const h = weight.map((w, c) => w * (gradient[from + c] ?? NaN));
    const [shift, slope] = [mean(h), mean(h.map((value, c) => value * (n[c] ?? NaN)))];
    return h.map((value, c) => r * (value - shift - (n[c] ?? NaN) * slope));
  });
}

test('teams grow at 65 and at 513 columns', () => {
  expect([1, 64, 65, 512, 513, 1e6].map(teamSizeFor)).toEqual([4, 4, 32, 32, 256, 256]);
});

test('more rows than one axis of workgroups has', () => {
  const rows = 64 * 65_535 + 3;
  const [dispatch] = prepareArgReduce(place)(Int32Array.of(rows, 2, 0, 2 * rows, 0, rows)).dispatches;
  expect(dispatch).toMatchObject({ x: 32_768, y: 2 });
});

describe.skipIf(noDawn !== null)('on a device', () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu();
  });
  afterAll(() => device.dispose());

  test.each([
    [65, 63],
    [65, 64],
    [9, 65],
    [9, 512],
    [2, 513],
  ])('%i rows of %i columns', async (rows, columns) => {
    const [x, weight, gradient] = [values(rows * columns, 1), values(columns, 2), values(rows * columns, 3)];
    const [, , , result = []] = await runDense(device, layerNorm, [rows, columns], [x, weight, gradient, x.length], [1e-3]);
    const expected = layerNormGradient(x, weight, gradient, 1e-3);
    const errors = expected.map((value, i) => Math.abs(value - (result[i] ?? NaN)));
    expect(errors.reduce((a, b) => Math.max(a, b), 0)).toBeLessThan(5e-6);
  });

  test('a row of more columns than are added up in one go', async () => {
    const columns = 300_001;
    const x = Float32Array.from({ length: columns }, (_, i) => (i % 3) / 2);
    const [, [result = NaN] = []] = await runDense(device, logSumExp, [1, columns], [x, 1]);
    const expected = Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0));
    expect(Math.abs(result - expected)).toBeLessThan(2e-6);
  });

  test('sizes compile nothing but a program for each size of team', async () => {
    const own = await webgpu();
    const shaders: number[] = [];
    for (const columns of [3, 64, 65, 300, 513, 2000]) {
      await runDense(own, logSumExp, [2, columns], [values(2 * columns, 1), 2]);
      shaders.push(own.statistics.shaders);
    }
    own.dispose();
    expect(shaders).toEqual([1, 1, 2, 2, 3, 3]);
  });
});
