/** Products of integers: exact and the same everywhere, one kernel with what follows, and mistakes named. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { ArgumentError, DTypeError, ShapeError, explain, full, quantizedMatmul, tensor, zeros } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];
const whole = cpu();
const minimal = withoutFastPaths(cpu());

/** A product, scaled, shifted and rectified, of matrices with these elements. */
function layer(device: Device, a: Int8Array, b: Int8Array, k: number): Tensor {
  const x = tensor(a, { shape: [a.length / k, k], dtype: 'int8', device });
  const weight = tensor(b, { shape: [b.length / k, k], dtype: 'int8', device });
  const [scale, bias] = [0.25, -1].map((v) => full([b.length / k], v, { device }).copy());
  for (const t of [x, weight, scale, bias]) t?.evaluate();
  return quantizedMatmul(x, weight)
    .toDType('float32')
    .mul(scale as Tensor)
    .add(bias as Tensor)
    .relu();
}

const byte = fc.integer({ min: -128, max: 127 });
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }))
  .chain(([m, n, k]) =>
    fc.tuple(fc.constant(k), fc.array(byte, { minLength: m * k, maxLength: m * k }), fc.array(byte, { minLength: n * k, maxLength: n * k })),
  );

test('the kernel and its decomposition give the same bits, epilogue included', () => {
  fc.assert(
    fc.property(matrices, ([k, a, b]) => {
      const [one, other] = [whole, minimal].map((device) => values(layer(device, Int8Array.from(a), Int8Array.from(b), k)));
      expect(one).toEqual(other);
    }),
    { numRuns: 30 },
  );
});

describe.each([
  ['cpu', whole, [['quantizedContract']]],
  ['required kernels only', minimal, [['reduce']]],
] as const)('on %s', (_, device, kernels) => {
  test('scale, bias and activation are part of the one kernel', () => {
    layer(device, new Int8Array(6).fill(3), new Int8Array(12).fill(-2), 3).evaluate();
    const report = explain(device);
    expect(report?.kernels.map((k) => k.kernels)).toEqual(kernels);
    expect(report?.kernels[0]?.anchor).toBe('quantizedMatmul');
    expect(report?.kernels[0]?.fused.toSorted()).toEqual(['add', 'cast', 'mul', 'relu']);
  });

  test('sums wrap as int32 does', () => {
    const count = 140_000;
    const lowest = full([1, count], -128, { dtype: 'int8', device });
    expect(quantizedMatmul(lowest, lowest).itemSync()).toBe((16_384 * count) | 0);
  });

  test('4-bit values have the low half first, and a sign', () => {
    // 0x8f: -1, then -8. 0x07: 7, then 0, which K = 3 leaves out.
    const weight = tensor(new Uint8Array([0x8f, 0xf7]), { shape: [1, 2], dtype: 'uint8', device });
    const x = tensor([[1, 10, 100]], { dtype: 'int8', device });
    expect(values(quantizedMatmul(x, weight))).toEqual([-1 - 80 + 700]);
    const scales = tensor([[0.5, 2]], { device });
    expect(values(quantizedMatmul(x, weight, { scales, group: 2 }))).toEqual([0.5 * -81 + 2 * 700]);
    expect(values(quantizedMatmul(x, weight, { scales: tensor([[0.5]], { device }) }))).toEqual([309.5]);
  });

  test('a vector gives a vector, and views are taken as they are', () => {
    const x = tensor(
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
      { dtype: 'int8', device },
    ).transpose();
    const weight = tensor([[1, 10, 100]], { dtype: 'int8', device });
    expect(values(quantizedMatmul(x, weight))).toEqual([321, 654]);
    expect(quantizedMatmul(x.slice([0]), weight).shape).toEqual([1]);
  });
});

test('mistakes are named', () => {
  const a = zeros([2, 4], { dtype: 'int8' });
  const b = zeros([3, 4], { dtype: 'int8' });
  const packed = zeros([3, 2], { dtype: 'uint8' });
  const scales = zeros([3, 2]);
  expect(() => quantizedMatmul(zeros([2, 4]), b)).toThrow(DTypeError);
  expect(() => quantizedMatmul(a, zeros([3, 4]))).toThrow('[quantizedMatmul] expected b in int8, or in uint8 with two values a byte, got float32');
  expect(() => quantizedMatmul(a, zeros([4, 3], { dtype: 'int8' }))).toThrow('transpose b');
  expect(() => quantizedMatmul(a, zeros([3, 4], { dtype: 'uint8' }))).toThrow('[N, ceil(K / 2)]');
  expect(() => quantizedMatmul(a, b, { group: 2 })).toThrow('pass { scales, group }');
  expect(() => quantizedMatmul(a, packed, { scales, group: 1 })).toThrow(ArgumentError);
  expect(() => quantizedMatmul(a, packed, { scales, group: 4 })).toThrow('expected scales [3, 1], one for each row of b and group, got [3, 2]');
  expect(() => quantizedMatmul(a, packed, { scales: scales.toDType('float16'), group: 2 })).toThrow(DTypeError);
  expect(() => quantizedMatmul(a, b, { aBits: 4 as never })).toThrow(ArgumentError);
  expect(() => quantizedMatmul(a, b, 7 as never)).toThrow(ArgumentError);
  expect(() => quantizedMatmul(a, zeros([4], { dtype: 'int8' }))).toThrow(ShapeError);
});
