/** Plausible mistakes of callers without types: each a typed error with what to write, where some gave a wrong result in silence. */

import * as g from '@gradus/tensor';
import { ArgumentError, DTypeError, ShapeError, ones, scope, sum, tensor, zeros } from '@gradus/tensor';
import type { GradusError, Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';

/** Calls a function of the library without types. */
const call = (name: string, ...args: readonly unknown[]): unknown =>
  (g as unknown as Readonly<Record<string, (...a: readonly unknown[]) => unknown>>)[name]?.(...args);
const m = (): Tensor => ones([2, 3]);
const image = zeros([1, 8, 8, 3]);

const cases: readonly [string, () => unknown, new (...args: never[]) => GradusError, string][] = [
  ['permute(1, 0)', () => call('permute', m(), 1, 0), ArgumentError, '[permute] expected axes in an array, got 1. Fix: call permute([1, 0]).'],
  [
    'slice(0, 2)',
    () => call('slice', m(), 0, 2),
    ArgumentError,
    '[slice] expected ranges in an array, got 0. Fix: call slice([{ start: 0, end: 2 }]).',
  ],
  ['reshape(3, 2)', () => call('reshape', m(), 3, 2), ShapeError, '[reshape] expected sizes in an array, such as [2, 3], got 3.'],
  [
    'concatenate(a, b)',
    () => call('concatenate', m(), m()),
    ArgumentError,
    '[concatenate] expected tensors in an array, got a Tensor. Fix: call concatenate([a, b]).',
  ],
  ['stack(a, b)', () => call('stack', m(), m()), ArgumentError, '[stack] expected tensors in an array, got a Tensor. Fix: call stack([a, b]).'],
  [
    'concatenate([a, b], 1)',
    () => call('concatenate', [m(), m()], 1),
    ArgumentError,
    '[concatenate] expected options, got 1. Fix: pass an object, such as { axis: 1 }.',
  ],
  ['pad(x, 1)', () => call('pad', m(), 1), ArgumentError, '[pad] expected pairs in an array, got 1.'],
  ...[
    'sum',
    'mean',
    'prod',
    'max',
    'min',
    'variance',
    'std',
    'norm',
    'any',
    'all',
    'logSumExp',
    'softmax',
    'logSoftmax',
    'argmax',
    'argmin',
    'squeeze',
    'flip',
  ].map((name): (typeof cases)[number] => [
    `${name}(x, 0)`,
    () => call(name, m(), 0),
    ArgumentError,
    'expected options, got 0. Fix: pass an object, such as { axis:',
  ]),
  ['sum([0, 1])', () => call('sum', m(), [0, 1]), ArgumentError, '[sum] expected options, got [0, 1].'],
  ['flatten(1)', () => call('flatten', m(), 1), ArgumentError, '[flatten] expected options, got 1. Fix: pass an object, such as { start: 1 }.'],
  ['clamp(0, 1)', () => call('clamp', m(), 0, 1), ArgumentError, '[clamp] expected options, got 0. Fix: pass an object, such as { min: 0, max: 1 }.'],
  [
    'maxPool2d(x, 2)',
    () => call('maxPool2d', zeros([1, 1, 4, 4]), 2),
    ArgumentError,
    '[maxPool2d] expected options, got 2. Fix: pass an object, such as { size: 2 }.',
  ],
  ['maxPool2d(x)', () => call('maxPool2d', zeros([1, 1, 4, 4])), ArgumentError, '[maxPool2d] expected options, got undefined.'],
  ['maxPool2d(x, {})', () => call('maxPool2d', zeros([1, 1, 4, 4]), {}), ArgumentError, '[maxPool2d] expected size: a whole number'],
  [
    'conv2d(x, w, bias)',
    () => call('conv2d', zeros([1, 3, 8, 8]), zeros([4, 3, 3, 3]), zeros([4])),
    ArgumentError,
    '[conv2d] expected options, got a Tensor. Fix: pass an object, such as { bias,',
  ],
  [
    'conv2d of channels last',
    () => call('conv2d', image, zeros([4, 3, 3, 3])),
    ShapeError,
    'Fix: put the channels of x, which come last, second: x.permute([0, 3, 1, 2]).',
  ],
  ['add(x, undefined)', () => call('add', m(), undefined), ArgumentError, '[add] expected a tensor, got undefined. Fix: make one with tensor(…).'],
  ['add(undefined, 1)', () => call('add', undefined, 1), ArgumentError, '[add] expected a tensor, got undefined.'],
  ['pow(undefined, 2)', () => call('pow', undefined, 2), ArgumentError, '[pow] expected a tensor, got undefined.'],
  ['mul([1, 2])', () => call('mul', m(), [1, 2]), ArgumentError, '[mul] expected a tensor, got [1, 2]. Fix: make one with tensor(…).'],
  ['mul of a promise', () => call('mul', m(), m().data()), ArgumentError, '[mul] expected a tensor, got a Promise. Fix: await it first.'],
  ['matmul(x, 2)', () => call('matmul', m(), 2), ArgumentError, '[matmul] expected a tensor, got 2.'],
  [
    'tensor of big integers',
    () => call('tensor', new BigInt64Array(2)),
    DTypeError,
    '[tensor] expected numbers or booleans, got a BigInt64Array. Fix: convert them: Int32Array.from(values, Number).',
  ],
  [
    'tensor of tensors',
    () => call('tensor', [m(), m()]),
    DTypeError,
    '[tensor] expected numbers or booleans, got a Tensor. Fix: join tensors with stack([a, b]); copy one',
  ],
  ['tensor of a tensor', () => call('tensor', m()), DTypeError, 'copy one with t.copy().'],
  ['tensor of nothing', () => call('tensor'), DTypeError, '[tensor] expected numbers or booleans, got undefined.'],
  ['tensor of bytes of no type', () => call('tensor', new DataView(new ArrayBuffer(4))), DTypeError, 'got a DataView.'],
  ['tensor(values, shape)', () => call('tensor', [1, 2], [2, 1]), ArgumentError, '[tensor] expected options, got [2, 1].'],
  [
    'zeros(shape, dtype)',
    () => call('zeros', [2], 'int32'),
    ArgumentError,
    "[zeros] expected options, got 'int32'. Fix: pass an object, such as { dtype: 'int32' }.",
  ],
  ['zeros(2, 3)', () => call('zeros', 2), ShapeError, '[zeros] expected sizes in an array, such as [2, 3], got 2.'],
];

test.each(cases)('%s', (_, act, kind, message) => {
  let caught: unknown;
  scope(() => {
    try {
      act();
    } catch (error) {
      caught = error;
    }
  });
  expect(caught).toBeInstanceOf(kind);
  expect((caught as Error).message).toContain(message);
});

test('long arrays are cut short', () => {
  expect(() => call('mul', m(), Array.from({ length: 1000 }).fill(1))).toThrow('got [1, 1, 1, 1, 1, 1, 1, 1, …].');
});

test('options that are left out or undefined are fine', () => {
  expect(sum(m(), undefined).itemSync()).toBe(6);
  expect(sum(m(), { axis: undefined } as object).itemSync()).toBe(6);
  expect(tensor([1], undefined).shape).toEqual([1]);
});
