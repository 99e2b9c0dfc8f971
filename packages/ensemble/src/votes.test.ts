/** Votes: the inequalities that hold on all data, what reduces to one model, weights given and learned, and what is refused. */

import { brierScore, negativeLogLikelihood } from '@gradus/losses/metrics';
import { Dropout, Linear, Module, Sequential, replaceModules } from '@gradus/nn';
import { ArgumentError, IndexError, ShapeError, compile, manualSeed, randn, softmax, stack, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { hardVote, predictionOf, softVote } from './index.ts';

beforeEach(() => manualSeed(0));

const values = (t: Tensor): number[] => [...t.dataSync()];
const ints = (...numbers: number[]): Tensor => tensor(numbers, { dtype: 'int32' });

/** A model that says the same of every input: probabilities `[N, C]`. */
class Says extends Module {
  readonly #rows: readonly (readonly number[])[];
  constructor(...rows: readonly (readonly number[])[]) {
    super();
    this.#rows = rows;
  }
  forward(): Tensor {
    return tensor(this.#rows.map((row) => [...row]));
  }
}

const ANY = tensor([[0]]);
const says = { outputs: 'probabilities' } as const;

/** Members' probabilities `[M, N, C]`, and labels. */
const cases = fc
  .record({ members: fc.integer({ min: 1, max: 5 }), examples: fc.integer({ min: 1, max: 6 }), classes: fc.integer({ min: 2, max: 5 }) })
  .chain(({ members, examples, classes }) => {
    const count = members * examples * classes;
    return fc.record({
      shape: fc.constant([members, examples, classes] as const),
      logits: fc.array(fc.integer({ min: -80, max: 80 }), { minLength: count, maxLength: count }),
      labels: fc.array(fc.integer({ min: 0, max: classes - 1 }), { minLength: examples, maxLength: examples }),
      weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: members, maxLength: members }),
    });
  });

