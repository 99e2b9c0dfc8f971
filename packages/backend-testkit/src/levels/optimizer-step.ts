/** Checks of level `optional`: steps of optimizers, which are exact, since each of their operations rounds. */

import type { DType, OptimizerStepKernel } from '@gradus/backend';
import { denseCase, operandNames } from '../cases/dense.ts';
import type { Work } from '../cases/dense.ts';
import type { Case } from '../cases/case.ts';
import { seedOf } from '../cases/random.ts';
import { randomValues } from '../cases/values.ts';
import { casesPlan, computes } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

const SIZES: readonly number[] = [0, 1, 3, 5, 31, 33, 127, 1025];

const RULE = 'the operations of an optimizer step round to the dtype, each by itself, in the order written';

interface Rule {
  readonly title: string;
  readonly work: Work<OptimizerStepKernel>;
  /** Scalars by what is special about them. */
  readonly scalars: Readonly<Record<string, readonly number[]>>;
}

const sgd = { kind: 'optimizerStep', algorithm: 'sgd', momentum: false, nesterov: false } as const;

/** Learning rate, weight decay, momentum, share of the gradient. */
const MOMENTUM: Rule['scalars'] = {
  plain: [0.01, 0, 0.9, 1],
  dampened: [0.03, 0, 0.9, 0.7],
  'with weight decay': [0.01, 0.1, 0.8, 0.9],
  'without a past': [0.01, 0.1, 0, 1],
};

/** Rate, decay (or what is kept), beta1, 1 - beta1, beta2, 1 - beta2, root, eps: in the third step, in the first, with a large eps. */
function moments(decays: Readonly<Record<string, number>>): Rule['scalars'] {
  const at = (t: number, decay: number, eps: number): number[] => {
    const [beta1, beta2] = [0.9, 0.99];
    return [0.01 / (1 - beta1 ** t), decay, beta1, 1 - beta1, beta2, 1 - beta2, Math.sqrt(1 - beta2 ** t), eps];
  };
  const entries = Object.entries(decays).flatMap(([name, decay]) => [
    [`${name}, third step`, at(3, decay, 1e-8)] as const,
    [`${name}, first step`, at(1, decay, 1e-8)] as const,
    [`${name}, large eps`, at(5, decay, 0.3)] as const,
  ]);
  return Object.fromEntries(entries);
}

const RULES: readonly Rule[] = [
  { title: 'sgd', work: sgd, scalars: { plain: [0.01, 0], 'with weight decay': [0.03, 0.1] } },
  { title: 'sgd with momentum', work: { ...sgd, momentum: true }, scalars: MOMENTUM },
  { title: 'sgd with nesterov', work: { ...sgd, momentum: true, nesterov: true }, scalars: MOMENTUM },
  { title: 'adam', work: { ...sgd, algorithm: 'adam' }, scalars: moments({ plain: 0, 'with weight decay': 0.1 }) },
  { title: 'adamw', work: { ...sgd, algorithm: 'adamw' }, scalars: moments({ 'nothing decays': 1, 'with weight decay': 0.97 }) },
];

/** Parameters, gradients and moments whose products stay far from denormal numbers. */
function plainValues(dtype: DType, name: string, count: number): number[] {
  const values = randomValues(dtype, count, seedOf(name));
  return name === 'second moment' ? values.map(Math.abs) : values;
}

/** Whatever one element holds, the others are as if it did not. Where nothing decays, an infinite parameter stays so. */
const SPECIAL = {
  parameters: [1, NaN, Infinity, -1, 0, -0, 2, 3, 5],
  gradients: [NaN, 1, 1, Infinity, 0, -0, 1e-3, -1, 5],
  buffer: [1, 1, 1, 1, 0, -0, NaN, -Infinity, 5],
  'first moment': [1, 1, 1, 1, 0, -0, NaN, -1, 5],
  'second moment': [1, 1, 1, 1, 0, 0, 1, Infinity, 5],
} as const;

function stepCases({ work, scalars }: Rule, dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const names = operandNames(work);
  return Object.entries(scalars).flatMap(([title, values]) => {
    const step = (n: number, name: string, contents: (operand: string) => readonly number[]): Case => {
      const spec = { name: `${title} / ${name}`, rule: RULE, work, dtype, sizes: [n], scalars: values };
      return denseCase({ ...spec, values: Object.fromEntries(names.map((operand) => [operand, contents(operand)])) }, terms.capabilities);
    };
    const sized = SIZES.map((n) => step(n, String(n), (operand) => plainValues(dtype, operand, n)));
    return [...sized, step(SPECIAL.parameters.length, 'special values', (operand) => SPECIAL[operand as keyof typeof SPECIAL])];
  });
}

export function optimizerStepPlans(): Plan[] {
  return RULES.flatMap((rule) =>
    (['float32', 'float64'] as const).map((dtype) =>
      casesPlan('optional', `optimizerStep / ${rule.title} / ${dtype}`, (terms) => stepCases(rule, dtype, terms)),
    ),
  );
}
