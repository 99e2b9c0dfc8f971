/** Inputs and sizes that layers refuse: typed errors, and nothing has changed. */

import { ArgumentError, DTypeError, DeviceMismatchError, defaultDevice, ones, relu } from '@gradus/tensor';
import type { DType, Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { BatchNorm1d, BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential } from '../index.ts';
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

type Untyped = new (...args: readonly unknown[]) => Module;

const withTensors: readonly [string, () => Module, readonly number[]][] = [
  ['Linear', () => new Linear(2, 3), [4, 2]],
  ['Conv2d', () => new Conv2d(2, 3, 1), [4, 2, 2, 2]],
  ['BatchNorm1d', () => new BatchNorm1d(2), [4, 2]],
  ['BatchNorm2d', () => new BatchNorm2d(2, { affine: false, momentum: null }), [4, 2, 2, 2]],
];

describe.each(withTensors)('%s', (name, make, shape) => {
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

describe('callers without types are told what to write', () => {
  const layers = { BatchNorm2d, Conv2d, Flatten, Linear, MaxPool2d, Sequential } as unknown as Readonly<Record<string, Untyped>>;
  const make = (name: string, ...args: readonly unknown[]): Module => new (layers[name] as Untyped)(...args);

  const cases: readonly [string, readonly unknown[], string][] = [
    [
      'Linear',
      [3],
      '[Linear] expected a whole number of at least 0 for outFeatures, got undefined. Fix: call new Linear(inFeatures, outFeatures, …).',
    ],
    ['Linear', [3, 4, false], '[Linear] expected options, got false. Fix: pass an object, such as { bias: false }.'],
    ['Conv2d', [3], 'for outChannels, got undefined. Fix: call new Conv2d(inChannels, outChannels, size, …).'],
    ['Conv2d', [3, 8], 'for size, got undefined. Fix: call new Conv2d('],
    ['Conv2d', [3, 8, 3, 1, 1], '[Conv2d] expected options, got 1. Fix: pass an object, such as { stride: 2, padding: 1 }.'],
    ['Conv2d', [3, 8, 3, { groups: 2 }], '[Conv2d] expected groups that divide inChannels and outChannels, got groups 2 for 3 and 8'],
    ['BatchNorm2d', [], '[BatchNorm2d] expected a whole number of at least 0 for numFeatures, got undefined.'],
    ['BatchNorm2d', [2, 1e-3], '[BatchNorm2d] expected options, got 0.001.'],
    ['MaxPool2d', [], '[MaxPool2d] expected a whole number of at least 1 for size'],
    ['MaxPool2d', [2, 2], '[MaxPool2d] expected options, got 2. Fix: pass an object, such as { stride: 2 }.'],
    ['Flatten', [2], '[Flatten] expected options, got 2. Fix: pass an object, such as { start: 1 }.'],
    ['Sequential', [[new ReLU()]], '[Sequential] expected modules, got [a ReLU] at place 0. Fix: spread an array: new Sequential(...layers)'],
    ['Sequential', [new ReLU(), relu], 'got the function relu at place 1.'],
  ];
  test.each(cases)('new %s(…%j)', (name, args, message) => {
    expect(() => make(name, ...args)).toThrow(ArgumentError);
    expect(() => make(name, ...args)).toThrow(message);
  });

  test('about inputs', () => {
    expect(() => new Linear(2, 2).forward([[1, 2]] as never)).toThrow('[Linear] expected a tensor, got [[…]]. Fix: make one with tensor(…).');
    expect(() => new Conv2d(3, 4, 3).forward(ones([1, 8, 8, 3]))).toThrow('x.permute([0, 3, 1, 2])');
    expect(() => new ReLU().forward(undefined as never)).toThrow('[relu] expected a tensor, got undefined.');
  });
});
