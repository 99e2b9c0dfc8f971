/** Modules and layers: names, shapes, modes, state dicts, and PyTorch's numbers. */

import { GradusError, Parameter, grad, manualSeed, ones, rand, randn, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential, StateDictError } from './index.ts';

beforeEach(() => manualSeed(0));

const values = (t: Tensor): number[] => [...t.dataSync()];

class Block extends Module {
  readonly selfAttn: Linear = new Linear(2, 2);
  readonly layers: Linear[] = [new Linear(2, 3), new Linear(3, 2, { bias: false })];
  readonly inProjWeight: Parameter = new Parameter(ones([2]));
  readonly shared: Linear = this.selfAttn;
  forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), this.selfAttn.forward(x)).mul(this.inProjWeight);
  }
}

describe('Module', () => {
  test('finds parameters by property, each once', () => {
    const names = [...new Block().namedParameters()].map(([name]) => name);
    expect(names).toEqual(['inProjWeight', 'selfAttn.weight', 'selfAttn.bias', 'layers.0.weight', 'layers.0.bias', 'layers.1.weight']);
  });

  test('writes PyTorch’s keys', () => {
    expect(Object.keys(new Sequential(new Linear(2, 2), new ReLU(), new BatchNorm1d(2)).stateDict())).toEqual([
      '0.weight',
      '0.bias',
      '2.weight',
      '2.bias',
      '2.running_mean',
      '2.running_var',
      '2.num_batches_tracked',
    ]);
    expect(Object.keys(new Block().stateDict())).toContain('self_attn.weight');
    expect(Object.keys(new Block().stateDict())).toContain('in_proj_weight');
  });

  test('switches mode for all below', () => {
    const model = new Sequential(new Dropout(0.5), new Sequential(new Dropout(0.5)));
    expect([...model.eval().modules()].every((m) => !m.training)).toBe(true);
    expect([...model.train().modules()].every((m) => m.training)).toBe(true);
    const seen: string[] = [];
    model.apply((m) => seen.push(m.constructor.name));
    expect(seen).toEqual(['Dropout', 'Sequential', 'Dropout', 'Sequential']);
  });

  test('freezes', () => {
    const model = new Linear(2, 2).requiresGrad(false);
    expect(model.parameters().every((p) => !p.requiresGrad)).toBe(true);
    expect(model.forward(ones([1, 2])).requiresGrad).toBe(false);
    expect(model.requiresGrad().forward(ones([1, 2])).requiresGrad).toBe(true);
  });

  test('prints its tree', () => {
    expect(String(new Sequential(new Linear(2, 3), new Sequential(new ReLU(), new Conv2d(4, 8, 3, { groups: 2 }))))).toBe(
      'Sequential(\n  0: Linear(2, 3)\n  1: Sequential(\n    0: ReLU()\n    1: Conv2d(4, 8, [3, 3])\n  )\n)',
    );
  });

  test('is freed by dispose', () => {
    const model = new BatchNorm1d(2);
    model.dispose();
    expect([...model.parameters(), ...model.buffers()].every((t) => t.isDisposed)).toBe(true);
  });
});

describe('loadStateDict', () => {
  test('copies what fits', () => {
    const a = new Block();
    const b = new Block();
    expect(b.loadStateDict(a.stateDict())).toEqual({ missing: [], unexpected: [] });
    const x = randn([3, 2], { seed: 1 });
    expect(values(b.forward(x))).toEqual(values(a.forward(x)));
    a.dispose();
    expect(values(b.forward(x)).every((v) => Number.isFinite(v))).toBe(true);
  });

  test('refuses what does not, and changes nothing', () => {
    const model = new Linear(2, 2);
    const before = values(model.weight);
    const wrong = { weight: zeros([2, 2]), bias: zeros([3]), extra: zeros([1]) };
    expect(() => model.loadStateDict(wrong)).toThrow(StateDictError);
    expect(() => model.loadStateDict(wrong)).toThrow(/unexpected: extra\. mismatched: bias: float32 \[2\] here, float32 \[3\] given/);
    expect(() => model.loadStateDict({ weight: zeros([2, 2]) })).toThrow(/missing: bias\. Fix: pass \{ strict: false \}/);
    expect(values(model.weight)).toEqual(before);
    expect(model.loadStateDict({ weight: zeros([2, 2]), extra: zeros([1]) }, { strict: false })).toEqual({
      missing: ['bias'],
      unexpected: ['extra'],
    });
    expect(values(model.weight)).toEqual([0, 0, 0, 0]);
  });
});

