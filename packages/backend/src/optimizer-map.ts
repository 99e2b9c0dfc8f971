/**
 * The decomposition of `optimizerStep`: a map with as many outputs as the optimizer has arrays. Every operation of a map rounds by itself, in the order
 * that the expressions have, which is what the step asks for; so a backend may run a step as this map.
 */

import type { DType } from './dtype.ts';
import { apply, constant, load, scalar, where } from './expression.ts';
import type { Expression } from './expression.ts';
import type { MapKernel, Output } from './kernel.ts';
import type { OptimizerStepKernel } from './optimizer-step.ts';

/** Operands. Sgd has its buffer where adam has the first moment. */
const [PARAMETERS, GRADIENTS, FIRST, SECOND] = [0, 1, 2, 3];

/** What the formulas are made of, in one dtype. What is one object is loaded once. */
class Terms {
  readonly parameters: Expression;
  readonly gradients: Expression;
  readonly first: Expression;
  readonly second: Expression;
  readonly #dtype: DType;

  constructor(dtype: DType) {
    this.#dtype = dtype;
    this.parameters = load(dtype, PARAMETERS);
    this.gradients = load(dtype, GRADIENTS);
    this.first = load(dtype, FIRST);
    this.second = load(dtype, SECOND);
  }

  number(index: number): Expression {
    return scalar(this.#dtype, index);
  }

  /** The gradient with weight decay, which leaves no trace where it is 0. */
  decayed(weightDecay: Expression): Expression {
    const none = apply('equal', weightDecay, constant(this.#dtype, 0));
    return where(none, this.gradients, add(this.gradients, multiply(this.parameters, weightDecay)));
  }
}

const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const subtract = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
const multiply = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
const divide = (a: Expression, b: Expression): Expression => apply('divide', a, b);

function sgd({ momentum, nesterov }: OptimizerStepKernel, terms: Terms): Output[] {
  const { parameters } = terms;
  const [lr, weightDecay, keep, share] = [terms.number(0), terms.number(1), terms.number(2), terms.number(3)];
  const slope = terms.decayed(weightDecay);
  if (!momentum) return [{ operand: PARAMETERS, value: subtract(parameters, multiply(slope, lr)) }];
  const buffer = add(multiply(terms.first, keep), multiply(slope, share));
  const move = nesterov ? add(slope, multiply(buffer, keep)) : buffer;
  return [
    { operand: PARAMETERS, value: subtract(parameters, multiply(move, lr)) },
    { operand: FIRST, value: buffer },
  ];
}

/** The second scalar is the weight decay; with `decoupled`, what is kept of the parameters. */
function adam(decoupled: boolean, terms: Terms): Output[] {
  const [rate, decay, beta1, rest1] = [terms.number(0), terms.number(1), terms.number(2), terms.number(3)];
  const [beta2, rest2, root, eps] = [terms.number(4), terms.number(5), terms.number(6), terms.number(7)];
  const slope = decoupled ? terms.gradients : terms.decayed(decay);
  const parameters = decoupled ? multiply(terms.parameters, decay) : terms.parameters;
  const first = add(multiply(terms.first, beta1), multiply(slope, rest1));
  const second = add(multiply(terms.second, beta2), multiply(multiply(slope, slope), rest2));
  const denominator = add(divide(apply('sqrt', second), root), eps);
  return [
    { operand: PARAMETERS, value: subtract(parameters, divide(multiply(first, rate), denominator)) },
    { operand: FIRST, value: first },
    { operand: SECOND, value: second },
  ];
}

/** The map that an optimizer's step is. Its operands and scalars are those of the step, in the same order. */
export function optimizerStepMap(kernel: OptimizerStepKernel): MapKernel {
  const terms = new Terms(kernel.operands[PARAMETERS]?.dtype ?? 'float32');
  return {
    kind: 'map',
    rank: 1,
    operands: kernel.operands.map((operand) => ({ ...operand, layout: 'contiguous' })),
    scalars: kernel.scalars,
    outputs: kernel.algorithm === 'sgd' ? sgd(kernel, terms) : adam(kernel.algorithm === 'adamw', terms),
  };
}

/** The `dims` of that map, for those of a run of the step: a dense operand has its length where a contiguous one has its stride. */
export function optimizerStepMapDims(dims: Int32Array): Int32Array {
  return dims.map((value, i) => (i > 0 && i % 2 === 0 ? 1 : value));
}
