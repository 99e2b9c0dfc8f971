/** Whole models: what is replaced, what is reported, what stays as it was, and mistakes named. */

import { BatchNorm1d, Linear, Module, ReLU, Sequential, add, dense, graphModel, input, layer } from '@gradus/nn';
import { ArgumentError, manualSeed, randn, relu, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import { QuantizedLinear, int4WeightOnly, int8WeightOnly, quantizeDynamic } from './index.ts';

beforeEach(() => manualSeed(0));

/** Calculates something else. */
class Doubled extends Linear {
  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(2);
  }
}

class Net extends Module {
  readonly body = [new Linear(8, 6), new BatchNorm1d(6)];
  readonly special = new Doubled(6, 6);
  readonly head = new Sequential(new ReLU(), new Linear(6, 2));

  forward(x: Tensor): Tensor {
    const y = this.body.reduce<Tensor>((value, each) => each.forward(value), x);
    return this.head.forward(this.special.forward(y));
  }
}

const bits = (model: Module): unknown => Object.entries(model.stateDict()).map(([key, t]) => [key, t.dtype, [...t.dataSync()]]);
const classes = (model: Module): string[] => [...model.modules()].map(({ constructor }) => constructor.name);

describe('quantizeDynamic', () => {
  test('replaces the layers of the listed classes and says so', () => {
    const net = new Net().eval();
    const { model, report } = quantizeDynamic(net, [Linear], { dtype: 'qint8' });
    expect(classes(model)).toEqual(['Net', 'QuantizedLinear', 'BatchNorm1d', 'Doubled', 'Sequential', 'ReLU', 'QuantizedLinear']);
    expect(report.layers).toEqual([
      { name: 'body.0', layer: 'Linear', became: 'QuantizedLinear', reason: null, bytesBefore: 216, bytesAfter: 48 + 24 + 4 + 24 },
      { name: 'body.1', layer: 'BatchNorm1d', became: null, reason: 'only Linear is replaced', bytesBefore: 100, bytesAfter: 100 },
      {
        name: 'special',
        layer: 'Doubled',
        became: null,
        reason: 'a subclass of Linear may calculate something else',
        bytesBefore: 168,
        bytesAfter: 168,
      },
      { name: 'head.1', layer: 'Linear', became: 'QuantizedLinear', reason: null, bytesBefore: 56, bytesAfter: 12 + 8 + 4 + 8 },
    ]);
    const { bytesBefore, bytesAfter, ratio, coverage } = report.totals;
    expect([bytesBefore, bytesAfter]).toEqual([540, 400]);
    expect(ratio).toBeCloseTo(1.35);
    expect(coverage).toBeCloseTo(272 / 540);
    expect(model.forward(zeros([3, 8])).shape).toEqual([3, 2]);
  });

  test('leaves the model as it was', () => {
    const net = new Net().eval();
    const [before, tree, x] = [bits(net), classes(net), randn([3, 8])];
    const y = [...net.forward(x).dataSync()];
    const { model } = quantizeDynamic(net, [Linear]);
    model.forward(x).evaluate();
    model.train();
    expect(net.training).toBe(false);
    expect(bits(net)).toEqual(before);
    expect(classes(net)).toEqual(tree);
    expect([...net.eval().forward(x).dataSync()]).toEqual(y);
  });

  test('replaces a model that is a Linear itself', () => {
    const { model, report } = quantizeDynamic(new Linear(10, 1), [Linear]);
    expect(model).toBeInstanceOf(QuantizedLinear);
    expect(report.layers[0]?.name).toBe('');
  });

  test('replaces a layer that is held twice once', () => {
    const shared = new Linear(4, 4);
    const { model, report } = quantizeDynamic(new Sequential(shared, new ReLU(), shared), [Linear]);
    const { layers } = model as Sequential;
    expect(layers[0]).toBe(layers[2]);
    expect(report.layers.length).toBe(1);
  });

  test('leaves out what skip names, other dtypes, and what is quantized', () => {
    const { model, report } = quantizeDynamic(new Net(), [Linear], { skip: ['body.0'] });
    expect(report.layers[0]).toMatchObject({ became: null, reason: 'skip names it', bytesBefore: 216, bytesAfter: 216 });
    const again = quantizeDynamic(model, [Linear]).report.layers;
    expect(again.map(({ became }) => became)).toEqual(['QuantizedLinear', null, null, null]);
    expect(again[3]?.reason).toBe('it is quantized already');
  });

  test('passes its options on', () => {
    const { model } = quantizeDynamic(new Linear(4, 3), [Linear], { perChannel: true, reduceRange: false });
    expect(String(model)).toBe('QuantizedLinear(4, 3, int8 per channel, activations uint8)');
    expect((model as QuantizedLinear).weightScale.shape).toEqual([3]);
  });
});

