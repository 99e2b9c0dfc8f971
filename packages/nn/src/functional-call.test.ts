/** `functionalCall` and `stackModules`. */

import { ArgumentError, ShapeError, compile, grad, manualSeed, memory, scope, stack, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { functionalCall } from './functional-call.ts';
import { BatchNorm1d } from './layers/batch-norm.ts';
import { Linear } from './layers/linear.ts';
import { ReLU } from './layers/activation.ts';
import { Sequential } from './layers/sequential.ts';
import { stackModules } from './stack-modules.ts';

const numbers = (t: Tensor): number[] => [...t.dataSync()];
const x = (): Tensor =>
  tensor([
    [1, -2, 0.5],
    [0.3, 0.7, -1],
  ]);

describe('functionalCall', () => {
  test('uses the values given, and leaves the module as it is', () => {
    const layer = new Linear(3, 2);
    const before = numbers(layer.weight);
    const weight = tensor([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const bias = tensor([10, 20]);
    expect(numbers(functionalCall(layer, { weight, bias }, x()))).toEqual([11, 18, Math.fround(10.3), Math.fround(20.7)]);
    expect(numbers(layer.weight)).toEqual(before);
    // The other parameters are the module's own.
    expect(numbers(functionalCall(layer, { weight: layer.weight }, x()))).toEqual(numbers(layer.forward(x())));
  });

  test('is differentiable in the values, to any order', () => {
    const layer = new Linear(3, 2, { bias: false });
    const w = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const loss = (weight: Tensor): Tensor => functionalCall(layer, { weight }, x()).square().sum();
    const gradient = numbers(grad(loss)(w));
    const h = 1e-2;
    const at = (i: number, d: number): number =>
      loss(
        tensor(
          [1, 2, 3, 4, 5, 6].map((v, j) => (i === j ? v + d : v)),
          { shape: [2, 3] },
        ),
      ).itemSync();
    gradient.forEach((g, i) => {
      expect(g).toBeCloseTo((at(i, h) - at(i, -h)) / (2 * h), 1);
    });
    // The loss is quadratic: its second derivative does not depend on the weight.
    const second = grad((weight) => grad(loss)(weight).sum());
    expect(numbers(second(w))).toEqual(numbers(second(w.mul(2))));
    expect(layer.weight.grad).toBeNull();
  });

  test('puts everything back when the module throws, and in compiled functions', () => {
    const layer = new Linear(3, 2);
    const weight = tensor([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const before = numbers(layer.weight);
    expect(() => functionalCall(layer, { weight }, tensor([1, 2]))).toThrow(ShapeError);
    expect(numbers(layer.weight)).toEqual(before);
    const compiled = compile((w: Tensor) => functionalCall(layer, { weight: w }, x()));
    for (const factor of [1, 2, 3]) {
      const w = weight.mul(factor);
      expect(numbers(compiled(w))).toEqual(numbers(functionalCall(layer, { weight: w }, x())));
      expect(numbers(layer.weight)).toEqual(before);
    }
  });

  test('statistics that were given are not the module’s', () => {
    const norm = new BatchNorm1d(3);
    const before = numbers(norm.runningMean as Tensor);
    functionalCall(norm, { running_mean: tensor([5, 5, 5]) }, x()).evaluate();
    expect(numbers(norm.runningMean as Tensor)).toEqual(before);
  });

  test('refuses what does not fit', () => {
    const layer = new Linear(3, 2);
    expect(() => functionalCall(layer, { wait: x() }, x())).toThrow(ArgumentError);
    expect(() => functionalCall(layer, { wait: x() }, x())).toThrow('[functionalCall] expected keys of stateDict(): weight, bias, got wait');
    expect(() =>
      functionalCall(
        layer,
        {
          weight: tensor(
            [
              [1, 2, 3],
              [4, 5, 6],
            ],
            { dtype: 'float64' },
          ),
        },
        x(),
      ),
    ).toThrow(ArgumentError);
    expect(() => functionalCall(layer, { bias: tensor([1]) }, x())).toThrow(ShapeError);
  });
});

describe('stackModules', () => {
  const model = (seed: number): Sequential => {
    manualSeed(seed);
    return new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Linear(4, 2));
  };

  test('gives every member’s output', () => {
    const models = [1, 2, 3].map(model);
    const all = stackModules(models).eval();
    const found = all.forward(x());
    expect(found.shape).toEqual([3, 2, 2]);
    expect(numbers(found)).toEqual(numbers(stack(models.map((each) => each.eval().forward(x())))));
    expect(Object.keys(all.stateDict())).toContain('state.0.weight');
    expect(all.toString()).toBe('StackedModules(3 × Sequential)');
  });

  test('trains each member as it would train alone', () => {
    const models = [1, 2].map(() => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2)));
    const all = stackModules(models);
    all.forward(x()).square().sum().backward();
    for (const each of models) each.forward(x()).square().sum().backward();
    const wanted = models.map((each) => [...each.namedParameters()].map(([, p]) => numbers(p.grad as Tensor)));
    const found = [...all.namedParameters()].map(([, p]) => numbers(p.grad as Tensor));
    expect(found.flat()).toHaveLength(wanted.flat(2).length);
    found.forEach((both, k) => {
      expect(both).toEqual(wanted.flatMap((member) => member[k] ?? []));
    });
  });

  test('leaves nothing behind', () => {
    const all = stackModules([1, 2].map(model)).eval();
    const run = (): void => scope(() => void all.forward(x()).dataSync());
    run();
    const { liveBytes } = memory();
    for (let i = 0; i < 5; i++) run();
    expect(memory().liveBytes).toBe(liveBytes);
  });

  test('refuses modules that differ, and none', () => {
    expect(() => stackModules([])).toThrow(ArgumentError);
    expect(() => stackModules([new Linear(3, 2), new Linear(3, 4)])).toThrow('[stackModules] expected modules like the first');
  });
});
