/** Gradients are for floats: casts to and from other dtypes end them, and nothing else can require them. */

import { DTypeError, GradientError, Parameter, grad, tensor } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const DISCRETE: readonly DType[] = ['int32', 'uint32', 'int8', 'uint8', 'bool'];

describe.each(DISCRETE)('%s', (dtype) => {
  test('a cast to it and back has no gradient', () => {
    const through = (x: Tensor): Tensor => x.toDType(dtype).toDType('float32');
    expect([...grad((x) => through(x).mul(x).sum())(tensor([2, 3])).dataSync()]).toEqual([...through(tensor([2, 3])).dataSync()]);
    const w = tensor([1.5], { requiresGrad: true });
    expect(w.toDType(dtype).requiresGrad).toBe(false);
    expect(() => through(w).sum().backward()).toThrow(GradientError);
  });

  test('cannot require gradients', () => {
    const x = tensor([1], { dtype });
    expect(() => {
      x.requiresGrad = true;
    }).toThrow(DTypeError);
    x.requiresGrad = false;
    expect(() => tensor([1], { dtype, requiresGrad: true })).toThrow(/^\[requiresGrad\] expected a floating-point tensor.*Fix: cast/);
    expect(() => new Parameter(x)).toThrow(/^\[Parameter\] expected a floating-point tensor.*Fix: cast/);
    expect(new Parameter(x, { requiresGrad: false }).requiresGrad).toBe(false);
  });
});

test('casts between floats pass gradients', () => {
  const x = tensor([1, 2], { dtype: 'float16', requiresGrad: true });
  x.toDType('float64').square().sum().toDType('bfloat16').backward();
  expect([(x.grad as Tensor).dtype, ...(x.grad as Tensor).dataSync()]).toEqual(['float16', 2, 4]);
});
