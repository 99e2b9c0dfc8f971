/** Bad input: each a typed error that names the op, what was expected, what came and the fix, and nothing half-done. */

import { cpu } from '@gradus/backend-cpu';
import { withChanges } from '@gradus/backend-testkit';
import type { Backend } from '@gradus/backend';
import {
  ArgumentError,
  AxisError,
  DTypeError,
  DeviceMismatchError,
  DuplicateCoreError,
  IndexError,
  NumericError,
  ShapeError,
  SynchronousReadError,
  TensorDisposedError,
  Parameter,
  assign,
  concatenate,
  conv2d,
  debug,
  isTensor,
  matmul,
  maxPool2d,
  memory,
  setDefaultDevice,
  defaultDevice,
  scope,
  softmax,
  sum,
  takeAlongAxis,
  tensor,
  to,
  zeros,
} from '@gradus/tensor';
import type { GradusError, Tensor } from '@gradus/tensor';
import { afterEach, describe, expect, test } from 'vitest';

const home = defaultDevice();
afterEach(() => setDefaultDevice(home));

const cases: readonly [string, new (...args: never[]) => GradusError, () => unknown, RegExp][] = [
  [
    'shapes that do not broadcast',
    ShapeError,
    () => zeros([2, 3]).add(zeros([2])),
    /^\[add\] expected shapes that broadcast.*got \[2, 3\] and \[2\]\. Fix: /,
  ],
  [
    'inner sizes that differ',
    ShapeError,
    () => matmul(zeros([2, 3]), zeros([4, 3])),
    /^\[matmul\] expected .* got \[2, 3\] and \[4, 3\]\. Fix: transpose/,
  ],
  ['a number in place of a matrix', ShapeError, () => matmul(tensor(1), zeros([2, 2])), /^\[matmul\]/],
  ['another number of elements', ShapeError, () => zeros([2, 3]).reshape([4]), /^\[reshape\] expected sizes with 6 elements.*got \[4\]/],
  ['two open sizes', ShapeError, () => zeros([2, 3]).reshape([-1, -1]), /at most one -1/],
  ['ragged arrays', ShapeError, () => tensor([[1, 2], [3]]), /^\[tensor\].*ragged/],
  ['a shape that does not fit the elements', ShapeError, () => tensor([1, 2, 3], { shape: [2, 2] }), /expected 4 elements for shape \[2, 2\], got 3/],
  ['a negative size', ShapeError, () => zeros([2, -1]), /whole numbers of at least 0/],
  ['too many axes', ShapeError, () => zeros(Array.from({ length: 13 }, () => 1)), /at most 12 axes/],
  ['an axis outside the rank', AxisError, () => sum(zeros([2, 3]), { axis: 2 }), /^\[sum\] expected an axis from -2 to 1, got 2/],
  ['an axis twice', AxisError, () => sum(zeros([2, 3]), { axis: [0, -2] }), /each axis once/],
  ['an axis of a number', AxisError, () => softmax(tensor(1), { axis: 0 }), /no axis for a tensor of rank 0/],
  ['a wrong permutation', AxisError, () => zeros([2, 3]).permute([0, 0]), /each of 2 axes once/],
  ['an index outside its axis', IndexError, () => zeros([2, 3]).slice([0, 3]), /^\[slice\] expected an index from -3 to 2 along axis 1, got 3/],
  [
    'a gathered index outside its axis',
    IndexError,
    () => takeAlongAxis(zeros([2, 3]), tensor([[3], [0]], { dtype: 'int32' }), { axis: 1 }),
    /indices from -3 to 2, got 3/,
  ],
  [
    'indices that are no integers',
    DTypeError,
    () => takeAlongAxis(zeros([2, 3]), zeros([2, 1]), { axis: 1 }),
    /integer indices, got float32\. Fix: cast/,
  ],
  ['a step of 0', ArgumentError, () => zeros([3]).slice([{ step: 0 }]), /whole step other than 0/],
  ['uint32 with int32', DTypeError, () => tensor([1], { dtype: 'uint32' }).add(tensor([1], { dtype: 'int32' })), /no common type/],
  ['subtraction of bool', DTypeError, () => tensor([true]).sub(tensor([false])), /^\[sub\] expected numbers, got bool/],
  ['a product of bool', DTypeError, () => matmul(tensor([[true]]), tensor([[true]])), /^\[matmul\] expected numbers/],
  ['text', DTypeError, () => tensor(['a'] as never), /numbers or booleans, got 'a'/],
  [
    'a disposed tensor',
    TensorDisposedError,
    () => disposed().add(1),
    /^\[add\] expected a live tensor, got one that is gone because it was disposed\. Fix: use a tensor before disposing it/,
  ],
  ['a tensor of an ended scope', TensorDisposedError, () => escaped().relu(), /the scope it was made in has ended/],
  [
    'two devices',
    DeviceMismatchError,
    () => tensor([1]).add(tensor([1], { device: cpu() })),
    /^\[add\] expected tensors of one device.*another device object.*Fix: move one of them with `await t\.to\(device\)`/,
  ],
  ['parts of other sizes', ShapeError, () => concatenate([zeros([2, 3]), zeros([2, 4])]), /equal to \[2, 3\] except along axis 0, got \[2, 4\]/],
  ['no parts', ArgumentError, () => concatenate([]), /at least one tensor/],
  ['an image without a batch', ShapeError, () => conv2d(zeros([3, 8, 8]), zeros([4, 3, 3, 3])), /rank 4.*Fix: unsqueeze/],
  ['channels that do not fit', ShapeError, () => conv2d(zeros([1, 2, 8, 8]), zeros([4, 3, 3, 3])), /2 channels/],
  ['a kernel larger than the image', ShapeError, () => conv2d(zeros([1, 3, 2, 2]), zeros([4, 3, 3, 3])), /windows that fit/],
  ['too much padding', ArgumentError, () => maxPool2d(zeros([1, 1, 4, 4]), { size: 2, padding: 2 }), /at most half the size/],
  ['the maximum of nothing', ShapeError, () => zeros([2, 0]).max({ axis: 1 }), /at least one element/],
  ['the item of many', ShapeError, () => zeros([2]).itemSync(), /one element, got shape \[2\]/],
  ['assigning another shape', ShapeError, () => assign(new Parameter(zeros([2])), zeros([3])), /^\[assign\] expected shape \[2\], got \[3\]/],
  ['assigning another dtype', ArgumentError, () => assign(new Parameter(zeros([2])), zeros([2], { dtype: 'int32' })), /dtype float32, got int32/],
];

