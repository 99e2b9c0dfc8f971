/** Plausible mistakes of callers without types: each says what to write. */

import { Linear } from '@gradus/nn';
import { ArgumentError, Parameter, tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';
import { Adam, SGD } from '../src/index.ts';

const p = new Parameter(tensor([1]));

const cases: readonly [string, () => unknown, string][] = [
  ['a model', () => new Adam(new Linear(1, 1) as never), '[Adam] expected parameters in an array, got a Linear. Fix: pass model.parameters().'],
  ['nothing', () => new Adam(undefined as never), '[Adam] expected parameters in an array, got undefined.'],
  ['one parameter', () => new SGD(p as never, { lr: 1 }), '[SGD] expected parameters in an array, got a Parameter.'],
  [
    'PyTorch’s groups',
    () => new SGD([{ params: [p], lr: 1 }] as never, { lr: 1 }),
    '[SGD] expected tensors, or groups of them, got a plain object without `parameters`. Fix: write a group as { parameters: [...], options: { lr: 0.1 } }.',
  ],
  ['a list with holes', () => new SGD([undefined] as never, { lr: 1 }), 'got undefined without `parameters`.'],
  ['a rate alone', () => new Adam([p], 0.1 as never), '[Adam] expected options, got 0.1. Fix: pass an object, such as { lr: 0.001 }.'],
  ['no rate', () => new SGD([p], {} as never), 'got undefined. Fix: pass { lr: 0.01 }.'],
  ['no options', () => new SGD([p], undefined as never), '[SGD] expected options, got undefined. Fix: pass an object, such as { lr: 0.01 }.'],
];

test.each(cases)('%s', (_, act, message) => {
  expect(act).toThrow(ArgumentError);
  expect(act).toThrow(message);
});
