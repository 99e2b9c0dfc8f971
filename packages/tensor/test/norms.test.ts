/** Norms beyond their specifications: PyTorch's values, which kernels compute them, 16-bit floats, edges and mistakes. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import {
  ArgumentError,
  DTypeError,
  ShapeError,
  batchNorm,
  batchStatistics,
  compile,
  evaluate,
  explain,
  full,
  grad,
  groupNorm,
  layerNorm,
  ones,
  rmsNorm,
  sum,
  tensor,
  valueAndGrad,
  zeros,
} from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const near = (actual: Tensor, wanted: readonly number[], digits = 6): void => {
  expect(actual.size).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual.dataSync()[i]).toBeCloseTo(value, digits);
};

/** Reproducible numbers between -1 and 1. */
const wave = (shape: readonly number[], device: Device, step = 1.7): Tensor =>
  tensor(
    Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => Math.sin(1 + i * step)),
    { shape, device },
  );

/** The kernels that computing these takes, on top of their inputs. */
const kernelsOf = (...tensors: readonly Tensor[]): readonly string[] => {
  evaluate(...tensors);
  return explain(tensors[0]?.device)?.kernels.flatMap(({ kernels }) => kernels) ?? [];
};

describe('values of PyTorch', () => {
  test('layerNorm', () => {
    near(layerNorm(tensor([1, 2, 4])), [-1.06904137, -0.26726031, 1.3363018]);
    near(layerNorm(tensor([[1, 2, 4]]), { weight: tensor([1, 2, 3]), bias: tensor([0, 0, 1]) }), [-1.06904137, -0.53452063, 5.00890541]);
  });

  test('batchNorm by the statistics of the batch, whose variance is biased', () => {
    const x = tensor([[1], [2], [4]]);
    const { mean, variance } = batchStatistics(x);
    near(mean, [7 / 3]);
    near(variance, [14 / 9]);
    near(batchNorm(x, mean, variance), [-1.06904149, -0.26726031, 1.33630204]);
  });

  test.each([
    ['float16', 2 ** -10],
    ['bfloat16', 2 ** -7],
    ['float32', 2 ** -23],
    ['float64', 2 ** -52],
  ] as const)('rmsNorm adds the epsilon of %s by default', (dtype, eps) => {
    const x = 2 ** -13;
    const wanted = tensor([x / Math.sqrt(x * x + eps)], { dtype }).itemSync();
    expect(rmsNorm(tensor([x], { dtype })).itemSync()).toBeCloseTo(wanted, 6);
    expect(rmsNorm(tensor([x], { dtype }), { eps: null }).itemSync()).toBeCloseTo(wanted, 6);
  });
});

