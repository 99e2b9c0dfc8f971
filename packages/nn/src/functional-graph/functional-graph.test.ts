/** The functional graph: names, sharing, shapes and errors at construction, values, gradients, compiled calls. */

import {
  ArgumentError,
  compile,
  concatenate as join,
  defaultGenerator,
  grad,
  manualSeed,
  memory,
  randn,
  relu,
  sigmoid,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  BatchNorm1d,
  Conv2d,
  Dropout,
  Flatten,
  GraphError,
  Linear,
  Module,
  Sequential,
  add,
  average,
  concatenate,
  dense,
  graphModel,
  input,
  layer,
  maximum,
  multiply,
} from '../index.ts';

beforeEach(() => manualSeed(0));

const values = (t: Tensor): number[] => [...t.dataSync()];

/** Two inputs of 10, a sigmoid each, concatenated. */
function twoInputs() {
  const [a, b] = [input({ shape: [10] }), input({ shape: [10] })];
  const outputs = concatenate([dense(1, { activation: 'sigmoid' })(a), dense(1, { activation: 'sigmoid' })(b)], { axis: -1 });
  return graphModel({ inputs: [a, b], outputs });
}

describe('a model of two inputs', () => {
  test('has PyTorch-like keys', () => {
    const model = twoInputs();
    expect(Object.keys(model.stateDict())).toEqual(['dense.weight', 'dense.bias', 'dense_1.weight', 'dense_1.bias']);
    expect(model.parameters()).toHaveLength(4);
    const other = twoInputs();
    other.loadStateDict(model.stateDict());
    const [x, y] = [randn([3, 10]), randn([3, 10])];
    expect(values(other.forward(x, y))).toEqual(values(model.forward(x, y)));
  });

  test('calculates what its layers do, to the bit', () => {
    const model = twoInputs();
    const [x, y] = [randn([3, 10]), randn([3, 10])];
    const { 'dense.weight': w, 'dense.bias': b, 'dense_1.weight': v, 'dense_1.bias': c } = model.stateDict();
    const by = (z: Tensor, weight?: Tensor, bias?: Tensor): Tensor => sigmoid(z.matmul((weight as Tensor).transpose()).add(bias as Tensor));
    const out = model.forward(x, y);
    expect(out.shape).toEqual([3, 2]);
    expect(values(out)).toEqual(values(join([by(x, w, b), by(y, v, c)], { axis: 1 })));
  });

  test('takes inputs in the order of `inputs`, and refuses others', () => {
    const model = twoInputs();
    expect(() => model.forward(zeros([3, 10]))).toThrow('[GraphModel] expected 2 inputs, input [N, 10], input_1 [N, 10], got 1.');
    expect(() => model.forward(zeros([3, 10]), zeros([2, 10]))).toThrow(/got \[3, 10\], \[2, 10\]\. Fix: the first axis is the batch/);
    expect(() => model.forward(zeros([3, 9]), zeros([3, 10]))).toThrow(GraphError);
    expect(model.run([zeros([3, 10]), zeros([3, 10])]).shape).toEqual([3, 2]);
    expect(() => model.run([zeros([3, 10])] as never)).toThrow(/expected a tensor \[N, 10\] for inputs\.1, got undefined/);
  });

  test('prints its steps', () => {
    expect(String(twoInputs())).toBe(
      [
        'GraphModel(',
        '  input: [N, 10]',
        '  input_1: [N, 10]',
        '  dense: Linear(10, 1) of input → [N, 1], 11 parameters',
        '  sigmoid: dense → [N, 1]',
        '  dense_1: Linear(10, 1) of input_1 → [N, 1], 11 parameters',
        '  sigmoid_1: dense_1 → [N, 1]',
        '  concatenate: sigmoid, sigmoid_1 → [N, 2]',
        ')',
      ].join('\n'),
    );
  });

  test('compiled, trains to the bits of the plain loop', () => {
    const run = (compiled: boolean): number[] => {
      manualSeed(1);
      const model = twoInputs();
      const step = (x: Tensor, y: Tensor): Tensor => {
        for (const p of model.parameters()) p.grad = null;
        const loss = model.forward(x, y).square().sum();
        loss.backward();
        return loss.add(model.parameters().reduce((sum, p) => sum.add((p.grad as Tensor).square().sum()), zeros([])));
      };
      const fn = compiled ? compile(step) : step;
      return [1, 2, 3].map((seed) => fn(randn([4, 10], { seed }), randn([4, 10], { seed: seed + 10 })).itemSync());
    };
    expect(run(true)).toEqual(run(false));
  });
});

