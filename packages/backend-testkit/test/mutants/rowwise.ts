/** Mutants of normalisations: rows calculated anew, each with one mistake in its formula. */

import type { RowwiseKernel } from '@gradus/backend';
import { hold } from '../../src/oracle/number.ts';
import type { Mutant } from './mutant.ts';
import { mistaking } from './perturbing.ts';
import type { Launched } from './perturbing.ts';

type Name = RowwiseKernel['function'];
type Pass = RowwiseKernel['pass'];
type Numbers = readonly number[];

/** One row of every operand, by name; what the kernel does not have is empty. */
interface Row {
  readonly x: Numbers;
  readonly y: Numbers;
  readonly gradient: Numbers;
  readonly weight: Numbers;
  readonly bias: Numbers;
  readonly eps: number;
  /** The right result. */
  readonly result: Numbers;
}

type Formula = (row: Row) => Numbers;

/** Gives `formula` of every row. */
function replaceRows({ sizes, scalars, operands, before }: Launched<'rowwise'>, formula: Formula): void {
  const [count = 0, columns = 0] = sizes;
  const { result = new Float64Array() } = operands;
  const width = count === 0 ? 0 : result.length / count;
  for (let row = 0; row < count; row++) {
    /** The row's part of an operand `[rows, columns]` or `[rows]`. */
    const part = (name: string): Numbers => {
      const from = before[name] ?? new Float64Array();
      const length = from.length === count * columns ? columns : from.length / count;
      return [...from.subarray(row * length, (row + 1) * length)];
    };
    const given = formula({
      x: part('x'),
      y: part('y'),
      gradient: part('gradient'),
      weight: [...(before['weight'] ?? [])],
      bias: [...(before['bias'] ?? [])],
      eps: scalars[0] ?? NaN,
      result: [...result.subarray(row * width, (row + 1) * width)],
    });
    result.set(given, row * width);
  }
}

/** A mutant that gives `formula` of every row. */
function rows(name: Name, pass: Pass, mistake: string, formula: Formula): Mutant {
  const checks = [`optional / rowwise / ${name} / ${pass} / float32`];
  return mistaking('rowwise', `${name} ${pass} ${mistake}`, checks, (launched) => {
    if (launched.kernel.function === name && launched.kernel.pass === pass) replaceRows(launched, formula);
  });
}

const f = Math.fround;
const sum = (of: Numbers): number => of.reduce((a, b) => a + b, 0);
const dot = (a: Numbers, b: Numbers): number => sum(a.map((value, i) => value * (b[i] ?? NaN)));
const mean = (of: Numbers): number => sum(of) / of.length;

/** A softmax with another shift, or another way of adding up. */
function softmaxOf(x: Numbers, shift = Math.max(...x), add: (of: Numbers) => number = sum): Numbers {
  const powers = x.map((value) => f(Math.exp(value - shift)));
  const total = add(powers);
  return powers.map((power) => power / total);
}