describe('kernels', () => {
  const device = cpu();
  const plain = withoutFastPaths(cpu());
  const inputs = (on: Device): Tensor[] => [wave([6, 5], on), wave([5], on, 2.3), wave([5], on, 0.9)];
  const layer = (...[x, weight, bias]: Tensor[]): Tensor => layerNorm(x as Tensor, { weight: weight ?? null, bias: bias ?? null });
  const rms = (...[x, weight]: Tensor[]): Tensor => rmsNorm(x as Tensor, { weight: weight ?? null });
  /** Something whose gradient differs between elements. */
  const loss = (f: typeof layer) => (x: Tensor, weight: Tensor, bias: Tensor) =>
    sum(
      f(x, weight, bias)
        .square()
        .mul(wave([6, 5], x.device, 0.3)),
    );

  test.each([
    ['layerNorm', layer],
    ['rmsNorm', rms],
  ])('%s is one where the device claims it, and the same numbers elsewhere', (_, f) => {
    const [here, there] = [inputs(device), inputs(plain)];
    evaluate(...here);
    const y = f(...here);
    expect(kernelsOf(y)).toEqual(['rowwise']);
    const composed = f(...there);
    expect(kernelsOf(composed)).not.toContain('rowwise');
    near(y, [...composed.dataSync()], 5);
  });

  test.each([
    // y, the gradient of x, and normalised rows for the weight's.
    ['layerNorm', layer, 3],
    ['rmsNorm', rms, 2],
  ] as const)('so is the gradient of x of %s', (_, f, count) => {
    const differentiate = valueAndGrad((...[x, weight, bias]) => loss(f)(x as Tensor, weight as Tensor, bias as Tensor));
    const here = differentiate(...inputs(device)).gradients;
    expect(kernelsOf(...here).filter((kind) => kind === 'rowwise')).toHaveLength(count);
    const there = differentiate(...inputs(plain)).gradients;
    expect(kernelsOf(...there)).not.toContain('rowwise');
    for (const [i, g] of here.entries()) near(g, [...(there[i] as Tensor).dataSync()], 4);
  });

  test('without weight and bias it is the same kernel with ones and zeros', () => {
    const x = wave([4, 3], device);
    evaluate(x);
    expect(kernelsOf(layerNorm(x)).filter((kind) => kind === 'rowwise')).toHaveLength(1);
    expect([...layerNorm(x).dataSync()]).toEqual([...layerNorm(x, { weight: ones([3], { device }), bias: zeros([3], { device }) }).dataSync()]);
  });

  test('compiled it is the same', () => {
    const [x, weight, bias] = inputs(device) as [Tensor, Tensor, Tensor];
    const compiled = compile((a: Tensor) => layerNorm(a, { weight, bias }));
    for (let i = 0; i < 3; i++) expect([...compiled(x).dataSync()]).toEqual([...layerNorm(x, { weight, bias }).dataSync()]);
  });

  test('gradients of batchNorm take one pass for all sums', () => {
    const x = wave([4, 3, 2], device);
    const [weight, bias] = [wave([3], device, 2.3), wave([3], device, 0.9)];
    evaluate(x, weight, bias);
    const { gradients } = valueAndGrad((...[a, w, b]) => {
      const { mean, variance } = batchStatistics(a as Tensor);
      return sum(batchNorm(a as Tensor, mean, variance, { weight: w as Tensor, bias: b as Tensor }).mul(x));
    })(x, weight, bias);
    // Mean, variance, both sums, and the loss.
    expect(kernelsOf(...gradients).filter((kind) => kind === 'reduce')).toHaveLength(4);
  });
});

describe('16-bit floats', () => {
  test.each(['float16', 'bfloat16'] as const)('%s: calculated in float32, rounded once, gradients in the dtype', (dtype) => {
    for (const device of [cpu(), withoutFastPaths(cpu())]) {
      // 300² is beyond float16.
      const values = tensor([[300, -200, 100, 600]], { dtype, device });
      const weight = tensor([1, 2, 3, 4], { dtype, device });
      const wide = [values, weight].map((t) => t.toDType('float32')) as [Tensor, Tensor];
      for (const f of [layerNorm, rmsNorm]) {
        const y = f(values, { weight });
        expect(y.dtype).toBe(dtype);
        expect([...y.dataSync()]).toEqual([
          ...f(wide[0], { weight: wide[1], eps: f === rmsNorm ? 2 ** -10 : 1e-5 })
            .toDType(dtype)
            .dataSync(),
        ]);
        expect(grad((x) => sum(f(x, { weight }).square()))(values).dtype).toBe(dtype);
        expect(grad((w) => sum(f(values, { weight: w })))(weight).dtype).toBe(dtype);
      }
    }
  });

  test('a sum over many rows does not stop at 2048', () => {
    const x = tensor(
      Array.from({ length: 8192 }, (_, i) => (i % 2) * 2 - 1),
      { shape: [4096, 2], dtype: 'float16' },
    );
    const g = grad((bias) => sum(layerNorm(x, { bias })))(zeros([2], { dtype: 'float16' }));
    expect([...g.dataSync()]).toEqual([4096, 4096]);
  });

  test('statistics of a batch come in float32', () => {
    const x = full([8, 2], 300, { dtype: 'float16' });
    const { mean, variance } = batchStatistics(x);
    expect([mean.dtype, variance.dtype, batchNorm(x, mean, variance).dtype]).toEqual(['float32', 'float32', 'float16']);
  });

  test('dtypes promote', () => {
    expect(layerNorm(zeros([2, 3], { dtype: 'float16' }), { weight: ones([3]) }).dtype).toBe('float32');
    expect(rmsNorm(zeros([2, 3], { dtype: 'int32' })).dtype).toBe('float32');
    expect(() => layerNorm(zeros([2], { dtype: 'uint32' }), { weight: ones([2], { dtype: 'int32' }) })).toThrow(DTypeError);
  });
});