test('the mean is never worse than the members on average, by NLL and by Brier score', () => {
  fc.assert(
    fc.property(cases, ({ shape, logits, labels, weights }) => {
      const members = softmax(
        tensor(
          logits.map((z) => z / 10),
          { shape },
        ),
      );
      const total = weights.reduce((a, b) => a + b, 0);
      const { mean, mutualInformation, entropy } = predictionOf(members, tensor(weights.map((w) => w / total)));
      for (const score of [negativeLogLikelihood, brierScore]) {
        const each = weights.map(
          (w, m) => (w / total) * score(members.slice([{ start: m, end: m + 1 }]).reshape([shape[1], shape[2]]), ints(...labels)).itemSync(),
        );
        const average = each.reduce((a, b) => a + b, 0);
        expect(score(mean, ints(...labels)).itemSync()).toBeLessThanOrEqual(average + 1e-5 * (1 + average));
      }
      expect(values(mutualInformation).every((v, i) => v >= 0 && v <= (values(entropy)[i] ?? 0) + 1e-6)).toBe(true);
      expect(values(entropy).every((v) => v >= 0 && v <= Math.log(shape[2]) + 1e-5)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

describe('predictionOf', () => {
  test('has mean, variance, entropy and mutual information', () => {
    const { mean, members, variance, entropy, mutualInformation } = predictionOf(tensor([[[1, 0]], [[0.5, 0.5]]]));
    expect([mean.shape, members.shape, variance.shape, entropy.shape, mutualInformation.shape]).toEqual([[1, 2], [2, 1, 2], [1, 2], [1], [1]]);
    expect([values(mean), values(variance)]).toEqual([
      [0.75, 0.25],
      [0.0625, 0.0625],
    ]);
    const h = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
    expect(entropy.itemSync()).toBeCloseTo(h, 6);
    expect(mutualInformation.itemSync()).toBeCloseTo(h - Math.LN2 / 2, 6);
  });

  test('refuses what does not fit', () => {
    expect(() => predictionOf(tensor([[1, 0]]))).toThrow('[predictionOf] expected probabilities [M, N, C, …], got [1, 2].');
    expect(() => predictionOf(tensor([[[1, 0]]]), tensor([1, 1]))).toThrow(ArgumentError);
  });
});

describe('softVote', () => {
  test('of one model is the model', async () => {
    const model = new Linear(3, 4);
    const x = randn([5, 3]);
    const { mean, variance, mutualInformation } = await softVote([model]).predict(x);
    expect(values(mean)).toEqual(values(model.forward(x).softmax()));
    expect([...values(variance), ...values(mutualInformation)].every((v) => v === 0)).toBe(true);
  });

  test('of copies of one model is the model', async () => {
    const model = new Linear(3, 4);
    const x = randn([5, 3]);
    const mean = values((await softVote([model, model, model]).predict(x)).mean);
    for (const [i, v] of values(model.forward(x).softmax()).entries()) expect(mean[i]).toBeCloseTo(v, 6);
  });

  test('predicts in evaluation, and leaves the mode', async () => {
    const model = new Sequential(new Linear(3, 4), new Dropout(0.9));
    const x = randn([5, 3]);
    const { mean } = await softVote([model]).predict(x);
    expect([...model.modules()].every((m) => m.training)).toBe(true);
    expect(values(mean)).toEqual(values(model.eval().forward(x).softmax()));
    expect(mean.requiresGrad).toBe(false);
  });

  test('is a module: forward is the mean, compiled too, and the weights are saved', () => {
    const make = (weights?: readonly number[]): ReturnType<typeof softVote> =>
      softVote([new Linear(3, 4), new Linear(3, 4)], weights === undefined ? {} : { weights });
    const vote = make([3, 1]);
    expect(values(vote.weights)).toEqual([0.75, 0.25]);
    expect(Object.keys(vote.stateDict())).toContain('weights');
    const other = make();
    other.loadStateDict(vote.stateDict());
    const x = randn([5, 3]);
    expect(values(compile((t: Tensor) => other.forward(t))(x))).toEqual(values(vote.forward(x)));
    expect(vote.forward(x).requiresGrad).toBe(true);
  });

  test('is copied with members whose layers are replaced', async () => {
    const [a, b, x] = [new Linear(3, 4), new Linear(3, 4), randn([5, 3])];
    const copy = replaceModules(softVote([a, a], { weights: [3, 1] }), new Map([[a, b]])) as ReturnType<typeof softVote>;
    expect(copy.models).toEqual([b, b]);
    expect(values((await copy.predict(x)).mean)).toEqual(values((await softVote([b, b], { weights: [3, 1] }).predict(x)).mean));
  });

  test('weighs', async () => {
    const vote = softVote([new Says([1, 0]), new Says([0, 1])], { weights: [3, 1], ...says });
    expect(values((await vote.predict(ANY)).mean)).toEqual([0.75, 0.25]);
  });

  test('refuses what does not fit', async () => {
    const models = [new Linear(3, 4), new Linear(3, 5)];
    await expect(softVote(models).predict(randn([2, 3]))).rejects.toThrow(ShapeError);
    await expect(softVote(models).predict(randn([2, 3]))).rejects.toThrow(
      '[softVote] expected outputs [2, 4] of all members, as of the first, got [2, 5] of member 1. Fix: members need the same classes',
    );
    expect(() => softVote([])).toThrow('[softVote] expected at least one model, in an array, got [].');
    for (const weights of [[1], [1, -1], [0, 0], [1, NaN]]) expect(() => softVote(models, { weights })).toThrow(/expected 2 weights of at least 0/);
    expect(() => softVote(models, { weights: 'learned' })).toThrow(/expected validation \[x, labels\] with weights 'learned'/);
    expect(() => softVote(models, { validation: [ANY, ints(0)] })).toThrow(ArgumentError);
    expect(() => softVote(models, { outputs: 'scores' as never })).toThrow(/outputs 'logits' or 'probabilities', got 'scores'/);
  });
});

describe('learned weights', () => {
  test('are those of the greatest likelihood', () => {
    // Weight w of the first: log(.9w + .3(1-w)) twice and log(.2w + .6(1-w)) once is largest at w = 2/3.
    const [a, b] = [new Says([0.9, 0.1], [0.1, 0.9], [0.8, 0.2]), new Says([0.3, 0.7], [0.7, 0.3], [0.4, 0.6])];
    const vote = softVote([a, b], { weights: 'learned', validation: [ANY, ints(0, 1, 1)], ...says });
    const slope = (w: number): number => (2 * 0.6) / (0.3 + 0.6 * w) - 0.4 / (0.6 - 0.4 * w);
    const w = values(vote.weights)[0] ?? NaN;
    expect(slope(w)).toBeCloseTo(0, 3);
    expect(values(vote.weights).reduce((x, y) => x + y)).toBeCloseTo(1, 6);
  });

  test('leave out a member that is always wrong', () => {
    const [good, bad] = [new Says([0.9, 0.1], [0.1, 0.9]), new Says([0, 1], [1, 0])];
    const [first = 0, second = 1] = values(softVote([good, bad], { weights: 'learned', validation: [ANY, ints(0, 1)], ...says }).weights);
    expect(first).toBeCloseTo(1, 4);
    expect(second).toBeLessThan(1e-4);
  });

  test('are never worse than equal ones, on logits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (seed) => {
        manualSeed(seed);
        const models = [new Linear(3, 4), new Linear(3, 4), new Linear(3, 4)];
        const [x, y] = [randn([20, 3]), ints(...Array.from({ length: 20 }, (_, i) => i % 4))];
        const nll = (vote: Module): number => negativeLogLikelihood(vote.forward(x), y).itemSync();
        expect(nll(softVote(models, { weights: 'learned', validation: [x, y] }))).toBeLessThanOrEqual(nll(softVote(models)) + 1e-6);
      }),
      { numRuns: 5 },
    );
  });

  test('refuse labels that do not fit', () => {
    const models = [new Linear(3, 4)];
    const learn = (labels: Tensor): Module => softVote(models, { weights: 'learned', validation: [randn([2, 3]), labels] });
    expect(() => learn(ints(0, 4))).toThrow(IndexError);
    expect(() => learn(ints(0))).toThrow(ShapeError);
  });
});

describe('hardVote', () => {
  const votes = (...classes: number[]): Says => new Says(...classes.map((c) => [0, 1, 2].map((k) => Number(k === c))));

  test('is the majority, and of equal votes the first class', () => {
    const vote = hardVote([votes(2, 1, 2), votes(2, 0, 1), votes(0, 0, 0)]);
    expect(values(vote.forward(ANY))).toEqual([2, 0, 0]);
    expect(values(hardVote([votes(2), votes(1)]).forward(ANY))).toEqual([1]);
    expect(vote.forward(ANY).dtype).toBe('int32');
  });

  test('with weights', () => {
    expect(values(hardVote([votes(2), votes(1), votes(1)], { weights: [3, 1, 1] }).forward(ANY))).toEqual([2]);
    expect(() => hardVote([votes(2)], { weights: [-1] })).toThrow(ArgumentError);
    expect(() => hardVote([])).toThrow(ArgumentError);
  });

  test('of members of other classes is refused', () => {
    expect(() => hardVote([new Says([1, 0]), votes(1)]).forward(ANY)).toThrow(ShapeError);
  });
});

test('stacked members are as their models give them', async () => {
  const models = [new Linear(3, 4), new Linear(3, 4)];
  const x = randn([5, 3]);
  const { members } = await softVote(models).predict(x);
  expect(values(members)).toEqual(values(stack(models.map((model) => model.forward(x).softmax()))));
});
