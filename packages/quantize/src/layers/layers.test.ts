/** The layers: PyTorch's outputs, integers that are the same everywhere, and mistakes named. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { Linear } from '@gradus/nn';
import {
  ArgumentError,
  DTypeError,
  GradientError,
  Parameter,
  ShapeError,
  assign,
  compile,
  grad,
  manualSeed,
  noGrad,
  randn,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Int4WeightOnlyLinear, Int8WeightOnlyLinear, QuantizedLinear } from '../index.ts';

const numbers = (t: Tensor): number[] => [...t.dataSync()];
const whole = cpu();
const minimal = withoutFastPaths(cpu());

/** A Linear with these tensors, wherever they are. */
function linearOf(weight: Tensor, bias: Tensor | null): Linear {
  const [out = 0, features = 0] = weight.shape;
  const linear = new Linear(features, out, { bias: bias !== null });
  return Object.assign(linear, { weight: new Parameter(weight), bias: bias && new Parameter(bias) });
}

const example = (device: Device): Linear =>
  linearOf(
    tensor(
      [
        [0.1, -0.2, 0.3],
        [-1, 0.5, 0.25],
      ],
      { device },
    ),
    tensor([0.01, -0.02], { device }),
  );
const input = (device: Device): Tensor =>
  tensor(
    [
      [1, -2, 0.5],
      [0.3, 0.3, -0.7],
    ],
    { device },
  );

/** torch 1.13.1, `quantize_dynamic(Sequential(Linear(3, 2)), {Linear})(x)`, with the engines onednn (as FBGEMM) and qnnpack. */
describe.each([
  ['cpu', whole],
  ['required kernels only', minimal],
] as const)("PyTorch's outputs on %s", (_, device) => {
  test.each([
    [true, [0.65270501, -1.8916074, -0.23011118, -0.34959704]],
    [false, [0.65138412, -1.89598632, -0.22916956, -0.34830454]],
  ])('reduceRange %s', (reduceRange, expected) => {
    const y = numbers(new QuantizedLinear(example(device), { reduceRange }).forward(input(device)));
    for (const [i, value] of expected.entries()) expect(Math.abs((y[i] ?? NaN) - value)).toBeLessThan(1.5e-7);
  });
});

test('integers and outputs are the same to the bit on a device with the required kernels only', () => {
  manualSeed(3);
  const [weight, bias, x] = [randn([9, 33]), randn([9]), randn([5, 33])].map((t) => t.dataSync());
  const results = [whole, minimal].map((device) => {
    const linear = linearOf(tensor(weight ?? [], { shape: [9, 33], device }), tensor(bias ?? [], { device }));
    const layer = new QuantizedLinear(linear, { perChannel: true });
    const y = layer.forward(tensor(x ?? [], { shape: [5, 33], device }));
    return [layer.weight, layer.weightScale, layer.weightSum, y].map(numbers);
  });
  expect(results[0]).toEqual(results[1]);
  expect(results[0]?.[0]?.some((v) => v === 127)).toBe(true);
});

