/** Steps of optimizers, interpreted: the operations of `optimizer-step.ts` in the contract, each rounded. */

import type { OptimizerStepKernel } from '@gradus/backend';
import type { Launch } from './launch.ts';
import { operate } from './operations.ts';

/** Rounded operations of one dtype. */
interface Arithmetic {
  readonly add: (a: number, b: number) => number;
  readonly subtract: (a: number, b: number) => number;
  readonly multiply: (a: number, b: number) => number;
  readonly divide: (a: number, b: number) => number;
  readonly sqrt: (a: number) => number;
}

/** New values of all operands but the gradients, from the old ones and the scalars. */
type Rule = (p: number, g: number, state: readonly number[], scalars: readonly number[], arithmetic: Arithmetic) => readonly number[];

function decayed(p: number, g: number, weightDecay: number, { add, multiply }: Arithmetic): number {
  return weightDecay === 0 ? g : add(g, multiply(p, weightDecay));
}

const plain: Rule = (p, g, _, [lr = NaN, weightDecay = NaN], arithmetic) => [
  arithmetic.subtract(p, arithmetic.multiply(decayed(p, g, weightDecay, arithmetic), lr)),
];

function withMomentum(nesterov: boolean): Rule {
  return (p, g, [old = NaN], [lr = NaN, weightDecay = NaN, momentum = NaN, share = NaN], arithmetic) => {
    const { add, subtract, multiply } = arithmetic;
    const direct = decayed(p, g, weightDecay, arithmetic);
    const buffer = add(multiply(old, momentum), multiply(direct, share));
    const move = nesterov ? add(direct, multiply(buffer, momentum)) : buffer;
    return [subtract(p, multiply(move, lr)), buffer];
  };
}

function adam(decoupled: boolean): Rule {
  return (p, g, [m = NaN, v = NaN], scalars, arithmetic) => {
    const [rate = NaN, decay = NaN, beta1 = NaN, rest1 = NaN, beta2 = NaN, rest2 = NaN, root = NaN, eps = NaN] = scalars;
    const { add, subtract, multiply, divide, sqrt } = arithmetic;
    const direct = decoupled ? g : decayed(p, g, decay, arithmetic);
    const from = decoupled ? multiply(p, decay) : p;
    const first = add(multiply(m, beta1), multiply(direct, rest1));
    const second = add(multiply(v, beta2), multiply(multiply(direct, direct), rest2));
    const denominator = add(divide(sqrt(second), root), eps);
    return [subtract(from, divide(multiply(first, rate), denominator)), first, second];
  };
}

function ruleOf({ algorithm, momentum, nesterov }: OptimizerStepKernel): Rule {
  if (algorithm === 'sgd') return momentum ? withMomentum(nesterov) : plain;
  return adam(algorithm === 'adamw');
}

export function interpretOptimizerStep(kernel: OptimizerStepKernel, launch: Launch): void {
  const [n = 0] = launch.dims;
  const dtype = launch.dtype(0);
  const binary =
    (op: 'add' | 'subtract' | 'multiply' | 'divide') =>
    (a: number, b: number): number =>
      operate(op, dtype, a, b);
  const arithmetic: Arithmetic = {
    add: binary('add'),
    subtract: binary('subtract'),
    multiply: binary('multiply'),
    divide: binary('divide'),
    sqrt: (a) => operate('sqrt', dtype, a, NaN),
  };
  const scalars = kernel.scalars.map((_, i) => launch.scalar(i));
  const state = kernel.operands.map((_, i) => i).slice(2);
  const rule = ruleOf(kernel);
  for (let i = 0; i < n; i++) {
    const old = state.map((operand) => launch.view(operand).get(i));
    const fresh = rule(launch.view(0).get(i), launch.view(1).get(i), old, scalars, arithmetic);
    [0, ...state].forEach((operand, at) => launch.view(operand).set(i, fresh[at] ?? NaN));
  }
}