describe('a functional graph', () => {
  /** Two inputs, an encoder for both, two heads, one of them with an activation. */
  const make = () => {
    const [a, b] = [input({ shape: [8] }), input({ shape: [8] })];
    const encode = dense(6, { activation: 'relu', name: 'encoder' });
    const outputs = { sum: dense(1, { activation: 'sigmoid' })(add([encode(a), encode(b)])), deep: layer(new Net())(a) };
    return graphModel({ inputs: [a, b], outputs });
  };
  const outputsOf = (model: Module, x: Tensor, y: Tensor): number[][] => {
    const { sum, deep } = (model as ReturnType<typeof make>).run([x, y]);
    return [[...sum.dataSync()], [...deep.dataSync()]];
  };

  test('is quantized layer by layer, shared ones once, and reported', () => {
    const { model, report } = quantizeDynamic(make().eval(), [Linear]);
    expect(report.layers.map(({ name, became }) => [name, became])).toEqual([
      ['encoder', 'QuantizedLinear'],
      ['dense', 'QuantizedLinear'],
      ['net.body.0', 'QuantizedLinear'],
      ['net.body.1', null],
      ['net.special', null],
      ['net.head.1', 'QuantizedLinear'],
    ]);
    expect(String(model)).toContain('encoder: QuantizedLinear(8, 6');
    expect(String(model)).toContain('encoder (use 2): QuantizedLinear(8, 6');
    expect(classes(model).filter((name) => name === 'QuantizedLinear')).toHaveLength(4);
  });

  test('calculates what its layers do, and leaves the model as it was', () => {
    const net = make().eval();
    const [x, y, before, tree] = [randn([3, 8]), randn([3, 8]), bits(net), String(net)];
    const outputs = outputsOf(net, x, y);
    const { model } = quantizeDynamic(net, [Linear]);
    const { encoder, dense: head, net: deep } = (model as ReturnType<typeof make>).layers as Record<string, QuantizedLinear>;
    const wanted = (head as Module).forward(relu((encoder as Module).forward(x)).add(relu((encoder as Module).forward(y)))).sigmoid();
    expect(outputsOf(model, x, y)).toEqual([[...wanted.dataSync()], [...(deep as Module).forward(x).dataSync()]]);
    expect(outputsOf(model, x, y)).not.toEqual(outputs);
    expect([bits(net), String(net), outputsOf(net, x, y)]).toEqual([before, tree, outputs]);
  });

  test.each([
    ['quantizeDynamic', (net: Module) => quantizeDynamic(net, [Linear]).model],
    ['int8WeightOnly', (net: Module) => int8WeightOnly(net).model],
    ['int4WeightOnly', (net: Module) => int4WeightOnly(net, { groupSize: 2 }).model],
  ] as const)('%s comes back to the bit from its state', (_, quantized) => {
    const [x, y] = [randn([3, 8]), randn([3, 8])];
    const [saved, other] = [quantized(make().eval()), quantized(make().eval())];
    expect(outputsOf(other, x, y)).not.toEqual(outputsOf(saved, x, y));
    other.loadStateDict(saved.stateDict());
    expect(outputsOf(other, x, y)).toEqual(outputsOf(saved, x, y));
  });
});

test('the report is a table, and JSON', () => {
  const { report } = quantizeDynamic(new Sequential(new Linear(8, 4), new BatchNorm1d(4)), [Linear]);
  expect(String(report).split('\n')).toEqual([
    'layer  class        became           bytes before  bytes after  why not',
    '0      Linear       QuantizedLinear           144           68',
    '1      BatchNorm1d  -                          68           68  only Linear is replaced',
    '212 bytes became 136: 1.56 times smaller; 67.9 % were quantized',
  ]);
  expect(JSON.parse(JSON.stringify(report))).toEqual({ layers: report.layers, totals: report.totals });
});