describe('sharing', () => {
  test('one module used twice is one set of parameters, and its gradients add', () => {
    const shared = new Linear(3, 2);
    const [a, b] = [input({ shape: [3] }), input({ shape: [3] })];
    const model = graphModel({ inputs: [a, b], outputs: add([layer(shared)(a), layer(shared)(b)]) });
    expect(Object.keys(model.stateDict())).toEqual(['linear.weight', 'linear.bias']);
    expect(String(model)).toContain('linear (use 2): Linear(3, 2) of input_1 → [N, 2]\n');
    model
      .forward(tensor([[1, 2, 3]]), tensor([[10, 20, 30]]))
      .sum()
      .backward();
    expect(values(shared.weight.grad as Tensor)).toEqual([11, 22, 33, 11, 22, 33]);
    expect(values(shared.bias?.grad as Tensor)).toEqual([2, 2]);
  });

  test('a dense layer called twice, too', () => {
    const encode = dense(4, { name: 'encoder' });
    const [a, b] = [input({ shape: [3], name: 'left' }), input({ shape: [3], name: 'right' })];
    const model = graphModel({ inputs: { a, b }, outputs: multiply([encode(a), encode(b)]) });
    expect(Object.keys(model.stateDict())).toEqual(['encoder.weight', 'encoder.bias']);
    expect(() => encode(input({ shape: [5] }))).toThrow('[Linear(3, 4)] expected inputs that fit it, got [N, 5]: x of shape [..., 3], got [13, 5].');
  });

  test('a model from a symbolic tensor in the middle shares its layers, and may begin there', () => {
    const x = input({ shape: [4] });
    const hidden = dense(3, { activation: 'relu' })(x);
    const y = dense(2)(hidden);
    const whole = graphModel({ inputs: x, outputs: y });
    const [body, head] = [graphModel({ inputs: x, outputs: hidden }), graphModel({ inputs: hidden, outputs: y })];
    const data = randn([5, 4]);
    expect(values(head.forward(body.forward(data)))).toEqual(values(whole.forward(data)));
    expect(whole.parameters()).toEqual([...body.parameters(), ...head.parameters()]);
  });

  test('each step is calculated once', () => {
    let calls = 0;
    const count = (x: Tensor): Tensor => {
      calls++;
      return x.mul(2);
    };
    const x = input({ shape: [2] });
    const doubled = layer(count)(x);
    const model = graphModel({ inputs: x, outputs: { sum: add([doubled, doubled]), itself: doubled } });
    calls = 0;
    const out = model.run(tensor([[1, 2]]));
    expect([calls, values(out.sum), values(out.itself)]).toEqual([1, [4, 8], [2, 4]]);
  });
});

describe('structures', () => {
  test('records and arrays in, records and arrays out', () => {
    const [image, text] = [input({ shape: [1, 6, 6] }), input({ shape: [5] })];
    const seen = layer(new Sequential(new Conv2d(1, 2, 3), new Flatten()))(image);
    const both = concatenate([seen, text]);
    const model = graphModel({ inputs: { image, text }, outputs: { logits: dense(3)(both), parts: [seen, text] } });
    const given = { image: randn([2, 1, 6, 6]), text: randn([2, 5]) };
    const { logits, parts } = model.run(given);
    expect([logits.shape, parts[0].shape, parts[1].shape]).toEqual([
      [2, 3],
      [2, 32],
      [2, 5],
    ]);
    parts[1].dispose();
    expect(given.text.isDisposed).toBe(false);
    expect(Object.keys(model.stateDict())).toEqual(['sequential.0.weight', 'sequential.0.bias', 'dense.weight', 'dense.bias']);
    expect(() => model.forward(given.image, given.text)).toThrow(/one output in forward\(\), got several\. Fix: call run/);
    expect(() => model.run({ ...given, sound: given.text } as never)).toThrow('inputs with image, text, got an object with image, text, sound');
  });

  test('models are layers', () => {
    const inner = twoInputs();
    const x = input({ shape: [10] });
    const outer = graphModel({ inputs: x, outputs: layer(inner, { name: 'pair' })(x, x) });
    const data = randn([2, 10]);
    expect(values(outer.forward(data))).toEqual(values(inner.forward(data, data)));
    expect(Object.keys(outer.stateDict())[0]).toBe('pair.dense.weight');
  });
});

describe('merging', () => {
  test('the sum, product, mean and maximum', () => {
    const [a, b] = [input({ shape: [2] }), input({ shape: [2] })];
    const outputs = { add: add([a, b]), multiply: multiply([a, b]), average: average([a, b]), maximum: maximum([a, b]), join: concatenate([a, b]) };
    const out = graphModel({ inputs: [a, b], outputs }).run([tensor([[1, 4]]), tensor([[3, 2]])]);
    expect(Object.fromEntries(Object.entries(out).map(([key, t]) => [key, values(t)]))).toEqual({
      add: [4, 6],
      multiply: [3, 8],
      average: [2, 3],
      maximum: [3, 4],
      join: [1, 4, 3, 2],
    });
  });

  test('refuses tensors, the batch axis, and shapes that do not fit', () => {
    const [a, b] = [input({ shape: [2, 3] }), input({ shape: [2, 4] })];
    expect(() => add([a, b])).toThrow(GraphError);
    expect(() => add([a, b])).toThrow(/^\[add\] expected inputs that fit it, got \[N, 2, 3\] and \[N, 2, 4\]: /);
    expect(concatenate([a, b]).shape).toEqual([2, 7]);
    expect(() => concatenate([a, b], { axis: 1 })).toThrow(/\[concatenate\].*\[N, 2, 3\] and \[N, 2, 4\]: shapes equal to/);
    expect(() => concatenate([a, a], { axis: 0 })).toThrow(/whose first axis is the batch, got \[26, 2, 3\] from \[N, 2, 3\] and \[N, 2, 3\]/);
    expect(() => add([tensor([1]) as never])).toThrow('[add] expected symbolic tensors, got a Tensor. Fix: tensors go through a model');
    expect(() => concatenate([])).toThrow('[concatenate] expected symbolic tensors, got none.');
  });
});

