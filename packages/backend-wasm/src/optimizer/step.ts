/**
 * `optimizerStep`: a map with as many results as an optimizer has arrays, so that parameters, gradients and state are read and written once.
 *
 * Every operation of a map rounds by itself, in the order that the expressions have, which is what the contract asks for.
 */

import { apply, constant, load, scalar, where } from '@gradus/backend';
import type { Expression, MapKernel, OptimizerStepKernel, Output } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { prepareMap } from '../kernels/prepare-map.ts';
import type { Planner } from '../kernels/prepare-map.ts';

/** Operands. Sgd has its buffer where adam has the first moment. */
const [PARAMETERS, GRADIENTS, FIRST, SECOND] = [0, 1, 2, 3];
// One object each: what is one object is loaded once.
const oldParameters = load('float32', PARAMETERS);
const gradients = load('float32', GRADIENTS);
const oldFirst = load('float32', FIRST);
const oldSecond = load('float32', SECOND);

const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const subtract = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
const multiply = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
const divide = (a: Expression, b: Expression): Expression => apply('divide', a, b);
const number = (index: number): Expression => scalar('float32', index);

/** The gradient with weight decay, which leaves no trace where it is 0. */
function decayed(weightDecay: Expression): Expression {
  const none = apply('equal', weightDecay, constant('float32', 0));
  return where(none, gradients, add(gradients, multiply(oldParameters, weightDecay)));
}

function sgd({ momentum, nesterov }: OptimizerStepKernel): Output[] {
  const [lr, weightDecay, keep, share] = [number(0), number(1), number(2), number(3)];
  const slope = decayed(weightDecay);
  if (!momentum) return [{ operand: PARAMETERS, value: subtract(oldParameters, multiply(slope, lr)) }];
  const buffer = add(multiply(oldFirst, keep), multiply(slope, share));
  const move = nesterov ? add(slope, multiply(buffer, keep)) : buffer;
  return [
    { operand: PARAMETERS, value: subtract(oldParameters, multiply(move, lr)) },
    { operand: FIRST, value: buffer },
  ];
}

/** The second scalar is the weight decay; with `decoupled`, what is kept of the parameters. */
function adam(decoupled: boolean): Output[] {
  const [rate, decay, beta1, rest1] = [number(0), number(1), number(2), number(3)];
  const [beta2, rest2, root, eps] = [number(4), number(5), number(6), number(7)];
  const slope = decoupled ? gradients : decayed(decay);
  const parameters = decoupled ? multiply(oldParameters, decay) : oldParameters;
  const first = add(multiply(oldFirst, beta1), multiply(slope, rest1));
  const second = add(multiply(oldSecond, beta2), multiply(multiply(slope, slope), rest2));
  const denominator = add(divide(apply('sqrt', second), root), eps);
  return [
    { operand: PARAMETERS, value: subtract(parameters, divide(multiply(first, rate), denominator)) },
    { operand: FIRST, value: first },
    { operand: SECOND, value: second },
  ];
}

/** Plans runs of an optimizer's step. */
export function prepareOptimizerStep(kernel: OptimizerStepKernel, toolchain: Toolchain): Planner {
  const map: MapKernel = {
    kind: 'map',
    rank: 1,
    operands: kernel.operands.map((operand) => ({ ...operand, layout: 'contiguous' })),
    scalars: kernel.scalars,
    outputs: kernel.algorithm === 'sgd' ? sgd(kernel) : adam(kernel.algorithm === 'adamw'),
  };
  const plan = prepareMap(map, toolchain);
  // A dense operand has its length where a contiguous one has its stride.
  return (dims) => plan(dims.map((value, i) => (i > 0 && i % 2 === 0 ? 1 : value)));
}
