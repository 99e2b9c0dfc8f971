/** Soups: means of parameters, what the greedy recipe keeps, and what is refused. */

import { BatchNorm1d, Linear, Module, Sequential, StateDictError } from '@gradus/nn';
import { ArgumentError, Parameter, defaultGenerator, manualSeed, memory, randn, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { modelSoup } from './index.ts';

beforeEach(() => manualSeed(0));

const values = (t: Tensor): number[] => [...t.dataSync()];
const bits = (model: Module): unknown => Object.entries(model.stateDict()).map(([key, t]) => [key, values(t)]);

/** A model of one number. */
class Point extends Module {
  readonly at: Parameter;
  constructor(at: number) {
    super();
    this.at = new Parameter(tensor(at));
  }
  forward(x: Tensor): Tensor {
    return x.mul(this.at);
  }
}

describe('the uniform soup', () => {
  const make = (): Sequential => new Sequential(new Linear(3, 4), new BatchNorm1d(4));

  test('is the mean of all state, and leaves the models', async () => {
    const models = [make(), make(), make()];
    models[1]?.forward(randn([8, 3])).evaluate();
    const before = models.map(bits);
    const { model, ingredients, score } = await modelSoup(make, models);
    expect([ingredients, score]).toEqual([[0, 1, 2], null]);
    const states = models.map((each) => each.stateDict());
    for (const [key, soup] of Object.entries(model.stateDict())) {
      const each = states.map((state) => values(state[key] as Tensor));
      const wanted = soup.dtype === 'int32' ? each[0] : each[0]?.map((_, i) => each.reduce((sum, one) => sum + (one[i] ?? NaN), 0) / 3);
      for (const [i, value] of values(soup).entries()) expect(value).toBeCloseTo(wanted?.[i] ?? NaN, 6);
    }
    expect(values(model.stateDict()['1.running_mean'] as Tensor)).not.toEqual([0, 0, 0, 0]);
    expect(model.training).toBe(false);
    model.layers[0]?.requiresGrad(false);
    expect(models.map(bits)).toEqual(before);
    expect(models.every((each) => each.parameters().every(({ requiresGrad }) => requiresGrad))).toBe(true);
  });

  test('of one model, or of two copies, is that model to the bit', async () => {
    const model = make();
    for (const models of [[model], [model, model]]) expect(bits((await modelSoup(make, models)).model)).toEqual(bits(model));
  });

  test('of linear models calculates what they do on average', async () => {
    const models = [new Linear(3, 2), new Linear(3, 2)];
    const x = randn([5, 3]);
    const { model } = await modelSoup(() => new Linear(3, 2), models);
    const wanted = models.map((each) => each.forward(x)).reduce((a, b) => a.add(b));
    for (const [i, value] of values(model.forward(x)).entries()) expect(value).toBeCloseTo((values(wanted)[i] ?? NaN) / 2, 5);
  });

  test('draws nothing, and keeps no memory but its own', async () => {
    const [first, second, holder] = [make(), make(), make()];
    const draws = (): Sequential => {
      randn([2]).dispose();
      return holder;
    };
    const soup = async (): Promise<void> => {
      await modelSoup(draws, [first, second], { score: (each) => values(each.parameters()[0] as Tensor)[0] ?? NaN });
      bits(holder);
    };
    await soup(); // from here on the holder has blocks of its own
    const [state, live] = [defaultGenerator.state, memory().liveBytes];
    await soup();
    await soup();
    expect(defaultGenerator.state).toEqual(state);
    // Less, where the collector has found what other tests left.
    expect(memory().liveBytes).toBeLessThanOrEqual(live);
  });
});

describe('the greedy soup', () => {
  const near = (target: number) => (model: Point) => -Math.abs(model.at.itemSync() - target);

  test('keeps what does not make it worse, from the best on', async () => {
    // 1.2 is best; with 0.7 the mean is 0.95, which is better; with 5 it would be 2.3.
    const soup = await modelSoup(() => new Point(0), [new Point(5), new Point(0.7), new Point(1.2)], { score: near(1) });
    expect(soup.ingredients).toEqual([2, 1]);
    expect(soup.model.at.itemSync()).toBeCloseTo(0.95, 6);
    expect(soup.score).toBeCloseTo(-0.05, 6);
  });

  test('is not worse than the best model, and its score is that of its model; scores may take their time', async () => {
    const numbers = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(numbers, fc.integer({ min: -40, max: 40 }), async (points, target) => {
        const score = near(target);
        const models = points.map((at) => new Point(at));
        const soup = await modelSoup(() => new Point(0), models, { score: (model) => Promise.resolve(score(model)) });
        expect(soup.score).toBeGreaterThanOrEqual(Math.max(...models.map(score)));
        expect(score(soup.model)).toBe(soup.score);
        const mean = soup.ingredients.reduce((sum, place) => sum + (points[place] ?? NaN), 0) / soup.ingredients.length;
        expect(soup.model.at.itemSync()).toBeCloseTo(mean, 4);
        expect(models.map(({ at }) => at.itemSync())).toEqual(points);
      }),
      { numRuns: 40 },
    );
  });
});

describe('refuses', () => {
  class Small extends Module {
    readonly weight = this.buffer(tensor([1, 2], { dtype: 'int8' }));
    forward(x: Tensor): Tensor {
      return x;
    }
  }
  const soup = (models: readonly Module[], score?: (model: Module) => number): Promise<unknown> =>
    modelSoup((): Module => new Linear(3, 4), models, score === undefined ? {} : { score });

  test.each<[string, () => Promise<unknown>, string]>([
    ['no models', () => soup([]), '[modelSoup] expected at least one model, in an array, got []. Fix: '],
    [
      'other shapes',
      () => soup([new Linear(3, 4), new Linear(3, 5)]),
      'with float32 [4, 3] for weight, as the first, got float32 [5, 3] of model 1. Fix: models of different layers can vote: softVote(models).',
    ],
    ['other keys', () => soup([new Linear(3, 4), new Linear(3, 4, { bias: false })]), 'float32 [4] for bias, as the first, got nothing of model 1.'],
    ['more keys', () => soup([new Linear(3, 4, { bias: false }), new Linear(3, 4)]), 'nothing for bias, as the first, got float32 [4] of model 1.'],
    ['quantized models', () => soup([new Small(), new Small()]), 'got weight in int8. Fix: make the soup first, and quantize it.'],
    ['a score that is no number', () => soup([new Linear(3, 4)], () => NaN), 'got NaN for the soup of 0. Fix: '],
  ])('%s', async (_, run, message) => {
    await expect(run()).rejects.toThrow(ArgumentError);
    await expect(run()).rejects.toThrow(message);
  });

  test('another model to hold it', async () => {
    await expect(soup([new Linear(2, 2)])).rejects.toThrow(StateDictError);
  });
});
