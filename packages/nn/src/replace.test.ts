/** Replacing modules: a new tree, the old one as it was. */

import { ArgumentError, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { BatchNorm1d, GraphModel, Linear, Module, ReLU, Sequential, add, dense, graphModel, input, layer, replaceModules } from './index.ts';

class Net extends Module {
  readonly first = new Linear(2, 3);
  readonly blocks = [new Sequential(new Linear(3, 3), new ReLU()), new Sequential(new BatchNorm1d(3))];
  readonly heads = { a: this.first, size: 3 };
  readonly itself: Module = this;

  forward(x: Tensor): Tensor {
    return this.blocks.reduce((value, block) => block.forward(value), this.first.forward(x));
  }
}

test('paths to what is replaced are copied, the rest is shared, the old tree stays', () => {
  const net = new Net().eval();
  const [first, inner] = [new Linear(2, 3), new ReLU()];
  const copy = replaceModules(
    net,
    new Map<Module, Module>([
      [net.first, first],
      [net.blocks[0]?.layers[0] as Module, inner],
    ]),
  ) as Net;
  expect(copy).toBeInstanceOf(Net);
  expect(copy.first).toBe(first);
  expect(copy.heads).toEqual({ a: first, size: 3 });
  expect(copy.itself).toBe(copy);
  expect(copy.training).toBe(false);
  expect(copy.blocks[0]?.layers).toEqual([inner, net.blocks[0]?.layers[1]]);
  expect(copy.blocks[1]).toBe(net.blocks[1]);
  expect(copy.forward(zeros([2, 2])).shape).toEqual([2, 3]);
  expect([...copy.namedChildren()].map(([name]) => name)).toEqual([...net.namedChildren()].map(([name]) => name));
  // The old tree.
  expect(net.first).not.toBe(first);
  expect(net.heads.a).toBe(net.first);
  expect(net.blocks[0]?.layers[0]).toBeInstanceOf(Linear);
  copy.train();
  expect(net.training).toBe(false);
});

test('the root may be replaced, and a tree without any of the modules is itself', () => {
  const [net, other] = [new ReLU(), new ReLU()];
  expect(replaceModules(net, new Map([[net, other]]))).toBe(other);
  expect(replaceModules(net, new Map([[other, net]]))).toBe(net);
});

test('a graph has copies of its own shape, with what is shared replaced once', () => {
  const [shared, a, b] = [new Linear(2, 2), input({ shape: [2] }), input({ shape: [2] })];
  const inner = graphModel({ inputs: a, outputs: layer(shared)(a) });
  const model = graphModel({ inputs: [a, b], outputs: add([layer(inner)(a), layer(shared)(a), layer(shared)(b), dense(2)(b)]) });
  const [before, doubled] = [String(model), new Linear(2, 2)];
  doubled.loadStateDict({ weight: shared.weight.mul(2), bias: (shared.bias as Tensor).mul(2) });
  const copy = replaceModules(model, new Map([[shared, doubled]])) as typeof model;
  expect(copy).toBeInstanceOf(GraphModel);
  expect([...copy.modules()].filter((module) => module === doubled)).toHaveLength(1);
  expect(copy.layers['linear']).toBe(doubled);
  expect((copy.layers['graph_model'] as GraphModel).layers['linear']).toBe(doubled);
  expect(copy.layers['dense']).toBe(model.layers['dense']);
  expect([...copy.namedModules()].map(([name]) => name)).toEqual([...model.namedModules()].map(([name]) => name));
  const [x, y] = [tensor([[1, 2]]), tensor([[3, 4]])];
  const each = [doubled.forward(x), doubled.forward(x), doubled.forward(y), (model.layers['dense'] as Linear).forward(y)];
  expect([...copy.run([x, y]).dataSync()]).toEqual([...each.reduce((sum, value) => sum.add(value)).dataSync()]);
  // The old one.
  expect(model.layers['linear']).toBe(shared);
  expect(String(model)).toBe(before);
});

test('private members around what is replaced are refused', () => {
  class Secret extends Module {
    readonly inner = new ReLU();
    readonly #factor = 2;
    forward(x: Tensor): Tensor {
      return this.inner.forward(x).mul(this.#factor);
    }
  }
  const secret = new Secret();
  const replace = (): Module => replaceModules(new Sequential(secret), new Map([[secret.inner, new ReLU()]]));
  expect(replace).toThrow(ArgumentError);
  expect(replace).toThrow('got Secret. Fix: declare its members `private` instead.');
});
