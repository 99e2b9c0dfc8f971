/** Inputs that layers refuse: typed errors, and nothing has changed. */

import { DTypeError, DeviceMismatchError, defaultDevice, ones } from '@gradus/tensor';
import type { DType, Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { BatchNorm1d, BatchNorm2d, Conv2d, Linear } from '../index.ts';
import type { Module } from '../index.ts';

const values = (module: Module): number[][] => [...module.parameters(), ...module.buffers()].map((t) => [...t.dataSync()]);

/** The default device as an object of its own, which is another device. */
function anotherDevice(): Device {
  return new Proxy(defaultDevice(), {
    get(device, key): unknown {
      const value: unknown = Reflect.get(device, key);
      return typeof value === 'function' ? (value.bind(device) as unknown) : value;
    },
  });
}

const layers: readonly [string, () => Module, readonly number[]][] = [
  ['Linear', () => new Linear(2, 3), [4, 2]],
  ['Conv2d', () => new Conv2d(2, 3, 1), [4, 2, 2, 2]],
  ['BatchNorm1d', () => new BatchNorm1d(2), [4, 2]],
  ['BatchNorm2d', () => new BatchNorm2d(2, { affine: false, momentum: null }), [4, 2, 2, 2]],
];

describe.each(layers)('%s', (name, make, shape) => {
  test.each(['float64', 'float16', 'int32', 'uint8'] satisfies DType[])('refuses %s', (dtype) => {
    const layer = make();
    const before = values(layer);
    const forward = (): Tensor => layer.forward(ones(shape, { dtype }));
    expect(forward).toThrow(DTypeError);
    expect(forward).toThrow(`[${name}] expected x of dtype float32, which its parameters have, got ${dtype}. Fix: cast it with toDType('float32').`);
    expect(values(layer)).toEqual(before);
  });

  test('refuses another device, and counts no batch', () => {
    const layer = make();
    const before = values(layer);
    expect(() => layer.forward(ones(shape, { device: anotherDevice() }))).toThrow(DeviceMismatchError);
    expect(values(layer)).toEqual(before);
  });
});

test('a norm without tensors of its own takes any float', () => {
  const layer = new BatchNorm1d(2, { affine: false, trackRunningStats: false });
  expect(layer.forward(ones([4, 2], { dtype: 'float64' })).dtype).toBe('float64');
});