test('empty rows and no rows', () => {
  for (const device of [cpu(), withoutFastPaths(cpu())]) {
    for (const shape of [
      [0, 3],
      [3, 0],
    ]) {
      const x = zeros(shape, { device });
      for (const f of [layerNorm, rmsNorm]) {
        expect(f(x).shape).toEqual(shape);
        expect(grad((t) => sum(f(t)))(x).shape).toEqual(shape);
        const weight = ones(shape.slice(1), { device });
        expect([...grad((w) => sum(f(x, { weight: w })))(weight).dataSync()]).toEqual(
          shape.slice(1).flatMap((n) => Array.from({ length: n }, () => 0)),
        );
      }
    }
  }
});

describe('mistakes', () => {
  test.each<[string, new (...args: never[]) => Error, () => unknown, RegExp]>([
    [
      'a weight of another size',
      ShapeError,
      () => layerNorm(zeros([2, 3]), { weight: ones([2]) }),
      /^\[layerNorm\] expected x whose last axes are \[2\]/,
    ],
    [
      'a bias of another shape than the weight',
      ShapeError,
      () => layerNorm(zeros([2, 3]), { weight: ones([3]), bias: ones([2, 3]) }),
      /weight and bias of shape \[3\], got \[2, 3\]/,
    ],
    ['a number', ShapeError, () => rmsNorm(tensor(1)), /^\[rmsNorm\].*at least one/],
    ['sizes that x does not end in', ShapeError, () => layerNorm(zeros([2, 3]), { normalizedShape: [2] }), /last axes are \[2\]/],
    ['an eps below 0', ArgumentError, () => layerNorm(zeros([2, 3]), { eps: -1 }), /finite eps of at least 0, got -1/],
    ['a tensor in place of options', ArgumentError, () => layerNorm(zeros([2, 3]), ones([3]) as never), /^\[layerNorm\] expected options/],
    [
      'groups that do not divide the channels',
      ShapeError,
      () => groupNorm(zeros([2, 3, 4]), { groups: 2 }),
      /^\[groupNorm\] expected x \[N, C, …\] whose channels 2 divides, got \[2, 3, 4\]/,
    ],
    [
      'a weight for another number of channels',
      ShapeError,
      () => groupNorm(zeros([2, 4]), { groups: 2, weight: ones([2]) }),
      /weight and bias of shape \[4\], got \[2\]/,
    ],
    ['no groups', ArgumentError, () => groupNorm(zeros([2, 4]), {} as never), /whole number of groups, got undefined/],
    ['no tensor', ArgumentError, () => rmsNorm([1, 2] as never), /rmsNorm/],
    [
      'a batch of one axis',
      ShapeError,
      () => batchStatistics(zeros([3])),
      /^\[batchStatistics\] expected x of shape \[N, C, …\], got \[3\]\. Fix: unsqueeze/,
    ],
    [
      'statistics of another size',
      ShapeError,
      () => batchNorm(zeros([2, 3]), zeros([3]), ones([2])),
      /^\[batchNorm\] expected variance of shape \[3\], got \[2\]/,
    ],
    [
      'a weight that is no vector',
      ShapeError,
      () => batchNorm(zeros([2, 3]), zeros([3]), ones([3]), { weight: ones([3, 1]) }),
      /weight of shape \[3\]/,
    ],
  ])('%s', (_, kind, act, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});
