/**
 * `rowwise` as WGSL: normalisations of rows and their gradients, from one table. A row is gone through once for each sum that its result needs, and
 * once more for the result; all but the first time it is found in a cache.
 *
 * The formulas are those of `rows.ts` in the contract.
 */

import { denseOperands } from '@gradus/backend';
import type { RowwiseKernel } from '@gradus/backend';
import type { Planner } from '../launch/launch.ts';
import type { Program } from '../program/program.ts';
import { RowKernelText, planRows } from './team.ts';
import type { TeamSize } from './team.ts';

/** A number of a row: a fold over its columns, or made of the numbers before it. */
type Step =
  | { readonly name: string; readonly sum: string }
  /** Two sums in one go: a vector. */
  | { readonly name: string; readonly sums: readonly [string, string] }
  | { readonly name: string; readonly largest: string }
  | { readonly name: string; readonly value: string };

/** Texts see the operands by their names in the contract, numbers of earlier steps, `count` (how many columns there are) and `eps`. */
interface Formula {
  readonly steps: readonly Step[];
  readonly result: string;
}

const CENTRED: readonly Step[] = [
  { name: 'total', sum: 'x' },
  { name: 'mean', value: 'total / count' },
  { name: 'squares', sum: '(x - mean) * (x - mean)' },
  { name: 'r', value: '1f / float_sqrt(squares / count + eps)' },
];
const UNCENTRED: readonly Step[] = [
  { name: 'squares', sum: 'x * x' },
  { name: 'r', value: '1f / float_sqrt(squares / count + eps)' },
];
const LARGEST: Step = { name: 'top', largest: 'x' };
const POWERS: Step = { name: 'powers', sum: 'float_exp(x - top)' };

const FORMULAS: { readonly [P in RowwiseKernel['pass']]: { readonly [F in RowwiseKernel['function']]: Formula } } = {
  forward: {
    softmax: { steps: [LARGEST, POWERS], result: 'float_exp(x - top) / powers' },
    logSoftmax: { steps: [LARGEST, POWERS, { name: 'logarithm', value: 'float_log(powers)' }], result: '(x - top) - logarithm' },
    logSumExp: { steps: [LARGEST, POWERS], result: 'select(top + float_log(powers), top, (bitcast<u32>(top) & 0x7fffffffu) == 0x7f800000u)' },
    layerNorm: { steps: CENTRED, result: '(x - mean) * r * weight + bias' },
    rmsNorm: { steps: UNCENTRED, result: 'x * r * weight' },
  },
  backward: {
    softmax: { steps: [{ name: 'along', sum: 'gradient * y' }], result: 'y * (gradient - along)' },
    logSoftmax: { steps: [{ name: 'total', sum: 'gradient' }], result: 'gradient - float_exp(y) * total' },
    logSumExp: { steps: [], result: 'gradient * float_exp(x - y)' },
    layerNorm: {
      steps: [...CENTRED, { name: 'means', sums: ['gradient * weight', 'gradient * weight * ((x - mean) * r)'] }],
      result: 'r * (gradient * weight - means.x / count - (x - mean) * r * (means.y / count))',
    },
    rmsNorm: {
      steps: [...UNCENTRED, { name: 'along', sum: 'gradient * weight * (x * r)' }],
      result: 'r * (gradient * weight - x * r * (along / count))',
    },
  },
};

function rowwise(kernel: RowwiseKernel, size: TeamSize): Program {
  const text = new RowKernelText(kernel, size);
  const { steps, result } = FORMULAS[kernel.pass][kernel.function];
  const operands = denseOperands(kernel);
  /** Loads of the operands that a formula names, under their names. */
  const loads = (formula: string): string =>
    operands
      .flatMap(({ name, access }, k) => {
        const isNamed = access === 'read' && new RegExp(String.raw`\b${name}\b`).test(formula);
        return isNamed ? [`let ${name} = load${k}(${text.element(k)});`] : [];
      })
      .join('\n');
  const step = (one: Step): string => {
    const { name } = one;
    if ('value' in one) return `let ${name} = ${one.value};`;
    if ('largest' in one) return text.largest(name, loads(one.largest), one.largest);
    const value = 'sum' in one ? one.sum : `vec2f(${one.sums.join(', ')})`;
    return text.sum(name, 'sum' in one ? 'f32' : 'vec2f', loads(value), value);
  };
  const [eps] = kernel.scalars;
  const body = [
    `let count = f32(${text.columns});`,
    ...(eps === undefined ? [] : [`let eps = ${text.frame.scalar(0, eps)};`]),
    ...steps.map(step),
    text.store(operands.length - 1, loads(result), result),
  ].join('\n');
  return text.finish(`${kernel.function} ${kernel.pass}`, body);
}

/** Plans normalisations. */
export function prepareRowwise(kernel: RowwiseKernel): Planner {
  return planRows((size) => rowwise(kernel, size));
}