function disposed(): Tensor {
  const t = tensor([1]);
  t.dispose();
  return t;
}

function escaped(): Tensor {
  let out: Tensor = tensor([0]);
  scope(() => {
    out = tensor([1]);
  });
  return out;
}

test.each(cases)('%s', (_, kind, act, message) => {
  const before = memory().liveBytes;
  let caught: unknown;
  scope(() => {
    try {
      act();
    } catch (error) {
      caught = error;
    }
  });
  expect(caught).toBeInstanceOf(kind);
  expect((caught as GradusError).message).toMatch(message);
  expect((caught as GradusError).code).toMatch(/^[A-Z_]+$/);
  expect((caught as GradusError).expected).not.toBe('');
  expect(memory().liveBytes).toBeLessThanOrEqual(before + 256);
});

test('a tensor of another copy of the core', () => {
  const stranger = { [Symbol.for('gradus.tensor')]: '9.9.9' };
  expect(() => isTensor(stranger)).toThrow(DuplicateCoreError);
  expect(() => tensor([1]).add(stranger as never)).toThrow(/another copy, version 9\.9\.9\. Fix: install one version/);
  expect(() => tensor([1]).add({} as never)).toThrow(ArgumentError);
});

test('reading synchronously where the device cannot', async () => {
  const device = withChanges(cpu(), { readSync: undefined });
  const x = tensor([1, 2], { device });
  expect(() => x.dataSync()).toThrow(SynchronousReadError);
  expect(() => x.dataSync()).toThrow(/use `await t\.data\(\)`/);
  expect([...(await x.add(1).data())]).toEqual([2, 3]);
});

test('a plug-in built for another contract', () => {
  expect(() => setDefaultDevice(withChanges(cpu(), { contract: 2 }))).toThrow(/expected contract version 1, got version 2\. Fix: install/);
  expect(() => tensor([1], { device: withChanges(cpu(), { contract: undefined }) })).toThrow(/without a contract version/);
  expect(defaultDevice()).toBe(home);
});

describe('debug mode', () => {
  test('names the op that made NaN, its shapes and the line', () => {
    const settings = debug({ eager: true });
    try {
      expect(() => tensor([1, -1]).log()).toThrow(NumericError);
      expect(() => tensor([1, -1]).log()).toThrow(
        /^\[log\] expected numbers, got NaN in its result float32\[2\] of float32\[2\].*called at:[^]*errors\.test\.ts/,
      );
      // NaN that came in is not the op's fault.
      expect(tensor([NaN, 1]).exp().dataSync()[0]).toBeNaN();
    } finally {
      settings[Symbol.dispose]();
    }
    expect(tensor([1, -1]).log().dataSync()[1]).toBeNaN();
  });
});

test('a failed flush leaves state as it was, to be tried again', () => {
  let fail = false;
  const device = cpu();
  const broken = withChanges(device, {
    run: (...args: Parameters<Backend['run']>) => {
      if (fail) throw new Error('the device is gone');
      device.run(...args);
    },
  });
  const w = new Parameter(tensor([1, 2], { device: broken }));
  assign(w, w.detach().mul(2));
  const live = memory(broken).liveBytes;
  fail = true;
  expect(() => w.dataSync()).toThrow('the device is gone');
  expect(memory(broken).liveBytes).toBe(live);
  fail = false;
  expect([...w.dataSync()]).toEqual([2, 4]);
});

test('moving between devices is the only way across', async () => {
  const other = cpu();
  const x = tensor([1, 2]);
  const y = await to(x, other);
  expect(y.device).toBe(other);
  expect([...y.add(await x.to(other)).dataSync()]).toEqual([2, 4]);
  const here = await to(x, home);
  here.dispose();
  expect([...x.dataSync()]).toEqual([1, 2]);
});
