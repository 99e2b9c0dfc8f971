/** Deep ensembles on a problem of two classes. */

import { crossEntropy } from '@gradus/losses';
import { negativeLogLikelihood } from '@gradus/losses/metrics';
import { Linear, ReLU, Sequential } from '@gradus/nn';
import { Adam } from '@gradus/optim';
import { ArgumentError, defaultGenerator, manualSeed, randn } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { deepEnsemble } from './index.ts';
import type { SoftVote } from './index.ts';

const values = (t: Tensor): number[] => [...t.dataSync()];
const inside = (x: Tensor): Tensor => x.square().sum({ axis: 1 }).less(1).toDType('int32');
const makeModel = (): Sequential => new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2));

function train(model: Sequential): void {
  const x = randn([128, 2], { seed: 7 });
  const optimizer = new Adam(model.parameters(), { lr: 0.02 });
  for (let i = 0; i < 60; i++) optimizer.minimize(crossEntropy(model.forward(x), inside(x)));
}

const ensemble = (seeds: readonly number[]): Promise<SoftVote> => deepEnsemble(makeModel, train, { seeds });

test('learns, disagrees more far away, and is not worse than its members', async () => {
  const vote = await ensemble([1, 2, 3]);
  const x = randn([200, 2], { seed: 8 });
  const { mean, members, mutualInformation } = await vote.predict(x);
  const nll = negativeLogLikelihood(mean, inside(x)).itemSync();
  const each = [0, 1, 2].map((m) => negativeLogLikelihood(members.slice([{ start: m, end: m + 1 }]).reshape([200, 2]), inside(x)).itemSync());
  expect(nll).toBeLessThan(0.35);
  expect(nll).toBeLessThanOrEqual(each.reduce((a, b) => a + b) / 3);
  expect(new Set(each).size).toBe(3);
  expect(values(mutualInformation).every((v) => v >= 0)).toBe(true);
});

test('members depend on their own seed alone, and the default generator goes on as if nothing had been', async () => {
  manualSeed(5);
  const state = defaultGenerator.state;
  const [all, one] = [await ensemble([1, 2]), await ensemble([2])];
  expect(defaultGenerator.state).toEqual(state);
  const x = randn([4, 2], { seed: 9 });
  const outputs = (vote: SoftVote): number[][] => vote.models.map((model) => values(model.forward(x)));
  expect(outputs(one)).toEqual(outputs(all).slice(1));
});

test('training may be asynchronous, and what it throws comes out', async () => {
  const state = defaultGenerator.state;
  const vote = await deepEnsemble(makeModel, async () => Promise.resolve(), { seeds: [1, 2] });
  expect(vote.models).toHaveLength(2);
  await expect(deepEnsemble(makeModel, () => Promise.reject(new Error('no data')), { seeds: [1] })).rejects.toThrow('no data');
  expect(defaultGenerator.state).toEqual(state);
});

test('no seeds, or one twice, are refused', async () => {
  await expect(ensemble([])).rejects.toThrow(ArgumentError);
  await expect(ensemble([1, 1])).rejects.toThrow('[deepEnsemble] expected at least one seed, each once, got [1, 1].');
});
