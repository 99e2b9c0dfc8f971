/** Normalisations of rows, interpreted: each formula of `rows.ts` on one row of float64 numbers, rounded when it is stored. */

import type { RowwiseKernel } from '@gradus/backend';
import { sumOf } from './fold.ts';
import type { Launch } from './launch.ts';
import { hold } from './number.ts';

type Row = readonly number[];

/** What the formulas of a row read beside its first operand: the other operands' rows, and eps. */
interface Others {
  /** Of `[rows, columns]`: the same row. Of `[columns]`: all of it. Of `[rows]`: one number. */
  readonly rows: readonly Row[];
  readonly eps: number;
}

/** The result's row. */
type Formula = (x: Row, others: Others) => Row;

function sumOfProducts(a: Row, b: Row): number {
  return sumOf(a.map((value, i) => value * (b[i] ?? NaN)));
}

/** `log Σ exp(x)` without overflow. */
export function logSumExp(x: Row): number {
  const largest = Math.max(...x);
  if (largest === Infinity || largest === -Infinity) return largest;
  return largest + Math.log(sumOf(x.map((value) => Math.exp(value - largest))));
}

const softmax: Formula = (x) => {
  const largest = Math.max(...x);
  const powers = x.map((value) => Math.exp(value - largest));
  const total = sumOf(powers);
  return powers.map((power) => power / total);
};

const logSoftmax: Formula = (x) => {
  const largest = Math.max(...x);
  const total = Math.log(sumOf(x.map((value) => Math.exp(value - largest))));
  return x.map((value) => value - largest - total);
};

/** `(x - μ) · r`, and r. */
function standardised(x: Row, eps: number): { n: Row; r: number } {
  const mean = sumOf(x) / x.length;
  const centred = x.map((value) => value - mean);
  const r = 1 / Math.sqrt(sumOfProducts(centred, centred) / x.length + eps);
  return { n: centred.map((value) => value * r), r };
}

/** `x · r`, and r. */
function scaled(x: Row, eps: number): { n: Row; r: number } {
  const r = 1 / Math.sqrt(sumOfProducts(x, x) / x.length + eps);
  return { n: x.map((value) => value * r), r };
}

const FORWARD: Readonly<Record<RowwiseKernel['function'], Formula>> = {
  softmax,
  logSoftmax,
  logSumExp: (x) => [logSumExp(x)],
  layerNorm: (x, { rows: [weight = [], bias = []], eps }) => standardised(x, eps).n.map((n, i) => n * (weight[i] ?? NaN) + (bias[i] ?? NaN)),
  rmsNorm: (x, { rows: [weight = []], eps }) => scaled(x, eps).n.map((n, i) => n * (weight[i] ?? NaN)),
};

const BACKWARD: Readonly<Record<RowwiseKernel['function'], Formula>> = {
  softmax: (y, { rows: [gradient = []] }) => {
    const total = sumOfProducts(gradient, y);
    return y.map((value, i) => value * ((gradient[i] ?? NaN) - total));
  },
  logSoftmax: (y, { rows: [gradient = []] }) => {
    const total = sumOf(gradient);
    return y.map((value, i) => (gradient[i] ?? NaN) - Math.exp(value) * total);
  },
  logSumExp: (x, { rows: [[y = NaN] = [], [gradient = NaN] = []] }) => x.map((value) => gradient * Math.exp(value - y)),
  layerNorm: (x, { rows: [weight = [], gradient = []], eps }) => {
    const { n, r } = standardised(x, eps);
    const h = gradient.map((g, i) => g * (weight[i] ?? NaN));
    const mean = sumOf(h) / x.length;
    const along = sumOfProducts(h, n) / x.length;
    return h.map((value, i) => r * (value - mean - (n[i] ?? NaN) * along));
  },
  rmsNorm: (x, { rows: [weight = [], gradient = []], eps }) => {
    const { n, r } = scaled(x, eps);
    const h = gradient.map((g, i) => g * (weight[i] ?? NaN));
    const along = sumOfProducts(h, n) / x.length;
    return h.map((value, i) => r * (value - (n[i] ?? NaN) * along));
  },
};

export function interpretRowwise(kernel: RowwiseKernel, launch: Launch): void {
  const [rows = 0, columns = 0] = launch.dims;
  const formula = (kernel.pass === 'forward' ? FORWARD : BACKWARD)[kernel.function];
  const eps = kernel.scalars.length === 0 ? NaN : launch.scalar(0);
  const last = kernel.operands.length - 1;
  // Weight and bias are one row for all rows; what goes with a logSumExp is one number a row.
  const isWeight = (i: number): boolean => kernel.scalars.length > 0 && i > 0 && i < last && !(kernel.pass === 'backward' && i === 2);
  const isNumber = (i: number): boolean => kernel.function === 'logSumExp' && kernel.pass === 'backward' && i > 0;

  const read = (i: number, row: number): number[] => {
    const view = launch.view(i);
    if (isNumber(i)) return [view.get(row)];
    return Array.from({ length: columns }, (_, column) => view.get(isWeight(i) ? column : row * columns + column));
  };
  for (let row = 0; row < rows; row++) {
    const others = Array.from({ length: last - 1 }, (_, i) => read(i + 1, row));
    const result = formula(read(0, row), { rows: others, eps });
    result.forEach((value, i) => launch.view(last).set(row * result.length + i, hold(launch.dtype(last), value)));
  }
}
