/** All optimizers by name, and the problem that the fixtures solve: a half sum of c · p² over two parameters. */

import { Parameter, tensor } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import * as optim from '../src/index.ts';
import type { ArenaOptimizer, NamedTensor } from '../src/index.ts';

/** A rule with options of any kind, as they come from a fixture. */
export type Make = (parameters: readonly NamedTensor[], options: never) => ArenaOptimizer<{ readonly lr: number }>;

const ruleOf =
  <O extends { readonly lr: number }>(Rule: new (parameters: readonly NamedTensor[], options: never) => ArenaOptimizer<O>): Make =>
  (parameters, options) =>
    new Rule(parameters, options) as unknown as ArenaOptimizer<{ readonly lr: number }>;

export const RULES: Readonly<Record<string, Make>> = {
  SGD: ruleOf(optim.SGD),
  Adam: ruleOf(optim.Adam),
  AdamW: ruleOf(optim.AdamW),
  RMSprop: ruleOf(optim.RMSprop),
  Adagrad: ruleOf(optim.Adagrad),
  Adadelta: ruleOf(optim.Adadelta),
  Adamax: ruleOf(optim.Adamax),
  NAdam: ruleOf(optim.NAdam),
  RAdam: ruleOf(optim.RAdam),
  ASGD: ruleOf(optim.ASGD),
  Rprop: ruleOf(optim.Rprop),
  Lion: ruleOf(optim.Lion),
  LAMB: ruleOf(optim.LAMB),
  LARS: ruleOf(optim.LARS),
  Adafactor: ruleOf(optim.Adafactor),
  Muon: ruleOf(optim.Muon),
  ScheduleFreeSGD: ruleOf(optim.ScheduleFreeSGD),
  ScheduleFreeAdamW: ruleOf(optim.ScheduleFreeAdamW),
};

/** The fixtures' problem on a device. */
export interface Problem {
  readonly parameters: readonly NamedTensor[];
  readonly loss: () => Tensor;
  /** All values, one parameter after the other. */
  readonly values: () => number[];
}

type Values = readonly number[] | readonly (readonly number[])[];

export function problem(start: readonly Values[], curvature: readonly Values[], dtype: 'float32' | 'float64', device: Device): Problem {
  const made = (values: Values): Tensor => tensor(values as number[][], { dtype, device });
  const parameters = start.map((values, i) => [`p${i}`, new Parameter(made(values))] as const);
  const curved = curvature.map(made);
  return {
    parameters,
    loss: () =>
      parameters
        .map(([, p], i) =>
          p
            .square()
            .mul(curved[i] ?? p)
            .sum(),
        )
        .reduce((a, b) => a.add(b))
        .div(2),
    values: () => parameters.flatMap(([, p]) => [...p.dataSync()].map(Number)),
  };
}
