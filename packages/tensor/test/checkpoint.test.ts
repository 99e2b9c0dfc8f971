/** `checkpoint`: the same numbers and gradients as without it, in less memory. */

import { cpu } from '@gradus/backend-cpu';
import {
  ArgumentError,
  Parameter,
  State,
  assign,
  bernoulli,
  checkpoint,
  commit,
  compile,
  defaultDevice,
  explain,
  grad,
  manualSeed,
  matmul,
  memory,
  scope,
  setDefaultDevice,
  softmax,
  tensor,
  valueAndGrad,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const SIZE = 16;
const values = (rows: number, seed: number): Float32Array => Float32Array.from({ length: rows * SIZE }, (_, i) => Math.sin(seed + i * 1.7));
const matrix = (rows: number, seed: number): Tensor => tensor(values(rows, seed), { shape: [rows, SIZE] });

type Block = (x: Tensor) => Tensor;
const plain = (block: Block): Block => block;

/** Two layers with softmax and tanh: what they compute on the way is needed by their gradients. */
const blockOf =
  (w: Tensor): Block =>
  (x) =>
    softmax(matmul(matmul(x, w).tanh(), w).sin(), { axis: -1 }).add(x);

const home = defaultDevice();
beforeEach(() => {
  setDefaultDevice(cpu());
});
afterEach(() => {
  defaultDevice().dispose();
  setDefaultDevice(home);
});

/** Gradients of a stack of blocks, with respect to its input and the parameters; kernels of the last flush; bytes that the device gave out at most. */
interface Outcome {
  readonly numbers: number[][];
  readonly bytes: number;
  readonly kernels: number;
}

function stackOf(depth: number, rows: number, wrap: (block: Block) => Block, between: (loss: Tensor) => void = () => undefined): Outcome {
  const parameters = Array.from({ length: depth }, (_, i) => scope(() => new Parameter(matrix(SIZE, i).mul(0.3))));
  const x = scope(() => new Parameter(matrix(rows, 99)));
  const all = [x, ...parameters];
  scope(() => {
    const loss = parameters
      .reduce((h: Tensor, w) => wrap(blockOf(w))(h), x)
      .square()
      .mean();
    between(loss);
    loss.backward();
    // As an optimizer does: one flush for everything.
    for (const p of all) assign(p, p.grad as Tensor);
    commit(x);
  });
  const kernels = explain()?.kernels.length ?? NaN;
  const numbers = all.map((p) => [...p.dataSync()]);
  const bytes = memory().backendBytes;
  for (const p of all) p.dispose();
  return { numbers, bytes, kernels };
}

describe('checkpoint', () => {
  test('gives the same values and gradients, of parameters too', () => {
    expect(stackOf(3, 5, checkpoint).numbers).toEqual(stackOf(3, 5, plain).numbers);
  });

  test('gives them when the loss was read before', () => {
    const read = (loss: Tensor): void => void loss.itemSync();
    expect(stackOf(3, 5, checkpoint, read).numbers).toEqual(stackOf(3, 5, plain, read).numbers);
  });

  test.each([
    ['in one go', () => undefined],
    ['with a read in between', (loss: Tensor) => void loss.itemSync()],
  ])('takes less memory %s', (_, between) => {
    const rows = 512;
    const block = rows * SIZE * 4;
    const bytesOf = (wrap: (block: Block) => Block): number => {
      setDefaultDevice(cpu());
      return stackOf(12, rows, wrap, between).bytes;
    };
    const [with_, without] = [bytesOf(checkpoint), bytesOf(plain)];
    // Each block keeps its input alone, where it would keep five values; the rest is one block's values and their gradients.
    expect(without).toBeGreaterThan(12 * 5 * block);
    expect(with_).toBeLessThan(12 * block + 8 * block);
  });

  test('computes again what gradients ask for, and nothing without gradients', () => {
    expect(stackOf(1, 4, checkpoint).kernels).toBeGreaterThan(stackOf(1, 4, plain).kernels);
    const w = matrix(SIZE, 1);
    scope(() => checkpoint(blockOf(w))(matrix(4, 2)).evaluate());
    const again = explain()?.kernels.length;
    scope(() => blockOf(w)(matrix(4, 2)).evaluate());
    expect(again).toBe(explain()?.kernels.length);
  });

  test('is differentiable twice, and can be nested', () => {
    const w = matrix(SIZE, 1).mul(0.2);
    const twice = (wrap: (block: Block) => Block): number[] =>
      scope(() => {
        const f = (x: Tensor): Tensor =>
          wrap((y) => wrap(blockOf(w))(wrap(blockOf(w))(y)).sin())(x)
            .square()
            .sum();
        return [...grad((x) => grad(f)(x).square().sum())(matrix(2, 3)).dataSync()];
      });
    const wanted = twice(plain);
    // The same sums in another order.
    for (const [i, value] of twice(checkpoint).entries()) expect(value).toBeCloseTo(wanted[i] ?? NaN, 4);
  });

  test('draws the same random numbers again', () => {
    const run = (wrap: (block: Block) => Block): number[] =>
      scope(() => {
        manualSeed(3);
        const dropped = wrap((x) =>
          x
            .exp()
            .mul(bernoulli([4, SIZE], 0.5))
            .tanh(),
        );
        return [...grad((x) => dropped(x).square().sum())(matrix(4, 1)).dataSync()];
      });
    expect(run(checkpoint)).toEqual(run(plain));
  });

  test('assigns state once', () => {
    const count = new State(tensor([0]));
    scope(() => {
      const counted = checkpoint((x: Tensor) => {
        assign(count, count.add(1));
        return x.exp().sin();
      });
      valueAndGrad((x) => counted(x).sum())(matrix(2, 1)).gradients[0]?.evaluate();
    });
    expect(count.dataSync()[0]).toBe(1);
    count.dispose();
  });

  test('takes and gives several tensors', () => {
    const f = (x: Tensor, y: Tensor): readonly Tensor[] => [x.mul(y).exp(), x.sub(y).tanh()];
    const run = (wrap: typeof checkpoint | typeof plain): number[][] =>
      scope(() => {
        const both = (wrap as (fn: typeof f) => typeof f)(f);
        const { gradients } = valueAndGrad((x, y) =>
          both(x, y)
            .map((t) => t.square().sum())
            .reduce((a, b) => a.add(b)),
        )(matrix(2, 1), matrix(2, 2));
        return gradients.map((g) => [...g.dataSync()]);
      });
    expect(run(checkpoint)).toEqual(run(plain));
  });

  test('works in compiled functions', () => {
    const w = matrix(SIZE, 1).mul(0.2);
    const step = (x: Tensor): Tensor =>
      grad((y) =>
        checkpoint(blockOf(w))(checkpoint(blockOf(w))(y))
          .square()
          .sum(),
      )(x);
    const compiled = compile(step);
    for (const seed of [1, 2, 3]) {
      scope(() => {
        expect([...compiled(matrix(3, seed)).dataSync()]).toEqual([...step(matrix(3, seed)).dataSync()]);
      });
    }
  });

  test('says what it expects', () => {
    const wrong = checkpoint((() => 3) as unknown as Block);
    expect(() => wrong(matrix(2, 1))).toThrow(ArgumentError);
    expect(() => wrong(matrix(2, 1))).toThrow('expected a function that returns a tensor or an array of tensors, got number');
  });

  test('leaves nothing behind', () => {
    stackOf(3, 5, checkpoint);
    const { liveBytes, backendBytes } = memory();
    for (let i = 0; i < 5; i++) stackOf(3, 5, checkpoint);
    expect(memory()).toMatchObject({ liveBytes, backendBytes });
  });
});
