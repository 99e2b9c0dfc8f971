/** Pooling against plain loops, where the conformance kit does not go: padding with dilation, windows without cells, 16-bit floats, long searches. */

import { accumulator, fromFloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType, PoolKernel, Window } from '@gradus/backend';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noDawn } from '../../test/dawn.ts';
import { webgpu } from '../index.ts';
import { get, operand, put, run } from '../../test/support.ts';
import type { WebGpuDevice } from '../index.ts';

interface Planes {
  readonly planes: number;
  readonly window: Window;
  readonly input: readonly number[];
  readonly output: readonly number[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

function points(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>((all, size) => all.flatMap((point) => Array.from({ length: size }, (_, i) => [...point, i])), [[]]);
}

/** For each window of a plane: its cells, in order. */
function windowsOf({ window: { size, stride, dilation, padding }, input, output }: Planes): number[][] {
  return points(output).map((out) =>
    points(size).flatMap((tap) => {
      const cell = out.map((at, axis) => at * (stride[axis] ?? 1) - (padding[axis] ?? 0) + (tap[axis] ?? 0) * (dilation[axis] ?? 1));
      const inside = cell.every((at, axis) => at >= 0 && at < (input[axis] ?? 0));
      return inside ? [cell.reduce((place, at, axis) => place * (input[axis] ?? 0) + at, 0)] : [];
    }),
  );
}

type Mode = Pick<PoolKernel, 'mode' | 'pass' | 'countPadding'>;

function expected({ mode, pass, countPadding }: Mode, planes: Planes, x: readonly number[], second: readonly number[]): number[] {
  const windows = windowsOf(planes);
  const [cells, forward] = [product(planes.input), pass === 'forward'];
  const result = Array.from({ length: planes.planes * (forward ? windows.length : cells) }, () => 0);
  for (let plane = 0; plane < planes.planes; plane++) {
    windows.forEach((all, w) => {
      const at = all.map((cell) => plane * cells + cell);
      const y = plane * windows.length + w;
      if (mode === 'max') {
        const nan = at.find((cell) => Number.isNaN(x[cell]));
        const largest = Math.max(...at.map((cell) => x[cell] ?? 0));
        const winner = nan ?? at.find((cell) => x[cell] === largest);
        if (forward) result[y] = winner === undefined ? -Infinity : (second[winner] ?? 0);
        else if (winner !== undefined) result[winner] = (result[winner] ?? 0) + (second[y] ?? 0);
        return;
      }
      const divisor = countPadding ? product(planes.window.size) : all.length;
      if (forward) result[y] = at.reduce((sum, cell) => sum + (x[cell] ?? 0), 0) / divisor;
      else for (const cell of at) result[cell] = (result[cell] ?? 0) + (x[y] ?? 0) / divisor;
    });
  }
  return result;
}

const MODES: readonly Mode[] = (['max', 'average'] as const).flatMap((mode) =>
  (['forward', 'backward'] as const).flatMap((pass) =>
    (mode === 'max' ? [true] : [true, false]).map((countPadding) => ({ mode, pass, countPadding })),
  ),
);

const GEOMETRIES: readonly Planes[] = [
  {
    planes: 2,
    window: { size: [3], stride: [2], dilation: [3], padding: [4] },
    input: [13],
    output: [8],
  },
  {
    planes: 3,
    window: { size: [2, 4], stride: [1, 3], dilation: [2, 1], padding: [1, 2] },
    input: [6, 17],
    output: [6, 7],
  },
  {
    planes: 2,
    window: { size: [2, 3, 2], stride: [2, 1, 3], dilation: [1, 2, 1], padding: [1, 2, 0] },
    input: [5, 6, 7],
    output: [3, 6, 3],
  },
  {
    planes: 1,
    window: { size: [17, 19], stride: [1, 1], dilation: [1, 1], padding: [0, 0] },
    input: [18, 20],
    output: [2, 2],
  },
];

describe.skipIf(noDawn !== null)(noDawn === null ? 'pool' : `pool (skipped: ${noDawn})`, () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await webgpu();
  });
  afterAll(() => device.dispose());

  async function pooled(kernel: Mode, dtype: DType, planes: Planes, x: readonly number[], second: readonly number[]): Promise<number[]> {
    const inputs = kernel.mode === 'max' ? [x, second] : [x];
    const length = planes.planes * product(kernel.pass === 'forward' ? planes.output : planes.input);
    const [encode, decode] = dtype === 'float16' ? [toFloat16Bits, fromFloat16Bits] : [Number, Number];
    const zeros = Array.from({ length }, () => 0);
    const blocks = [...inputs, zeros].map((values) => put(device, dtype, values.map(encode)));
    const result = [1, planes.planes, ...(kernel.pass === 'forward' ? planes.output : planes.input)];
    const strides = Array.from(result, (_, axis) => product(result.slice(axis + 1)));
    const made: PoolKernel = {
      kind: 'pool',
      ...kernel,
      window: planes.window,
      operands: [...inputs.map(() => operand(dtype, 'read', 'indexed')), operand(dtype, 'write', 'contiguous', 'kept')],
      scalars: [],
      outputs: [{ operand: inputs.length, value: accumulator(dtype) }],
    };
    run(device, made, blocks, [1, planes.planes, ...planes.input, ...planes.output, ...inputs.flatMap(({ length: n }) => [0, n]), 0, ...strides]);
    const [last] = blocks.slice(-1);
    return last === undefined ? [] : (await get(device, last, dtype)).map(decode);
  }

  const titled = MODES.flatMap((mode) => (['float32', 'float16'] as const).map((dtype) => ({ ...mode, dtype })));
  test.each(titled)('$dtype: $mode, $pass, padding counted: $countPadding', async ({ dtype, ...mode }) => {
    for (const planes of GEOMETRIES) {
      const cells = planes.planes * product(planes.input);
      const outputs = planes.planes * product(planes.output);
      const x = Array.from({ length: cells }, (_, i) => (i % 29 === 17 && mode.mode === 'max' ? NaN : (i * 7) % 11));
      const y = Array.from({ length: outputs }, (_, i) => (i % 5) - 2);
      const first = mode.mode === 'average' && mode.pass === 'backward' ? y : x;
      const second = mode.pass === 'forward' ? x.map((_, i) => i % 13) : y;
      const [got, exact] = [await pooled(mode, dtype, planes, first, second), expected(mode, planes, first, second)];
      expect(got.length).toBe(exact.length);
      exact.forEach((value, i) => {
        // Maxima and their gradients are whole numbers. Averages of nothing are NaN.
        const bound = mode.mode === 'max' ? 0 : Math.abs(value) * (dtype === 'float16' ? 2 ** -10 : 2 ** -21) + 2 ** -20;
        if (Number.isFinite(value)) expect(Math.abs((got[i] ?? NaN) - value), `${i}`).toBeLessThanOrEqual(bound);
        else expect(got[i]).toBe(value);
      });
    }
  });

  test('the maximum of one large window, wherever it is', async () => {
    const n = 1000;
    const planes: Planes = { planes: 3, window: { size: [n], stride: [1], dilation: [1], padding: [0] }, input: [n], output: [1] };
    const x = [0, 1, 2].flatMap((plane) => Array.from({ length: n }, (_, i) => (plane === 0 ? i : plane === 1 ? -i : 5)));
    const gradient = await pooled({ mode: 'max', pass: 'backward', countPadding: false }, 'float32', planes, x, [2, 3, 4]);
    expect([...gradient.entries()].filter(([, value]) => value !== 0)).toEqual([
      [n - 1, 2],
      [n, 3],
      [2 * n, 4],
    ]);
  });
});
