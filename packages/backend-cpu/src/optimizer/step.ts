/**
 * `optimizerStep`: one pass over parameters, gradients and state, with every operation rounded by itself.
 *
 * In float32 an operation is done in float64 and rounded by `Math.fround`, which is correct for `+ - * /` and `sqrt` (Figueroa, "When is
 * double rounding innocuous?", 1995), so that a step gives the bits that its decomposition into maps gives.
 */

import type { OptimizerStepKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { DenseOperands } from '../dense/operands.ts';

type Round = (x: number) => number;

/** Updates all elements. Operands and scalars are in the order of the kernel's. */
type Step = (round: Round, operands: readonly TypedArray[], scalars: readonly number[]) => void;

const NONE: TypedArray = new Float64Array(0);

const plain: Step = (round, [p = NONE, g = NONE], [lr = 0, weightDecay = 0]) => {
  for (let i = 0; i < p.length; i++) {
    const value = p[i] as number;
    let slope = g[i] as number;
    if (weightDecay !== 0) slope = round(slope + round(value * weightDecay));
    p[i] = value - round(slope * lr);
  }
};

function momentum(nesterov: boolean): Step {
  return (round, [p = NONE, g = NONE, buffer = NONE], [lr = 0, weightDecay = 0, keep = 0, share = 0]) => {
    for (let i = 0; i < p.length; i++) {
      const value = p[i] as number;
      let slope = g[i] as number;
      if (weightDecay !== 0) slope = round(slope + round(value * weightDecay));
      const direction = round(round((buffer[i] as number) * keep) + round(slope * share));
      buffer[i] = direction;
      const move = nesterov ? round(slope + round(direction * keep)) : direction;
      p[i] = value - round(move * lr);
    }
  };
}

/** Adam's second scalar is the weight decay; of AdamW, what is kept of the parameters. */
function adam(decoupled: boolean): Step {
  return (round, [p = NONE, g = NONE, m = NONE, v = NONE], scalars) => {
    const [rate = 0, decay = 0, beta1 = 0, rest1 = 0, beta2 = 0, rest2 = 0, root = 0, eps = 0] = scalars;
    for (let i = 0; i < p.length; i++) {
      let value = p[i] as number;
      let slope = g[i] as number;
      if (decoupled) value = round(value * decay);
      else if (decay !== 0) slope = round(slope + round(value * decay));
      const first = round(round((m[i] as number) * beta1) + round(slope * rest1));
      const second = round(round((v[i] as number) * beta2) + round(round(slope * slope) * rest2));
      m[i] = first;
      v[i] = second;
      const denominator = round(round(round(Math.sqrt(second)) / root) + eps);
      p[i] = value - round(round(first * rate) / denominator);
    }
  };
}

function stepOf({ algorithm, momentum: moves, nesterov }: OptimizerStepKernel): Step {
  if (algorithm === 'sgd') return moves ? momentum(nesterov) : plain;
  return adam(algorithm === 'adamw');
}

/** Code for an optimizer's step. */
export function prepareOptimizerStep(kernel: OptimizerStepKernel): KernelCode {
  const step = stepOf(kernel);
  const round: Round = kernel.operands[0]?.dtype === 'float32' ? Math.fround : (x) => x;
  return (views, scalars, dims) => {
    const run = new DenseOperands(kernel, views, dims);
    step(
      round,
      kernel.operands.map((_, i) => run.raw(i)),
      scalars,
    );
  };
}
