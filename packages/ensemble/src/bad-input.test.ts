/** Bad input: what is said, and that members are as they were. */

import { Linear } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { GradusError, manualSeed, randn, tensor } from '@gradus/tensor';
import { beforeEach, expect, test } from 'vitest';
import { deepEnsemble, fuse, hardVote, softVote } from './index.ts';

beforeEach(() => manualSeed(0));

const x = randn([2, 3], { seed: 1 });
const labels = tensor([0, 1], { dtype: 'int32' });

test.each<[string, string, (models: Module[]) => unknown, RegExp]>([
  ['members with different class counts, soft', 'SHAPE', async (models) => softVote(models).predict(x), /^\[2, 5\] of member 1$/],
  ['members with different class counts, in training', 'SHAPE', (models) => softVote(models).forward(x), /^\[2, 5\] of member 1$/],
  ['members with different class counts, hard', 'SHAPE', (models) => hardVote(models).forward(x), /^\[2, 5\] of member 1$/],
  [
    'members with different class counts, with weights to learn',
    'SHAPE',
    (models) => softVote(models, { weights: 'learned', validation: [x, labels] }),
    /^\[2, 5\] of member 1$/,
  ],
  ['branches with different widths, averaged', 'SHAPE', (models) => fuse(models, { by: 'average' }).forward(x), /^\[2, 5\] of branch 1$/],
  ['an empty soft vote', 'ARGUMENT', () => softVote([]), /^\[\]$/],
  ['an empty hard vote', 'ARGUMENT', () => hardVote([]), /^\[\]$/],
  ['an empty fusion', 'ARGUMENT', () => fuse([]), /^\[\]$/],
  [
    'an ensemble of no seeds',
    'ARGUMENT',
    async () =>
      deepEnsemble(
        () => new Linear(3, 4),
        () => undefined,
        { seeds: [] },
      ),
    /^\[\]$/,
  ],
  ['no array of models', 'ARGUMENT', ([model]) => softVote(model as never), /^a Linear$/],
  ['a member that is no model', 'ARGUMENT', ([model]) => hardVote([model as Module, {} as never]), /^a plain object at place 1$/],
])('%s', async (name, code, run, got) => {
  const models = [new Linear(3, 4), new Linear(3, 5)];
  const state = (): unknown => models.map((model) => [model.training, ...model.parameters().map((p) => [p.requiresGrad, ...p.dataSync()])]);
  const before = state();
  const error = await Promise.resolve()
    .then(() => run(models))
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(GradusError);
  const { op, expected, fix, message, ...parts } = error as GradusError;
  expect(parts.code).toBe(code);
  expect(parts.got).toMatch(got);
  expect(fix).toMatch(/\w/);
  expect(message).toBe(`[${op}] expected ${expected}, got ${parts.got}. Fix: ${fix}`);
  // Whoever fuses freezes the branches, and gets a model; what is wrong with it shows in forward.
  if (!name.includes('averaged')) expect(state()).toEqual(before);
});
