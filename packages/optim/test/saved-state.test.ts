/** The state of an optimizer, by the names of its parameters: going on from it is going on to the bit, wherever parameters lie. */

import { cpu } from '@gradus/backend-cpu';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { ArgumentError, Parameter, isTensor, manualSeed, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { Adam, AdamW, SGD } from '../src/index.ts';
import type { NamedTensor, Optimizer, OptimizerState } from '../src/index.ts';

beforeEach(() => manualSeed(0));

const model = (): Sequential => new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 2));
const x = tensor(
  Float32Array.from({ length: 15 }, (_, i) => Math.sin(i * 1.3)),
  { shape: [5, 3] },
);
const step = (net: Sequential, optimizer: Optimizer): void => optimizer.minimize(net.forward(x).square().sum());
const weights = (net: Sequential): number[][] => net.parameters().map((p) => [...p.dataSync()]);

function copyOf(net: Sequential): Sequential {
  const copy = model();
  copy.loadStateDict(net.stateDict());
  return copy;
}

const plain = (saved: OptimizerState): unknown =>
  Object.entries(saved.state).map(([name, slots]) => [
    name,
    Object.entries(slots).map(([slot, value]) => [slot, isTensor(value) ? [...value.dataSync()] : value]),
  ]);

describe('going on from it', () => {
  type Rest = (named: readonly NamedTensor[]) => ConstructorParameters<typeof AdamW>[0];
  const layouts: readonly [string, Rest][] = [
    ['in the same order', (named) => named],
    ['in another order', (named) => named.toReversed()],
  ];
  test.each(layouts)('%s is going on to the bit', (_, layout) => {
    const whole = model();
    const optimizer = new AdamW(whole.namedParameters(), { lr: 0.05 });
    for (let i = 0; i < 3; i++) step(whole, optimizer);
    const again = copyOf(whole);
    const saved = optimizer.stateDict();
    for (let i = 0; i < 4; i++) step(whole, optimizer); // what was saved stays as it was
    const other = new AdamW(layout([...again.namedParameters()]), { lr: 1 });
    other.loadStateDict(saved);
    for (let i = 0; i < 4; i++) step(again, other);
    expect(weights(again)).toEqual(weights(whole));
    expect(other.lr).toBe(0.05);
  });

  test('keeps what each group has of its own', () => {
    const net = model();
    const groups = (of: Sequential, lr: number): SGD =>
      new SGD([{ parameters: of.layers[0]?.parameters() ?? [], options: { lr } }, { parameters: of.layers[2]?.parameters() ?? [] }], {
        lr: 0.1,
        momentum: 0.9,
      });
    const first = groups(net, 0.01);
    step(net, first);
    const again = copyOf(net);
    const second = groups(again, 0.5);
    second.loadStateDict(first.stateDict());
    step(net, first);
    step(again, second);
    expect([weights(again), second.groups.map((g) => g.lr)]).toEqual([weights(net), [0.01, 0.1]]);
    const loose = new SGD(again.parameters(), { lr: 0.3, momentum: 0.9 });
    expect(() => loose.loadStateDict(first.stateDict())).toThrow('expected options of the same groups, got groups of 2, 2 parameters');
    loose.loadStateDict(first.stateDict(), { options: false });
    expect(loose.lr).toBe(0.3);
  });

  test('on another device', async () => {
    const net = model();
    const optimizer = new Adam(net.namedParameters(), { lr: 0.05 });
    for (let i = 0; i < 3; i++) step(net, optimizer);
    const saved = optimizer.stateDict();
    const device = cpu();
    const moved = new Map(
      await Promise.all([...net.namedParameters()].map(async ([name, p]) => [name, new Parameter(await p.detach().to(device))] as const)),
    );
    const other = new Adam(moved);
    expect(() => other.loadStateDict(saved)).toThrow(/0\.weight\.expAvg: cpu here, cpu given/);
    const state: Record<string, Record<string, number | Tensor>> = {};
    for (const [name, slots] of Object.entries(saved.state)) {
      const entries = Object.entries(slots).map(async ([slot, value]) => [slot, isTensor(value) ? await value.to(device) : value] as const);
      // oxlint-disable-next-line no-await-in-loop
      state[name] = Object.fromEntries(await Promise.all(entries));
    }
    other.loadStateDict({ ...saved, state });
    expect(plain(other.stateDict())).toEqual(plain(saved));
  });
});

test('is by name, or by number for parameters without', () => {
  const net = model();
  const optimizer = new Adam(net.namedParameters());
  step(net, optimizer);
  const { state, options, groups } = optimizer.stateDict();
  const names = ['0.weight', '0.bias', '2.weight', '2.bias'];
  expect(Object.keys(state)).toEqual(names);
  expect(state['2.weight']).toMatchObject({ step: 1, expAvg: { shape: [2, 4] }, expAvgSq: { shape: [2, 4] } });
  expect([options['lr'], groups]).toEqual([1e-3, [{ names, options: {} }]]);
  expect(Object.keys(new Adam(net.parameters()).stateDict().state)).toEqual(['0', '1', '2', '3']);
});

describe('is refused, and nothing has changed,', () => {
  const make = (...sizes: number[]): Optimizer =>
    new Adam(sizes.map((n, i) => [`p${i}`, new Parameter(tensor(Float32Array.from({ length: n })))] as const));
  const cases: readonly [string, (own: Optimizer) => unknown, string][] = [
    ['of other shapes', () => make(2, 4).stateDict(), 'p1.expAvg: float32 [3] here, float32 [4] given'],
    ['of fewer parameters', () => make(2).stateDict(), 'got missing p1.'],
    ['of more parameters', () => make(2, 3, 1).stateDict(), 'got unexpected p2.'],
    ['of another rule', () => new SGD([['p0', new Parameter(tensor([1, 2]))]], { lr: 1 }).stateDict(), 'p0.expAvg: float32 [2] here, nothing given'],
    ['without steps', (own) => ({ ...own.stateDict(), state: { ...own.stateDict().state, p0: {} } }), 'p0.step: a number here, nothing given'],
    ['that is none', () => [], '[loadStateDict] expected what stateDict() gave, got []'],
    ['with a bad rate', (own) => ({ ...own.stateDict(), options: { lr: -1 } }), 'a learning rate of at least 0, got -1'],
  ];
  test.each(cases)('%s', (_, saved, message) => {
    const own = make(2, 3);
    own.minimize(own.parameters.map((p) => p.add(1).square().sum()).reduce((a, b) => a.add(b)));
    const before = plain(own.stateDict());
    const load = (): void => own.loadStateDict(saved(own) as OptimizerState);
    expect(load).toThrow(ArgumentError);
    expect(load).toThrow(message);
    expect([plain(own.stateDict()), own.lr]).toEqual([before, 1e-3]);
  });

  test('disposed', () => {
    const own = make(2, 3);
    const saved = make(2, 3).stateDict();
    const moment = saved.state['p1']?.['expAvg'];
    (moment as Tensor).dispose();
    expect(() => own.loadStateDict(saved)).toThrow('a disposed tensor given');
  });
});
