/** What modules hold: where it is found, and under which keys it is saved. */

import { ArgumentError, Parameter, ones, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Linear, Module, ReLU, Sequential, StateDictError } from './index.ts';
import { stateKey } from './paths.ts';

const names = (module: Module): string[] => [...module.namedParameters()].map(([name]) => name);
const linear = (): Linear => new Linear(1, 1, { bias: false });

/** A module that holds what it is given. */
class Holder extends Module {
  constructor(parts: object) {
    super();
    Object.assign(this, parts);
  }
  forward(x: Tensor): Tensor {
    return x;
  }
}

test.each([
  ['runningMean', 'running_mean'],
  ['numBatchesTracked', 'num_batches_tracked'],
  ['encoder.layers.3.selfAttn.inProjWeight', 'encoder.layers.3.self_attn.in_proj_weight'],
  ['fc1Weight', 'fc1_weight'],
  ['loraA', 'lora_A'],
  ['loraA.weight', 'lora_A.weight'],
  ['loraAWeight', 'lora_A_weight'],
  ['projQKV', 'proj_qkv'],
  ['useBNLayer', 'use_bn_layer'],
  ['W', 'W'],
  ['w', 'w'],
  ['Wqkv', 'Wqkv'],
  ['A_log', 'A_log'],
  ['lora_A', 'lora_A'],
  ['weight_ih_l0', 'weight_ih_l0'],
  ['weightIh_l0', 'weight_ih_l0'],
])('the key of %s is %s', (path, key) => expect(stateKey(path)).toBe(key));

describe('is found', () => {
  test('in arrays and plain objects, however deep', () => {
    const model = new Holder({
      weights: [new Parameter(ones([1])), new Parameter(ones([1]))],
      scales: { a: new Parameter(ones([1])), b: { c: [new Parameter(ones([1]))] } },
      blocks: [[linear(), linear()], [linear()]],
      heads: Object.assign(Object.create(null) as object, { a: linear() }),
      sizes: [1, 2, { depth: null }],
    });
    expect(names(model)).toEqual([
      'weights.0',
      'weights.1',
      'scales.a',
      'scales.b.c.0',
      'blocks.0.0.weight',
      'blocks.0.1.weight',
      'blocks.1.0.weight',
      'heads.a.weight',
    ]);
    expect(Object.keys(model.stateDict())).toEqual(names(model));
    expect([...model.eval().modules()].every((m) => !m.training)).toBe(true);
  });

  test('beside the layers of a Sequential', () => {
    class Scaled extends Sequential {
      readonly head: Linear = linear();
      readonly scale: Parameter = new Parameter(ones([1]));
    }
    const model = new Scaled(linear(), new ReLU());
    expect(names(model)).toEqual(['scale', '0.weight', 'head.weight']);
    expect(model.layers).toHaveLength(2);
  });

  test('where things contain themselves', () => {
    const list: unknown[] = [linear()];
    list.push(list);
    const model = new Holder({ list });
    Object.assign(model, { self: model });
    expect(names(model)).toEqual(['list.0.weight']);
    expect(Object.keys(model.stateDict())).toEqual(['list.0.weight']);
  });
});

describe('shared state', () => {
  const tied = (): Module => {
    const embedding = linear();
    const norm = linear();
    const output = linear();
    Object.assign(output, { weight: embedding.weight });
    return new Holder({ embedding, output, norm, again: norm });
  };

  test('is one parameter, saved under every path to it', () => {
    const model = tied();
    expect(names(model)).toEqual(['embedding.weight', 'norm.weight']);
    const dict = model.stateDict();
    expect(Object.keys(dict)).toEqual(['embedding.weight', 'output.weight', 'norm.weight', 'again.weight']);
    expect(dict['output.weight']).toBe(dict['embedding.weight']);
  });

  test('is loaded from a dict with every path', () => {
    const model = tied();
    const [three, four] = [tensor([[3]]), tensor([[4]])];
    const whole = { 'embedding.weight': three, 'output.weight': three, 'norm.weight': four, 'again.weight': four };
    expect(model.loadStateDict(whole)).toEqual({ missing: [], unexpected: [] });
    expect(model.parameters().map((p) => p.itemSync())).toEqual([3, 4]);
    const { 'again.weight': _, ...part } = whole;
    expect(() => model.loadStateDict(part)).toThrow(StateDictError);
    expect(model.loadStateDict(part, { strict: false }).missing).toEqual(['again.weight']);
  });
});

describe('a state dict that cannot be loaded changes nothing', () => {
  const disposed = tensor([[9]]);
  disposed.dispose();
  const failing = tensor([[9]]);
  failing.copy = () => {
    throw new RangeError('no memory');
  };
  test.each<[string, unknown, string]>([
    ['a tensor of another shape', tensor([9]), 'second.weight: float32 [1,1] here, float32 [1] given'],
    ['a tensor of another dtype', tensor([[9]], { dtype: 'int32' }), 'int32 [1,1] given'],
    ['a tensor that is gone', disposed, 'second.weight: float32 [1,1] here, a disposed tensor given'],
    ['an array', [[9]], 'second.weight: float32 [1,1] here, [[…]] given'],
    ['nothing', null, 'null given'],
    ['a tensor that cannot be copied', failing, 'no memory'],
  ])('%s', (_, value, message) => {
    const model = new Holder({ first: linear(), second: linear() });
    const before = model.parameters().map((p) => p.itemSync());
    const load = (): unknown => model.loadStateDict({ 'first.weight': tensor([[5]]), 'second.weight': value as Tensor });
    expect(load).toThrow(message === 'no memory' ? RangeError : StateDictError);
    expect(load).toThrow(message);
    expect(model.parameters().map((p) => p.itemSync())).toEqual(before);
  });
});

test('two properties with one key are refused by name', () => {
  const model = new Holder({ inner: new Holder({ runningMean: new Parameter(zeros([1])), running_mean: new Parameter(zeros([1])) }) });
  expect(() => model.stateDict()).toThrow(ArgumentError);
  expect(() => model.stateDict()).toThrow(
    /^\[stateDict\] .*the key inner\.running_mean for inner\.runningMean and inner\.running_mean\. Fix: rename/,
  );
  expect(() => model.loadStateDict({})).toThrow(/^\[loadStateDict\]/);
});
