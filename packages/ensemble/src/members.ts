/** The members of an ensemble: models of one task, whose outputs have one shape, with classes at axis 1. */

import { ArgumentError, ShapeError, compose, defaultDevice, showValue, softmax, stack } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { Module } from '@gradus/nn';

/** What members put out: logits, of which the softmax is taken, or probabilities. */
export type Outputs = 'logits' | 'probabilities';

/** @throws ArgumentError unless `models` are modules, and at least one */
export function requireModels(op: string, models: readonly Module[]): readonly Module[] {
  const given: unknown = models;
  if (!Array.isArray(given) || given.length === 0)
    throw new ArgumentError({ op, expected: 'at least one model, in an array', got: showValue(given), fix: 'pass [modelA, modelB].' });
  const odd = given.findIndex((each) => !(each instanceof Module));
  if (odd >= 0)
    throw new ArgumentError({ op, expected: 'modules', got: `${showValue(given[odd])} at place ${odd}`, fix: 'pass models of @gradus/nn.' });
  return [...models];
}

/** @throws ArgumentError for another name */
export function requireOutputs(op: string, outputs: Outputs): Outputs {
  if (outputs === 'logits' || outputs === 'probabilities') return outputs;
  throw new ArgumentError({
    op,
    expected: "outputs 'logits' or 'probabilities'",
    got: showValue(outputs satisfies never),
    fix: 'say which of the two the members put out.',
  });
}

/** The device that the models' first parameter is on. */
export function deviceOf(models: readonly Module[]): Device {
  for (const model of models) for (const [, { device }] of model.namedParameters()) return device;
  return defaultDevice();
}

/** What each model makes of the inputs, `[N, C, …]`. @throws ShapeError when they differ, or have no class axis */
export function outputsOf(op: string, models: readonly Module[], inputs: readonly Tensor[]): Tensor[] {
  const outputs = models.map((model) => model.forward(...inputs));
  const first = outputs[0]?.shape ?? [];
  const odd = outputs.findIndex(({ shape }) => String(shape) !== String(first));
  if (odd >= 0)
    throw new ShapeError({
      op,
      expected: `outputs [${first.join(', ')}] of all members, as of the first`,
      got: `[${String(outputs[odd]?.shape.join(', '))}] of member ${odd}`,
      fix: 'members need the same classes in the same order.',
    });
  if (first.length < 2)
    throw new ShapeError({
      op,
      expected: 'outputs [N, C, …] with classes at axis 1',
      got: `[${first.join(', ')}]`,
      fix: 'give each example a row of logits.',
    });
  return outputs;
}

/** The members' probabilities, stacked: `[M, N, C, …]`. */
export function probabilitiesOf(op: string, models: readonly Module[], inputs: readonly Tensor[], outputs: Outputs): Tensor {
  return compose(() => {
    const each = outputsOf(op, models, inputs);
    return stack(outputs === 'logits' ? each.map((logits) => softmax(logits, { axis: 1 })) : each);
  });
}
