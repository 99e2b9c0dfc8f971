/** Dtypes that there are not, from callers without types: one error everywhere, with the name that was meant. */

import { DTypeError, arange, eye, full, linspace, oneHot, ones, rand, randint, randn, tensor, uniform, zeros } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';

const takers: readonly [string, (dtype: DType) => Tensor][] = [
  ['tensor', (dtype) => tensor([1], { dtype })],
  ['tensor of a number', (dtype) => tensor(1, { dtype })],
  ['zeros', (dtype) => zeros([1], { dtype })],
  ['ones', (dtype) => ones([1], { dtype })],
  ['full', (dtype) => full([1], 2, { dtype })],
  ['arange', (dtype) => arange(0, 3, 1, { dtype })],
  ['linspace', (dtype) => linspace(0, 1, 3, { dtype })],
  ['eye', (dtype) => eye(2, { dtype })],
  ['oneHot', (dtype) => oneHot(tensor([0], { dtype: 'int32' }), 2, { dtype })],
  ['toDType', (dtype) => tensor([1]).toDType(dtype)],
  ['uniform', (dtype) => uniform([1], { dtype })],
  ['rand', (dtype) => rand([1], { dtype })],
  ['randn', (dtype) => randn([1], { dtype })],
  ['randint', (dtype) => randint(0, 2, [1], { dtype })],
];

test.each(takers)('%s', (_, make) => {
  const unknown =
    (dtype: unknown): (() => Tensor) =>
    () =>
      make(dtype as DType);
  expect(unknown('float')).toThrow(DTypeError);
  expect(unknown('float')).toThrow(/^\[\w+\] expected a dtype: float64, float32, .*, bool, got 'float'\. Fix: use 'float32'\.$/);
  expect(unknown('nonsense')).toThrow(/got 'nonsense'\.$/);
  expect(unknown('toString')).toThrow(DTypeError);
});

test.each([
  ['int64', 'int32'],
  ['long', 'int32'],
  ['double', 'float64'],
  ['half', 'float16'],
  ['Float32', 'float32'],
  ['boolean', 'bool'],
])('%s means %s', (given, meant) => {
  expect(() => zeros([1], { dtype: given as DType })).toThrow(new RegExp(`Fix: use '${meant}'`));
});

test('none at all', () => {
  expect(() => tensor([1]).toDType(undefined as never)).toThrow(/^\[toDType\] expected a dtype: .*, got undefined\.$/);
  expect(() => tensor([1]).toDType(Float32Array as never)).toThrow(/got the function Float32Array/);
  // An option that is undefined is one that was left out.
  expect(zeros([1], { dtype: undefined } as object).dtype).toBe('float32');
});