describe('layers', () => {
  test('Linear: x·Wᵀ + b, initial values within 1/√fanIn', () => {
    const layer = new Linear(4, 3);
    expect(layer.weight.shape).toEqual([3, 4]);
    const bound = 1 / Math.sqrt(4);
    expect([...values(layer.weight), ...values(layer.bias as Tensor)].every((v) => Math.abs(v) <= bound)).toBe(true);
    layer.loadStateDict({
      weight: tensor([
        [1, 0, 0, 0],
        [0, 2, 0, 0],
        [0, 0, 3, 1],
      ]),
      bias: tensor([0.5, 0, -1]),
    });
    expect(values(layer.forward(tensor([[1, 2, 3, 4]])))).toEqual([1.5, 4, 12]);
    expect(layer.forward(zeros([2, 5, 4])).shape).toEqual([2, 5, 3]);
    expect(() => layer.forward(zeros([2, 5]))).toThrow(/^\[Linear\] expected x of shape \[\.\.\., 4\], got \[2, 5\]/);
  });

  test('Conv2d: the example of the documentation', () => {
    const layer = new Conv2d(1, 1, 2, { padding: 1, bias: false });
    layer.loadStateDict({ weight: ones([1, 1, 2, 2]) });
    const x = tensor([
      [
        [
          [1, 2, 3],
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
    ]);
    expect(values(layer.forward(x))).toEqual([1, 3, 5, 3, 5, 12, 16, 9, 11, 24, 28, 15, 7, 15, 17, 9]);
    const same = new Conv2d(1, 1, 2, { padding: 'same', bias: false });
    same.loadStateDict({ weight: ones([1, 1, 2, 2]) });
    // PyTorch pads the extra cell at the end.
    expect(values(same.forward(x))).toEqual([12, 16, 9, 24, 28, 15, 15, 17, 9]);
  });

  test('MaxPool2d, Flatten, ReLU', () => {
    const x = tensor([
      [
        [
          [1, 2, -3, 4],
          [5, 6, -7, 8],
        ],
      ],
    ]);
    expect(values(new MaxPool2d(2).forward(x))).toEqual([6, 8]);
    expect(new Flatten().forward(zeros([2, 3, 4])).shape).toEqual([2, 12]);
    expect(values(new ReLU().forward(tensor([-1, 0, 2])))).toEqual([0, 0, 2]);
  });

  test('Dropout scales what it keeps, and does nothing in evaluation', () => {
    const layer = new Dropout(0.25);
    const y = values(layer.forward(ones([4000])));
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
    expect(Math.abs(y.filter((v) => v === 0).length / 4000 - 0.25)).toBeLessThan(0.03);
    const x = ones([3]);
    const same = layer.eval().forward(x);
    expect(values(same)).toEqual([1, 1, 1]);
    same.dispose();
    expect(x.isDisposed).toBe(false);
    expect(values(new Dropout(1).forward(ones([2])))).toEqual([0, 0]);
    expect(() => new Dropout(1.5)).toThrow(GradusError);
  });

  test('the gradient of dropout passes where the values did', () => {
    const layer = new Dropout(0.5);
    const x = ones([50]);
    let y: number[] = [];
    const g = grad((t) => {
      const out = layer.forward(t);
      y = values(out.detach());
      return out.sum();
    })(x);
    expect(values(g)).toEqual(y);
  });
});

describe('BatchNorm', () => {
  // PyTorch 1.13: BatchNorm1d(1) on [[1], [2], [4]].
  test('normalises by the biased variance and keeps the unbiased one', () => {
    const layer = new BatchNorm1d(1);
    const y = values(layer.forward(tensor([[1], [2], [4]])));
    for (const [i, v] of [-1.06904149, -0.26726031, 1.33630204].entries()) expect(y[i]).toBeCloseTo(v, 6);
    expect(layer.runningMean?.itemSync()).toBeCloseTo(0.23333333, 6);
    expect(layer.runningVar?.itemSync()).toBeCloseTo(1.13333333, 6);
    expect(layer.numBatchesTracked?.itemSync()).toBe(1);
  });

  test('uses the running statistics in evaluation, and leaves them', () => {
    const layer = new BatchNorm2d(2);
    layer.loadStateDict({ ...layer.stateDict(), running_mean: tensor([1, 2]), running_var: tensor([4, 9]) });
    const y = layer.eval().forward(tensor([[[[3]], [[5]]]]));
    expect(values(y)[0]).toBeCloseTo(1, 4);
    expect(values(y)[1]).toBeCloseTo(1, 4);
    expect(layer.numBatchesTracked?.itemSync()).toBe(0);
  });

  test('momentum null averages over all batches', () => {
    const layer = new BatchNorm1d(1, { momentum: null });
    for (const x of [
      [[1], [3]],
      [[5], [7]],
      [[0], [2]],
    ])
      layer.forward(tensor(x));
    expect(layer.runningMean?.itemSync()).toBeCloseTo((2 + 6 + 1) / 3, 5);
  });

  test('has the gradient of its formula', () => {
    const layer = new BatchNorm1d(2);
    const x = rand([5, 2], { seed: 3 });
    const weight = rand([5, 2], { seed: 4 });
    const g = values(grad((t) => layer.forward(t).mul(weight).sum())(x));
    const f = (t: Tensor): number => layer.forward(t).mul(weight).sum().itemSync();
    const base = x.dataSync();
    for (let i = 0; i < base.length; i++) {
      const shifted = (by: number): Tensor =>
        tensor(
          base.map((v, j) => (j === i ? v + by : v)),
          { shape: [5, 2] },
        );
      expect(g[i]).toBeCloseTo((f(shifted(1e-2)) - f(shifted(-1e-2))) / 2e-2, 1);
    }
  });

  test('refuses a batch of one value for each channel, and other channels', () => {
    expect(() => new BatchNorm1d(2).forward(ones([1, 2]))).toThrow(/more than one value for each channel/);
    expect(() => new BatchNorm1d(2).eval().forward(ones([1, 2]))).not.toThrow();
    expect(() => new BatchNorm2d(2).forward(ones([1, 3, 2, 2]))).toThrow(/rank 4 with 2 channels, got \[1, 3, 2, 2\]/);
  });
});