function softmaxMutants(): Mutant[] {
  const narrow = (of: Numbers): number => of.reduce((a, b) => hold('float16', a + b), 0);
  return [
    rows('softmax', 'forward', 'does not subtract the largest', ({ x }) => softmaxOf(x, 0)),
    rows('softmax', 'forward', 'begins its maximum at 0', ({ x }) => softmaxOf(x, Math.max(0, ...x))),
    rows('softmax', 'forward', 'adds up in float16', ({ x }) => softmaxOf(x, Math.max(...x), narrow)),
    rows('softmax', 'forward', 'adds up whole fours', ({ x }) => softmaxOf(x, Math.max(...x), (of) => sum(of.slice(0, Math.max(1, of.length & -4))))),
    rows('softmax', 'forward', 'gives 0 for a row of -Infinity', ({ x, result }) => (Math.max(...x) === -Infinity ? x.map(() => 0) : result)),
    rows('softmax', 'forward', 'gives 1 for the only Infinity', ({ x, result }) =>
      x.filter((value) => value === Infinity).length === 1 ? x.map((value) => Number(value === Infinity)) : result,
    ),
    rows('softmax', 'forward', 'keeps a NaN to itself', ({ x, result }) =>
      x.some(Number.isNaN) ? x.map((value) => (Number.isNaN(value) ? NaN : 0.25)) : result,
    ),
    rows('softmax', 'forward', 'divides by its count', ({ x, result }) => result.map((value) => (value * x.length) / (x.length + 1))),
    rows('softmax', 'backward', 'forgets the sum', ({ y, gradient }) => y.map((value, i) => value * (gradient[i] ?? NaN))),
    rows('softmax', 'backward', 'takes the mean', ({ y, gradient }) => y.map((value, i) => value * ((gradient[i] ?? NaN) - mean(gradient)))),
    rows('softmax', 'backward', 'does not multiply by y', ({ y, gradient }) => gradient.map((value) => value - dot(gradient, y))),
    rows('logSoftmax', 'forward', 'is the logarithm of a softmax', ({ x }) => softmaxOf(x).map((value) => Math.log(f(value)))),
    rows('logSoftmax', 'forward', 'does not subtract the largest', ({ x }) =>
      x.map((value) => value - Math.log(f(sum(x.map((of) => f(Math.exp(of))))))),
    ),
    rows('logSoftmax', 'forward', 'forgets to subtract x’s largest', ({ x }) =>
      x.map((value) => value - Math.log(sum(x.map((of) => Math.exp(of - Math.max(...x)))))),
    ),
    rows('logSoftmax', 'backward', 'takes y for exp(y)', ({ y, gradient }) => gradient.map((g, i) => g - (y[i] ?? NaN) * sum(gradient))),
    rows('logSoftmax', 'backward', 'forgets the sum', ({ y, gradient }) => gradient.map((g, i) => g - Math.exp(y[i] ?? NaN))),
    rows('logSoftmax', 'backward', 'is that of a softmax', ({ y, gradient }) => y.map((p, i) => p * ((gradient[i] ?? NaN) - dot(gradient, y)))),
    rows('logSumExp', 'forward', 'does not subtract the largest', ({ x }) => [Math.log(f(sum(x.map((of) => f(Math.exp(of))))))]),
    rows('logSumExp', 'forward', 'gives the largest', ({ x }) => [Math.max(...x)]),
    rows('logSumExp', 'forward', 'counts in twos', ({ result }) => result.map((value) => value / Math.LN2)),
    rows('logSumExp', 'forward', 'is NaN for a row of -Infinity', ({ result }) => result.map((value) => (value === -Infinity ? NaN : value))),
    rows('logSumExp', 'forward', 'is NaN for a row with Infinity', ({ result }) => result.map((value) => (value === Infinity ? NaN : value))),
    rows('logSumExp', 'forward', 'is 0 of no columns', ({ x, result }) => (x.length === 0 ? [0] : result)),
    rows('logSumExp', 'backward', 'does not look at the gradient', ({ x, y }) => x.map((value) => Math.exp(value - (y[0] ?? NaN)))),
    rows('logSumExp', 'backward', 'does not subtract y', ({ x, gradient }) => x.map((value) => (gradient[0] ?? NaN) * Math.exp(value))),
  ];
}

/** What a norm may get wrong. */
interface Statistics {
  readonly center?: (x: Numbers) => number;
  readonly count?: (columns: number) => number;
  readonly r?: (variance: number, eps: number) => number;
}

/** The normalised row and its factor. */
function normalised(x: Numbers, eps: number, { center = mean, count = (n) => n, r: factor = rootOf }: Statistics): { n: Numbers; r: number } {
  const middle = center(x);
  const centred = x.map((value) => value - middle);
  const r = factor(dot(centred, centred) / count(x.length), eps);
  return { n: centred.map((value) => value * r), r };
}

function rootOf(variance: number, eps: number): number {
  return 1 / Math.sqrt(variance + eps);
}

