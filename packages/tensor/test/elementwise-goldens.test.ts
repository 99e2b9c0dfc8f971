/**
 * Elementwise functions and reductions against PyTorch 1.13 (`fixtures/elementwise.py`): results, dtypes, and gradients of the sum, at
 * edges, kinks, ties and usual numbers; and where they differ from PyTorch, how.
 */

import * as gradus from '@gradus/tensor';
import { scope, tensor, vjp } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import fixtures from './fixtures/elementwise.json' with { type: 'json' };

type Value = number | string;
interface Input {
  readonly s: readonly number[];
  readonly v: readonly Value[];
  readonly d?: string;
}
interface Options {
  readonly [name: string]: number | string | boolean | readonly number[];
}
type Case = readonly [string, Options, string, readonly (Input | string)[], Input, readonly (readonly Value[] | null)[]];

const shared = fixtures.inputs as unknown as Readonly<Record<string, Input>>;
const cases = fixtures.cases as unknown as readonly Case[];

type AnyOp = (...args: unknown[]) => Tensor | { readonly values: Tensor; readonly indices: Tensor };
const published = gradus as unknown as Readonly<Record<string, AnyOp>>;

const opNamed = (name: string): AnyOp => {
  const op = published[name];
  if (op === undefined) throw new Error(`no op ${name}`);
  return op;
};

/** p and q may be infinite, which JSON writes as a word. */
const plain = (value: Options[string] | undefined): unknown => (typeof value === 'string' && /^-?Inf/.test(value) ? Number(value) : value);

/** The op as gradus takes its arguments. */
function call(name: string, inputs: readonly Tensor[], options: Options): Tensor {
  const read = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, plain(value)]));
  const made = (() => {
    switch (name) {
      case 'polygamma':
        return opNamed(name)(read['order'], ...inputs);
      case 'quantile':
        return opNamed(name)(...inputs, read['q'], read);
      case 'lerp':
        return opNamed(name)(...inputs, ...(read['weight'] === undefined ? [] : [read['weight']]));
      case 'medianIndices':
        return opNamed('median')(...inputs, read);
      default:
        return Object.keys(read).length === 0 ? opNamed(name)(...inputs) : opNamed(name)(...inputs, read);
    }
  })();
  if (!('values' in made)) return made;
  return name === 'medianIndices' ? made.indices : made.values;
}

const numbersOf = (values: readonly Value[]): number[] => values.map(Number);

function toTensor(given: Input | string, dtype: string, view: (t: Tensor) => Tensor): Tensor {
  const input = typeof given === 'string' ? shared[given] : given;
  if (input === undefined) throw new Error(`no input ${JSON.stringify(given)}`);
  return view(tensor(numbersOf(input.v), { shape: input.s, dtype: (input.d ?? dtype) as DType }));
}

/** What gradus has in place of PyTorch's dtype. */
const dtypeOf = (theirs: string): string => (theirs === 'int64' ? 'int32' : theirs);

/** gradus's number where it differs from PyTorch's, `theirs`, for the inputs `x` at that place; undefined where it does not. */
type Difference = (x: readonly number[], theirs: number) => number | undefined;

const isPole = (x: number): boolean => Number.isInteger(x) && x < 0;

/** By op; its gradient with a prime. */
const DIFFERENCES: Readonly<Record<string, Difference>> = {
  // NaN is neither sign nor a step, and stays; PyTorch 1.13 makes it 0.
  sign: ([x = 0]) => (Number.isNaN(x) ? NaN : undefined),
  heaviside: ([x = 0, atZero]) => (Number.isNaN(x) && atZero !== undefined ? NaN : undefined),
  // As in later versions of PyTorch.
  softshrink: ([x = 0]) => (Number.isNaN(x) ? NaN : undefined),
  // The limit, where PyTorch multiplies 0 by infinity.
  hardswish: ([x = 0]) => (x === -Infinity ? 0 : undefined),
  'softplus′': ([x = 0]) => (x === 120 ? 1 : undefined),
  'copysign′': ([a = 0, b = 0], theirs) =>
    Math.abs(a) === Infinity && Number.isNaN(theirs) ? (a < 0 === (b < 0 || Object.is(b, -0)) ? 1 : -1) : undefined,
  // Half each.
  'logaddexp′': ([a, b]) => (a === b && Math.abs(a ?? 0) === Infinity ? 0.5 : undefined),
  // The subgradient that norms have.
  'hypot′': ([a, b]) => (a === 0 && b === 0 ? 0 : undefined),
  // PyTorch cancels: here is -π²x / 3 and the next term.
  'sinc′': ([x = 1]) => (x !== 0 && Math.abs(x) < 0.01 ? ((-(Math.PI ** 2) * x) / 3) * (1 - (Math.PI * x) ** 2 / 10) : undefined),
  // sin(πx) of a whole x is 0 here.
  'digamma′': ([x = 0]) => (isPole(x) ? Infinity : undefined),
  polygamma: ([x = 0]) => (isPole(x) ? Infinity : undefined),
};

