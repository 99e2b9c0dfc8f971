/** Files: the same bits come back, and they are small. */

import { cpu } from '@gradus/backend-cpu';
import { decodeSafetensors, encodeSafetensors } from '@gradus/formats';
import { Linear, ReLU, Sequential, StateDictError, concatenate, dense, graphModel, input } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { manualSeed, randn, tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { int4WeightOnly, int8WeightOnly, quantizeDynamic } from '../src/index.ts';

const make = (): Module => new Sequential(new Linear(32, 16), new ReLU(), new Linear(16, 4, { bias: false }));

describe.each([
  ['quantizeDynamic', () => quantizeDynamic(make(), [Linear]).model, ['I8', 'weight', 'weight_scale', 'weight_sum']],
  ['per channel', () => quantizeDynamic(make(), [Linear], { perChannel: true }).model, ['I8', 'weight', 'weight_scale', 'weight_sum']],
  ['int8WeightOnly', () => int8WeightOnly(make()).model, ['I8', 'weight', 'weight_scale']],
  ['int4WeightOnly', () => int4WeightOnly(make(), { groupSize: 8 }).model, ['U8', 'weight', 'weight_scale']],
] as const)('%s', (_, quantized, [dtype, ...keys]) => {
  test('gives the same bits after saving and loading', async () => {
    manualSeed(1);
    const [saved, other] = [quantized(), quantized()];
    const x = randn([5, 32]);
    const y = [...saved.forward(x).dataSync()];
    expect([...other.forward(x).dataSync()]).not.toEqual(y);
    const file = await encodeSafetensors(saved.stateDict());
    other.loadStateDict(decodeSafetensors(file).tensors);
    expect([...other.forward(x).dataSync()]).toEqual(y);
    expect(await encodeSafetensors(other.stateDict())).toEqual(file);
  });

  test('has documented keys and dtypes', async () => {
    const model = quantized();
    expect(Object.keys(model.stateDict()).toSorted()).toEqual(
      ['0.bias', ...['0', '2'].flatMap((at) => keys.map((key) => `${at}.${key}`))].toSorted(),
    );
    const header = new TextDecoder().decode((await encodeSafetensors(model.stateDict())).subarray(8, 600));
    expect(header).toContain(`"0.weight":{"dtype":"${dtype}"`);
  });

  test('refuses the state of the model before', () => {
    expect(() => quantized().loadStateDict(make().stateDict())).toThrow(StateDictError);
  });
});

test('a functional graph gives the same bits after saving and loading, with a shared layer saved once', async () => {
  const graph = (): Module => {
    const [a, b] = [input({ shape: [32] }), input({ shape: [32] })];
    const encode = dense(16, { activation: 'relu', name: 'encoder' });
    return graphModel({ inputs: [a, b], outputs: dense(4)(concatenate([encode(a), encode(b)])) });
  };
  manualSeed(2);
  const [saved, other] = [quantizeDynamic(graph(), [Linear]).model, quantizeDynamic(graph(), [Linear]).model];
  const [x, y] = [randn([5, 32]), randn([5, 32])];
  const wanted = [...saved.forward(x, y).dataSync()];
  expect([...other.forward(x, y).dataSync()]).not.toEqual(wanted);
  const file = await encodeSafetensors(saved.stateDict());
  const { tensors } = decodeSafetensors(file);
  expect(Object.keys(tensors).toSorted()).toEqual(
    ['dense', 'encoder'].flatMap((name) => ['bias', 'weight', 'weight_scale', 'weight_sum'].map((key) => `${name}.${key}`)),
  );
  other.loadStateDict(tensors);
  expect([...other.forward(x, y).dataSync()]).toEqual(wanted);
  expect(await encodeSafetensors(other.stateDict())).toEqual(file);
});

test('a state that cannot be loaded leaves every bit as it was', () => {
  manualSeed(1);
  const [model, other] = [quantizeDynamic(make(), [Linear]).model, quantizeDynamic(make(), [Linear]).model];
  const bits = (): unknown => Object.values(model.stateDict()).map((t) => [...t.dataSync()]);
  const before = bits();
  const gone = tensor(1);
  gone.dispose();
  for (const [last, shown] of [
    [gone, 'a disposed tensor'],
    [null as never, 'null'],
    [tensor([1]), 'float32 [1]'],
    [tensor(1, { device: cpu() }), 'float32 [] on cpu'],
  ] as const) {
    const load = (): unknown => model.loadStateDict({ ...other.stateDict(), '2.weight_scale': last });
    expect(load).toThrow(StateDictError);
    expect(load).toThrow(`2.weight_scale: float32 [] here, ${shown} given`);
  }
  expect(bits()).toEqual(before);
});

test('the file of a network for digits is 3.9 times smaller in int8, and 5.2 times in int4', async () => {
  const net = new Sequential(new Linear(784, 512), new ReLU(), new Linear(512, 256), new ReLU(), new Linear(256, 10));
  const sizeOf = async (model: Module): Promise<number> => (await encodeSafetensors(model.stateDict())).byteLength;
  const before = await sizeOf(net);
  expect(before / (await sizeOf(quantizeDynamic(net, [Linear]).model))).toBeGreaterThan(3.9);
  expect(before / (await sizeOf(quantizeDynamic(net, [Linear], { perChannel: true }).model))).toBeGreaterThan(3.9);
  expect(before / (await sizeOf(int8WeightOnly(net).model))).toBeGreaterThan(3.9);
  expect(before / (await sizeOf(int4WeightOnly(net, { groupSize: 16 }).model))).toBeGreaterThan(5.2);
});