const STATISTICS: Readonly<Record<string, Statistics>> = {
  'adds eps to the root': { r: (variance, eps) => 1 / (Math.sqrt(variance) + eps) },
  'ignores eps': { r: (variance) => 1 / Math.sqrt(variance) },
  'has an eps of its own': { r: (variance) => 1 / Math.sqrt(variance + 1e-6) },
  'forgets the root': { r: (variance, eps) => 1 / (variance + eps) },
  'divides by one less': { count: (n) => Math.max(1, n - 1) },
  'divides by nothing': { count: () => 1 },
};

const CENTRES: Readonly<Record<string, Statistics>> = {
  'has no centre': { center: () => 0 },
  'has its centre at the first': { center: (x) => x[0] ?? NaN },
  'adds the mean up in bfloat16': { center: (x) => x.reduce((a, b) => hold('bfloat16', a + b), 0) / x.length },
};

/** The variance as the mean square less the squared mean, in float32. */
function hasty(x: Numbers): number {
  const square = x.reduce((a, b) => f(a + f(b * b)), 0);
  const total = x.reduce((a, b) => f(a + b), 0);
  return f(f(square / x.length) - f(f(total / x.length) ** 2));
}

function normMutants(): Mutant[] {
  const zero: Statistics = { center: () => 0 };
  const layer = ({ x, weight, bias, eps }: Row, wrong: Statistics): Numbers =>
    normalised(x, eps, wrong).n.map((n, i) => n * (weight[i] ?? NaN) + (bias[i] ?? NaN));
  const rms = ({ x, weight, eps }: Row, wrong: Statistics): Numbers =>
    normalised(x, eps, { ...zero, ...wrong }).n.map((n, i) => n * (weight[i] ?? NaN));
  return [
    ...Object.entries({ ...STATISTICS, ...CENTRES }).map(([name, wrong]) => rows('layerNorm', 'forward', name, (row) => layer(row, wrong))),
    ...Object.entries(STATISTICS).map(([name, wrong]) => rows('rmsNorm', 'forward', name, (row) => rms(row, wrong))),
    rows('rmsNorm', 'forward', 'subtracts the mean', (row) => rms(row, { center: mean })),
    rows('layerNorm', 'forward', 'squares before it centres', (row) => layer(row, { r: (_, eps) => rootOf(Math.max(0, hasty(row.x)), eps) })),
    rows('layerNorm', 'forward', 'adds the bias first', ({ x, weight, bias, eps }) =>
      normalised(x, eps, {}).n.map((n, i) => (n + (bias[i] ?? NaN)) * (weight[i] ?? NaN)),
    ),
  ];
}

/** The terms of a norm's gradient, to leave some out. */
interface Terms {
  readonly mean?: boolean;
  readonly along?: boolean;
  readonly factor?: boolean;
  readonly weight?: boolean;
  readonly perColumn?: boolean;
}

function normGradient({ x, weight, gradient, eps }: Row, centred: boolean, terms: Terms, wrong: Statistics): Numbers {
  const { n, r } = normalised(x, eps, centred ? wrong : { center: () => 0, ...wrong });
  const h = gradient.map((g, i) => (terms.weight === false ? g : g * (weight[i] ?? NaN)));
  const columns = terms.perColumn === false ? 1 : x.length;
  const middle = centred && terms.mean !== false ? sum(h) / columns : 0;
  const along = terms.along === false ? 0 : dot(h, n) / columns;
  return h.map((value, i) => (terms.factor === false ? 1 : r) * (value - middle - (n[i] ?? NaN) * along));
}

const LEFT_OUT: Readonly<Record<string, Terms>> = {
  'forgets what goes along x': { along: false },
  'forgets the factor': { factor: false },
  'forgets the weight': { weight: false },
  'does not divide by the columns': { perColumn: false },
};