/** PyTorch's own errors, where they are larger than {@link TOLERANCE}: trigamma of few terms, constants of float32, a small difference. */
const PYTORCH_ERRORS: Readonly<Record<string, number>> = {
  'digamma′': 2e-5,
  polygamma: 1e-9,
  'polygamma′': 1e-9,
  'hardsigmoid′': 1e-7,
  'logcumsumexp′': 1e-4,
};

const TOLERANCE: Readonly<Record<string, readonly [relative: number, absolute: number]>> = {
  float32: [8e-6, 1e-6],
  float64: [1e-12, 1e-13],
};

function compare(
  name: string,
  what: string,
  got: ArrayLike<number>,
  want: readonly number[],
  dtype: string,
  at: (i: number) => readonly number[],
): void {
  expect(got.length, what).toBe(want.length);
  const isGradient = what !== 'result';
  const key = isGradient ? `${name}′` : name;
  const [relative, absolute] = TOLERANCE[dtype] ?? [0, 0];
  const largest = Math.max(relative, PYTORCH_ERRORS[key] ?? 0);
  want.forEach((theirs, i) => {
    const ours = got[i] ?? NaN;
    const x = at(i);
    // The gradient where an argument is NaN is 0, 1 or NaN in PyTorch, by op and by vector width.
    if (isGradient && x.some((value) => Number.isNaN(value))) return;
    const expected = DIFFERENCES[key]?.(x, theirs) ?? theirs;
    const fits = Object.is(ours, expected) || ours === expected || Math.abs(ours - expected) <= absolute + largest * Math.abs(expected);
    const shown = x.map((value) => (Object.is(value, -0) ? '-0' : value)).join(', ');
    expect.soft(fits, `${name} ${dtype}: ${what} of (${shown}) is ${ours}, PyTorch has ${theirs}`).toBe(true);
  });
}

/** The same numbers in memory that is not dense: a transposed copy, transposed back. */
const asTransposed = (t: Tensor): Tensor => (t.shape.length < 2 ? t : gradus.copy(gradus.transpose(t, 0, -1)).transpose(0, -1));
/** Every second element of twice as many. */
const asEverySecond = (t: Tensor): Tensor =>
  t.shape.length === 0 || t.size === 0
    ? t
    : gradus.slice(gradus.stack([t, t], { axis: t.shape.length }).reshape([...t.shape.slice(0, -1), -1]), [
        ...t.shape.slice(0, -1).map(() => null),
        { step: 2 },
      ]);

describe.each([...new Set(cases.map(([name]) => name))])('%s', (op) => {
  test.each([
    ['dense', (t: Tensor) => t],
    ['transposed', asTransposed],
    ['every second', asEverySecond],
  ] as const)('%s memory', (_, view) => {
    for (const [name, options, dtype, given, result, gradients] of cases.filter(([of]) => of === op)) {
      scope(() => {
        const inputs = given.map((input) => toTensor(input, dtype, view));
        const values = inputs.map((t) => t.dataSync());
        const y = call(name, inputs, options);
        expect(y.shape, JSON.stringify(options)).toEqual(result.s);
        expect(y.dtype).toBe(dtypeOf(result.d ?? dtype));
        /** The inputs at a place of the result; none where sizes differ. */
        const isAligned = inputs.every((t) => t.size === y.size);
        const at = (i: number): readonly number[] => (isAligned ? values.map((v) => v[i] ?? NaN) : []);
        compare(name, 'result', y.dataSync(), numbersOf(result.v), y.dtype, at);
        if (gradients.length === 0) return;
        const floats = inputs.filter((t) => t.dtype.startsWith('float'));
        const of = (...free: Tensor[]): Tensor => {
          let next = 0;
          return call(
            name,
            inputs.map((t) => (floats.includes(t) ? (free[next++] ?? t) : t)),
            options,
          );
        };
        const found = vjp(of, floats, gradus.onesLike(y)).gradients;
        gradients.forEach((want, k) => {
          if (want !== null) compare(name, `gradient ${k}`, found[k]?.dataSync() ?? [], numbersOf(want), dtype, at);
        });
      });
    }
  });
});
