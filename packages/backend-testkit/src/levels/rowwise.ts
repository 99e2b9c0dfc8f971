/** Checks of level `optional`: normalisations of rows, forward and backward. */

import { ALL_DTYPES, isFloat } from '@gradus/backend';
import type { DType, RowwiseKernel } from '@gradus/backend';
import { denseCase, resultOf } from '../cases/dense.ts';
import type { Case } from '../cases/case.ts';
import { seedOf } from '../cases/random.ts';
import { fractions } from '../cases/values.ts';
import { casesPlan, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { fastPathTolerance } from '../tolerances.ts';
import type { Tolerance } from '../tolerances.ts';

type Name = RowwiseKernel['function'];
type Pass = RowwiseKernel['pass'];

const NAMES: readonly Name[] = ['softmax', 'logSoftmax', 'logSumExp', 'layerNorm', 'rmsNorm'];

/** Rows and columns. */
const SIZES: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 1],
  [1, 3],
  [5, 5],
  [3, 31],
  [5, 33],
  [33, 5],
  [2, 127],
  [2, 1025],
  [0, 5],
  [5, 0],
];

const RULES: { readonly [N in Name]: string } = {
  softmax: 'softmax gives exp(x - m) / Σ exp(x - m), m the largest of the row; its gradient is y · (g - Σ g · y)',
  logSoftmax: 'logSoftmax gives x - m - log Σ exp(x - m), m the largest of the row; its gradient is g - exp(y) · Σ g',
  logSumExp: 'logSumExp gives m + log Σ exp(x - m), m the largest of the row; its gradient is g · exp(x - y)',
  layerNorm: 'layerNorm gives (x - μ) · r · w + b, r = 1 / sqrt(biased variance + eps); its gradient is r · (h - Σ h / C - n · Σ h · n / C)',
  rmsNorm: 'rmsNorm gives x · r · w, r = 1 / sqrt(mean square + eps); its gradient is r · (h - n · Σ h · n / C)',
};
const SPECIAL = 'NaN makes its row NaN; in softmax and logSoftmax so does +Infinity, and a row of -Infinity alone; its logSumExp is -Infinity';

/** A variance of 8 about a mean of 300: in float32, a mean square less a squared mean has lost all but two digits of it. */
const FAR = 300;
/** The mean is off by some 2^-15 of such rows, however it is added up. */
const FAR_UNITS = 2048;

/** Exponents of 20 in float32 have lost 4 bits; sums and a few more operations take the rest. */
const UNITS = 128;

/** The softmax of many columns is small, and as accurate. */
function toleranceOf(name: Name, pass: Pass, dtype: DType, units: number): Tolerance {
  const tolerance = fastPathTolerance(dtype, units);
  return name === 'softmax' && pass === 'forward' ? { ulps: tolerance.ulps } : tolerance;
}

/** Two places for eps would differ by much for the first; the second is what people use. */
const EPSILONS: readonly number[] = [0.5, 1e-5];

interface Rows {
  readonly title: string;
  readonly sizes: readonly [number, number];
  readonly x: readonly number[];
  readonly rule?: string;
  readonly units?: number;
}

function rowCases(name: Name, pass: Pass, dtype: DType, { title, sizes, x, rule = RULES[name], units = UNITS }: Rows, terms: Terms): Case[] {
  const work = { kind: 'rowwise', function: name, pass } as const;
  const spec = { name: title, rule, work, dtype, sizes, values: { x }, tolerance: toleranceOf(name, pass, dtype, units) };
  if (name === 'layerNorm' || name === 'rmsNorm')
    return EPSILONS.map((eps) => denseCase({ ...spec, name: `${title}, eps ${eps}`, scalars: [eps] }, terms.capabilities));
  if (pass === 'forward') return [denseCase(spec, terms.capabilities)];
  // The way back begins with what the way forward gave.
  const y = resultOf(denseCase({ ...spec, work: { ...work, pass: 'forward' } }, terms.capabilities), 'result');
  return [denseCase({ ...spec, values: { x, y } }, terms.capabilities)];
}

/** Rows of five that need care: extremes in the first place, in the middle and in the last. */
function specialRows(name: Name): readonly (readonly number[])[] {
  const finite = [
    [0, 0, 0, 0, 0],
    [2, 2, 2, 2, 2],
    [3, -1, 2, 0.5, -2],
    [1, NaN, 2, 3, 4],
    [1, 2, 3, 4, NaN],
    [NaN, NaN, NaN, NaN, NaN],
  ];
  if (name === 'layerNorm' || name === 'rmsNorm') return finite;
  return [
    ...finite,
    [1000, 999, 998, -1000, 1000],
    [-1000, -1001, -1000, -1002, -1010],
    [-Infinity, 1, 2, -Infinity, 0.5],
    [-Infinity, -Infinity, -Infinity, -Infinity, 3],
    [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
    [1, 2, Infinity, 3, -Infinity],
    [Infinity, 0, 0, 0, Infinity],
    [-Infinity, NaN, Infinity, 0, 0],
  ];
}

function rowwiseCases(name: Name, pass: Pass, dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype)) return [];
  const sized = SIZES.map((sizes): Rows => {
    const title = sizes.join('x');
    return { title, sizes, x: fractions(dtype, sizes[0] * sizes[1], seedOf(`${name} ${title}`), 5) };
  });
  const special = specialRows(name);
  const rows: Rows[] = [...sized, { title: `special values / ${special.length}x5`, sizes: [special.length, 5], x: special.flat(), rule: SPECIAL }];
  if (name === 'layerNorm') {
    const x = fractions(dtype, 99, seedOf('far'), 5).map((value) => value + FAR);
    rows.push({ title: `about ${FAR} / 3x33`, sizes: [3, 33], x, units: FAR_UNITS });
  }
  return rows.flatMap((one) => rowCases(name, pass, dtype, one, terms));
}

export function rowwisePlans(): Plan[] {
  return NAMES.flatMap((name) =>
    (['forward', 'backward'] as const).flatMap((pass) =>
      ALL_DTYPES.filter(isFloat).map((dtype) =>
        casesPlan('optional', `rowwise / ${name} / ${pass} / ${dtype}`, (terms) => rowwiseCases(name, pass, dtype, terms)),
      ),
    ),
  );
}
