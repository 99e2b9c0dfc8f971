/** 16-bit floats are calculated in float32 and rounded once, whatever a function is made of; integers and bool as float32. */

import * as gradus from '@gradus/tensor';
import { median, polygamma, quantile, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

type Unary = (x: Tensor) => Tensor;

const published = gradus as unknown as Readonly<Record<string, Unary>>;

function opNamed(name: string): Unary {
  const op = published[name];
  if (op === undefined) throw new Error(`no op ${name}`);
  return op;
}

const FUNCTIONS: Readonly<Record<string, Unary>> = {
  ...Object.fromEntries(
    [
      ['acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'cos', 'cosh', 'deg2rad', 'digamma', 'erf', 'erfc', 'erfinv', 'exp', 'exp2', 'expm1'],
      ['lgamma', 'log', 'log10', 'log1p', 'log2', 'logSigmoid', 'rad2deg', 'reciprocal', 'rsqrt', 'sigmoid', 'sin', 'sinc', 'sinh', 'softplus'],
      ['sqrt', 'tan', 'tanh', 'hardsigmoid', 'hardswish', 'mish', 'selu', 'silu', 'softsign', 'tanhshrink', 'nanmean'],
    ]
      .flat()
      .map((name) => [name, opNamed(name)]),
  ),
  logit: (x) => gradus.logit(x),
  gelu: (x) => gradus.gelu(x),
  elu: (x) => gradus.elu(x),
  celu: (x) => gradus.celu(x, { alpha: 0.7 }),
  softmin: (x) => gradus.softmin(x),
  trigamma: (x) => polygamma(1, x),
  hypot: (x) => gradus.hypot(x, 2),
  atan2: (x) => gradus.atan2(x, 3),
  logaddexp: (x) => gradus.logaddexp(x, 0.5),
  xlogy: (x) => gradus.xlogy(x, gradus.abs(x)),
  lerp: (x) => gradus.lerp(x, gradus.flip(x, { axis: 0 }), 0.3),
  addcmul: (x) => gradus.addcmul(x, x, x, { value: 0.3 }),
  addcdiv: (x) => gradus.addcdiv(x, x, gradus.square(x), { value: 0.3 }),
  norm: (x) => gradus.norm(x, { p: 3 }),
  logcumsumexp: (x) => gradus.logcumsumexp(x, { axis: 0 }),
  quantile: (x) => quantile(x, [0.1, 0.6]),
  glu: (x) => gradus.glu(x),
};

const POINTS = [0.1, -0.1, 0.37, 0.5, 0.93, 1, 1.7, -1.7, 2.9, 7.3, -7.3, 9.9];

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  test.each(Object.entries(FUNCTIONS))('%s', (_, f) => {
    const x = tensor(POINTS, { dtype });
    const y = f(x);
    expect(y.dtype).toBe(dtype);
    expect([...y.dataSync()]).toEqual([...f(x.toDType('float32')).toDType(dtype).dataSync()]);
  });
});

describe.each(['int32', 'uint8', 'bool'] as const)('%s', (dtype) => {
  const GIVEN = new Set(['reciprocal', 'xlogy', 'addcmul', 'quantile']);
  test.each(Object.entries(FUNCTIONS).filter(([name]) => !GIVEN.has(name) && !(dtype === 'bool' && /lerp|addcdiv|softmin/.test(name))))(
    '%s',
    (_, f) => {
      const x = tensor(dtype === 'bool' ? [0, 1] : [1, 2, 3, 0], { dtype });
      const y = f(x);
      expect(y.dtype).toBe('float32');
      expect([...y.dataSync()]).toEqual([...f(x.toDType('float32')).dataSync()]);
    },
  );
});

test('unsigned integers wrap when negated', () => {
  expect([...gradus.neg(tensor([0, 1, 255], { dtype: 'uint8' })).dataSync()]).toEqual([0, 255, 1]);
});

test('the median of integers is one of them', () => {
  const { values, indices } = median(tensor([3, 1, 2], { dtype: 'int8' }));
  expect([values.dtype, values.itemSync(), indices.dtype, indices.itemSync()]).toEqual(['int8', 2, 'int32', 2]);
});