describe.each([
  ['QuantizedLinear', (linear: Linear) => new QuantizedLinear(linear), 0.03],
  ['QuantizedLinear of 0..255', (linear: Linear) => new QuantizedLinear(linear, { reduceRange: false }), 0.02],
  ['QuantizedLinear per channel', (linear: Linear) => new QuantizedLinear(linear, { perChannel: true }), 0.03],
  ['Int8WeightOnlyLinear', (linear: Linear) => new Int8WeightOnlyLinear(linear), 0.01],
  ['Int4WeightOnlyLinear', (linear: Linear) => new Int4WeightOnlyLinear(linear, 8), 0.12],
] as const)('%s', (_, make, tolerance) => {
  manualSeed(1);
  const linear = new Linear(32, 6);
  const layer = make(linear);

  test('is near the Linear', () => {
    const x = randn([2, 7, 32]);
    const [y, exact] = [layer.forward(x), linear.forward(x)];
    expect(y.shape).toEqual([2, 7, 6]);
    const error = y.sub(exact).square().mean().sqrt().itemSync() / exact.square().mean().sqrt().itemSync();
    expect(error).toBeLessThan(tolerance);
    expect(error).toBeGreaterThan(0);
  });

  test('inside compile: the same bits', () => {
    const run = compile((x: Tensor) => layer.forward(x).relu());
    for (const x of [randn([4, 32]), randn([4, 32]).mul(3)]) expect(numbers(run(x))).toEqual(numbers(layer.forward(x).relu()));
  });

  test('takes vectors, and batches of nothing', () => {
    const x = randn([32]);
    expect(numbers(layer.forward(x))).toEqual(numbers(layer.forward(x.reshape([1, 32]))));
    expect(layer.forward(zeros([0, 32])).shape).toEqual([0, 6]);
  });

  test('NaN gives NaN', () => expect(numbers(layer.forward(zeros([1, 32]).add(NaN))).every(Number.isNaN)).toBe(true));

  test('works without a bias', () => {
    const plain = make(new Linear(32, 2, { bias: false }));
    expect(plain.bias).toBeNull();
    expect(numbers(plain.forward(zeros([1, 32])))).toEqual([0, 0]);
  });

  test('does not follow the Linear it was made from', () => {
    const source = new Linear(32, 2);
    const made = make(source);
    const before = numbers(made.forward(zeros([1, 32])));
    noGrad(() => assign(source.bias as Tensor, (source.bias as Tensor).add(1)));
    expect(numbers(made.forward(zeros([1, 32])))).toEqual(before);
  });

  test('has no parameters', () => expect(layer.parameters()).toEqual([]));

  test('names mistakes', () => {
    expect(() => layer.forward(zeros([2, 31]))).toThrow(ShapeError);
    expect(() => layer.forward(zeros([2, 31]))).toThrow(/^\[\w+Linear\] expected x of shape \[\.\.\., 32\], got \[2, 31\]/);
    expect(() => layer.forward(zeros([2, 32], { dtype: 'int32' }))).toThrow(DTypeError);
    expect(() => layer.forward([1] as never)).toThrow(ArgumentError);
    expect(() => make({} as never)).toThrow('expected a Linear, got a plain object');
    expect(() => make(new Linear(0, 6))).toThrow('got one where the weight has no elements');
  });
});

test('no gradient passes through QuantizedLinear', () => {
  const x = new Parameter(randn([2, 4]));
  expect(() => new QuantizedLinear(new Linear(4, 3)).forward(x).sum().backward()).toThrow(GradientError);
});

describe('Int4WeightOnlyLinear', () => {
  const row = [-7.5, 7.5, 1, -1, 0.5, 2, -15, 15];

  test('packs two values a byte, the first in the low half', () => {
    const layer = new Int4WeightOnlyLinear(linearOf(tensor([row]), null), 4);
    expect(numbers(layer.weightScale)).toEqual([1, 2]);
    // Halves to even, and what is above 7 is 7: -8 7 1 -1, 0 1 -8 7.
    expect(numbers(layer.weight)).toEqual([0x78, 0xf1, 0x10, 0x78]);
    expect(numbers(layer.dequantizedWeight())).toEqual([-8, 7, 1, -1, 0, 2, -16, 14]);
  });

  test('passes gradients to its input', () => {
    const layer = new Int4WeightOnlyLinear(linearOf(tensor([row]), null), 4);
    const slope = grad((x: Tensor) => layer.forward(x).sum())(zeros([8]));
    expect(numbers(slope)).toEqual(numbers(layer.dequantizedWeight()));
  });

  test.each([0, -2, 3, 1.5, '4' as never])('refuses a group of %s', (size) => {
    expect(() => new Int4WeightOnlyLinear(new Linear(8, 2), size)).toThrow('expected an even groupSize of at least 2');
  });

  test('refuses a group that does not divide the features', () => {
    expect(() => new Int4WeightOnlyLinear(new Linear(8, 2), 6)).toThrow("expected a groupSize that divides the layer's 8 input features, got 6");
  });
});