describe('at construction', () => {
  test('the dry run calculates nothing, draws nothing and changes no state', () => {
    const norm = new BatchNorm1d(4);
    const dropout = new Dropout(0.5);
    const before = [defaultGenerator.state.counter, memory().allocations + memory().liveBytes];
    const x = input({ shape: [4] });
    const y = layer(dropout)(layer(norm)(x));
    expect(y.shape).toEqual([4]);
    expect([defaultGenerator.state.counter, memory().allocations + memory().liveBytes]).toEqual(before);
    expect([norm.training, dropout.training, norm.numBatchesTracked?.itemSync()]).toEqual([true, true, 0]);
    const model = graphModel({ inputs: x, outputs: y });
    model.forward(randn([8, 4]));
    expect(norm.numBatchesTracked?.itemSync()).toBe(1);
    expect([...model.eval().modules()].every((m) => !m.training)).toBe(true);
  });

  test('refuses layers that do not fit, by name and shapes', () => {
    const image = input({ shape: [3, 8, 8] });
    expect(() => layer(new Conv2d(1, 2, 3))(image)).toThrow(/^\[Conv2d\(1, 2, \[3, 3\]\)\] expected inputs that fit it, got \[N, 3, 8, 8\]: /);
    expect(() => layer((x) => x.sum())(image)).toThrow(/first axis is the batch, got \[\] from \[N, 3, 8, 8\]/);
    expect(() => layer(() => 3 as never)(image)).toThrow(/a layer that returns a tensor, got 3/);
    expect(() => layer({} as never)).toThrow(ArgumentError);
    expect(() => dense(2, { activation: 'swish' as never })).toThrow(/an activation: gelu, .*got 'swish'/);
    expect(() => dense(0)).toThrow(ArgumentError);
    expect(() => dense(2)(randn([2, 2]) as never)).toThrow('[dense] expected symbolic tensors, got a Tensor.');
    expect(() => input({ shape: 10 as never })).toThrow(/sizes along each axis but the batch, got 10/);
    expect(() => input({ shape: [10], name: 'a.b' })).toThrow(/letters, digits and _, got 'a\.b'/);
  });

  test('refuses inputs that are not listed, not used, or listed twice', () => {
    const [a, b] = [input({ shape: [2] }), input({ shape: [2], name: 'right' })];
    expect(() => graphModel({ inputs: a, outputs: add([a, b]) })).toThrow(
      '[graphModel] expected outputs that depend on the inputs alone, got an output that needs another input, right [N, 2]. Fix: list it in inputs.',
    );
    expect(() => graphModel({ inputs: [a, b], outputs: dense(1)(a) })).toThrow(/inputs that the outputs depend on, got input 1, \[N, 2\]/);
    expect(() => graphModel({ inputs: [a, a], outputs: a })).toThrow(/each input once/);
    expect(() => graphModel({ inputs: a, outputs: [] })).toThrow(/at least one output/);
    expect(() => graphModel({ inputs: a, outputs: { y: zeros([1]) as never } })).toThrow(/outputs\.y made of symbolic tensors, got a Tensor/);
    expect(() => graphModel({ inputs: a } as never)).toThrow(/expected outputs, got undefined/);
  });

  test('refuses one name for two layers, and two for one', () => {
    const x = input({ shape: [2] });
    const [first, second] = [dense(2, { name: 'same' })(x), dense(2, { name: 'same' })(x)];
    expect(() => graphModel({ inputs: x, outputs: [first, second] })).toThrow(/one name for each layer and input, got same for two/);
    const shared = new Linear(2, 2);
    const outputs = [layer(shared, { name: 'a' })(x), layer(shared, { name: 'b' })(x)];
    expect(() => graphModel({ inputs: x, outputs })).toThrow(/got a and b for one/);
    // A name that was given is left to whom it was given.
    expect(Object.keys(graphModel({ inputs: x, outputs: [dense(1)(x), dense(1, { name: 'dense' })(x)] }).stateDict())).toContain('dense_1.bias');
  });
});

test('graphs deeper than the stack', () => {
  const x = input({ shape: [1] });
  let y = x;
  for (let i = 0; i < 3000; i++) y = layer(relu)(y);
  expect(
    graphModel({ inputs: x, outputs: y })
      .forward(tensor([[2]]))
      .itemSync(),
  ).toBe(2);
});

test('an input that is an output comes back as another handle, with its gradient', () => {
  const x = input({ shape: [2] });
  const model = graphModel({ inputs: x, outputs: x });
  expect(values(grad((t) => model.forward(t).sum())(tensor([[1, 2]])))).toEqual([1, 1]);
  expect(model).toBeInstanceOf(Module);
});