function normGradientMutants(): Mutant[] {
  return (['layerNorm', 'rmsNorm'] as const).flatMap((name) => {
    const centred = name === 'layerNorm';
    const left = centred ? { ...LEFT_OUT, 'forgets the mean': { mean: false } } : LEFT_OUT;
    return [
      ...Object.entries(left).map(([what, terms]) => rows(name, 'backward', what, (row) => normGradient(row, centred, terms, {}))),
      ...Object.entries(STATISTICS).map(([what, wrong]) => rows(name, 'backward', what, (row) => normGradient(row, centred, {}, wrong))),
    ];
  });
}

export function rowwiseMutants(): Mutant[] {
  return [...softmaxMutants(), ...normMutants(), ...normGradientMutants()];
}

/** An exponential as good as the kit asks for, and no better: four units in the last place off. */
function coarseExp(x: number): number {
  return f(Math.exp(x) * (1 + 4.5e-7));
}

const sum32 = (of: Numbers): number => of.reduce((a, b) => f(a + b), 0);
const dot32 = (a: Numbers, b: Numbers): number => sum32(a.map((value, i) => f(value * (b[i] ?? NaN))));

/** Rows as a device without float64 calculates them: every operation rounds to float32, sums go from left to right, variances in two passes. */
const NARROW: { readonly [P in Pass]: { readonly [N in Name]: Formula } } = {
  forward: {
    softmax: ({ x }) => {
      const powers = x.map((value) => coarseExp(f(value - Math.max(...x))));
      return powers.map((power) => f(power * f(1 / sum32(powers))));
    },
    logSoftmax: ({ x }) => {
      const top = Math.max(...x);
      const log = f(Math.log(sum32(x.map((value) => coarseExp(f(value - top))))));
      return x.map((value) => f(f(value - top) - log));
    },
    logSumExp: ({ x }) => {
      const top = Math.max(...x);
      return [Math.abs(top) === Infinity ? top : f(top + f(Math.log(sum32(x.map((value) => coarseExp(f(value - top)))))))];
    },
    layerNorm: ({ x, weight, bias, eps }) => normal32(x, eps, true).n.map((n, i) => f(f(n * (weight[i] ?? NaN)) + (bias[i] ?? NaN))),
    rmsNorm: ({ x, weight, eps }) => normal32(x, eps, false).n.map((n, i) => f(n * (weight[i] ?? NaN))),
  },
  backward: {
    softmax: ({ y, gradient }) => y.map((value, i) => f(value * f((gradient[i] ?? NaN) - dot32(gradient, y)))),
    logSoftmax: ({ y, gradient }) => gradient.map((g, i) => f(g - f(coarseExp(y[i] ?? NaN) * sum32(gradient)))),
    logSumExp: ({ x, y: [y = NaN], gradient: [g = NaN] }) => x.map((value) => f(g * coarseExp(f(value - y)))),
    layerNorm: (row) => normGradient32(row, true),
    rmsNorm: (row) => normGradient32(row, false),
  },
};

function normal32(x: Numbers, eps: number, centred: boolean): { n: Numbers; r: number } {
  const middle = centred ? f(sum32(x) * f(1 / x.length)) : 0;
  const c = x.map((value) => f(value - middle));
  const r = f(1 / f(Math.sqrt(f(f(dot32(c, c) * f(1 / x.length)) + f(eps)))));
  return { n: c.map((value) => f(value * r)), r };
}

function normGradient32({ x, weight, gradient, eps }: Row, centred: boolean): Numbers {
  const { n, r } = normal32(x, eps, centred);
  const h = gradient.map((g, i) => f(g * (weight[i] ?? NaN)));
  const middle = centred ? f(sum32(h) / x.length) : 0;
  const along = f(dot32(h, n) / x.length);
  return h.map((value, i) => f(r * f(f(value - middle) - f((n[i] ?? NaN) * along))));
}

/** Right in float32 alone: has to pass. */
export const PLAIN_ROWWISE: Mutant = mistaking('rowwise', 'rowwise, plainly', ['optional / rowwise'], (launched) => {
  const { kernel, dtype } = launched;
  if (dtype !== 'float64') replaceRows(launched, NARROW[kernel.pass][kernel.function]);
});