describe('weights only', () => {
  test('in int8', () => {
    const { model, report } = int8WeightOnly(new Net());
    expect(classes(model).filter((name) => name === 'Int8WeightOnlyLinear').length).toBe(2);
    expect(report.layers[0]?.bytesAfter).toBe(48 + 24 + 24);
  });

  test('in int4', () => {
    const { model, report } = int4WeightOnly(new Net(), { groupSize: 2 });
    expect(classes(model).filter((name) => name === 'Int4WeightOnlyLinear').length).toBe(2);
    expect(report.layers[0]?.bytesAfter).toBe(24 + 4 * 24 + 24);
  });

  test('a group that does not divide is refused with the name of the layer', () => {
    const net = new Net();
    const before = bits(net);
    expect(() => int4WeightOnly(net, { groupSize: 4 })).toThrow(ArgumentError);
    expect(() => int4WeightOnly(net, { groupSize: 4 })).toThrow(
      "[int4WeightOnly] expected a groupSize that divides the 6 input features of head.1, got 4. Fix: choose a divisor, or leave the layer as it is with { skip: ['head.1'] }.",
    );
    expect(bits(net)).toEqual(before);
    expect(int4WeightOnly(net, { groupSize: 4, skip: ['head.1'] }).report.layers[3]?.became).toBeNull();
  });
});

test.each([
  [
    'a class without a quantized form',
    () => quantizeDynamic(new Net(), [BatchNorm1d]),
    'expected a list of layer classes out of Linear, got BatchNorm1d',
  ],
  ['no classes', () => quantizeDynamic(new Net(), []), 'got none. Fix: call quantizeDynamic(model, [Linear]).'],
  ['a class in place of a list', () => quantizeDynamic(new Net(), Linear as never), 'expected a list of layer classes out of Linear'],
  ['another dtype', () => quantizeDynamic(new Net(), [Linear], { dtype: 'quint8' as never }), "expected dtype 'qint8', got 'quint8'"],
  ['what is no model', () => quantizeDynamic({} as never, [Linear]), 'expected a model, got a plain object'],
  ['what is no options', () => quantizeDynamic(new Net(), [Linear], 8 as never), '[quantizeDynamic]'],
  ['an unknown name', () => int8WeightOnly(new Net(), { skip: ['tail'] }), "names in skip that the model has: '', 'body.0', 'body.1'"],
  ['a name in place of a list', () => int8WeightOnly(new Net(), { skip: 'head' as never }), 'expected skip as a list of names'],
  ['an odd group', () => int4WeightOnly(new Net(), { groupSize: 3 }), 'expected an even groupSize of at least 2, got 3'],
])('refuses %s', (_, run, message) => {
  expect(run).toThrow(ArgumentError);
  expect(run).toThrow(message);
});

describe('what is refused says what to do, and leaves the model', () => {
  class Odd extends Module {
    readonly inner = new Linear(4, 4);
    readonly #factor = 2;
    forward(x: Tensor): Tensor {
      return this.inner.forward(x).mul(this.#factor);
    }
  }

  test.each<[string, Module, (model: Module) => unknown]>([
    ['an unknown layer class', new Net(), (model) => quantizeDynamic(model, [BatchNorm1d])],
    ['a class that is no layer', new Net(), (model) => quantizeDynamic(model, [Map as never])],
    ['a group size that does not divide', new Net(), (model) => int4WeightOnly(model, { groupSize: 4 })],
    ['a group size that is odd', new Net(), (model) => int4WeightOnly(model, { groupSize: 3 })],
    ['an unknown name to skip', new Net(), (model) => int8WeightOnly(model, { skip: ['tail'] })],
    ['a dtype that is none', new Net(), (model) => quantizeDynamic(model, [Linear], { dtype: 'int7' as never })],
    ['a class that cannot be copied', new Odd(), (model) => quantizeDynamic(model, [Linear])],
  ])('%s', (_, model, run) => {
    const [before, tree] = [bits(model), [...model.modules()]];
    let error: unknown;
    try {
      run(model);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ArgumentError);
    const { code, op, expected, got, fix, message } = error as ArgumentError;
    expect(code).toBe('ARGUMENT');
    expect(message).toBe(`[${op}] expected ${expected}, got ${got}. Fix: ${fix}`);
    expect(bits(model)).toEqual(before);
    expect([...model.modules()]).toEqual(tree);
  });
});
