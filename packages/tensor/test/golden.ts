/** Golden values: cases that scripts in `fixtures/` write, made into tests. */

import { readFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { scope, tensor, vjp } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { expect, test } from 'vitest';

interface Entry {
  readonly shape: readonly number[];
  /** Numbers; what JSON has none for as text: `nan`, `inf`, `-inf`. */
  readonly data: readonly (number | string)[];
}

/** One case. */
export interface GoldenCase {
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly dtype: 'float32' | 'float64';
  readonly inputs: readonly Entry[];
  readonly result: Entry;
  /** Of the inputs, for the gradient of the result that goes from 0.5 to 1.5 in even steps. */
  readonly gradients?: readonly Entry[];
}

/** How a case is calculated here. */
export type Calls = Readonly<Record<string, (inputs: readonly Tensor[], options: Readonly<Record<string, unknown>>) => Tensor>>;

/** A call with one input, or two, and the case's options. */
export const one =
  <O extends object = GoldenCase['options']>(f: (x: Tensor, options: O) => Tensor): Calls[string] =>
  ([x], options) =>
    f(x as Tensor, options as O);
export const two =
  <O extends object = GoldenCase['options']>(f: (a: Tensor, b: Tensor, options: O) => Tensor): Calls[string] =>
  ([a, b], options) =>
    f(a as Tensor, b as Tensor, options as O);

const device = cpu();
const numberOf = (value: number | string): number =>
  typeof value === 'number' ? value : value === 'nan' ? NaN : value === 'inf' ? Infinity : -Infinity;
const toTensor = ({ shape, data }: Entry, dtype: GoldenCase['dtype']): Tensor => tensor(Float64Array.from(data, numberOf), { shape, dtype, device });

function expectClose(found: Tensor, wanted: Entry, tolerance: number, what: string): void {
  expect(found.shape, what).toEqual(wanted.shape);
  const numbers = wanted.data.map(numberOf);
  const scale = numbers.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
  found.dataSync().forEach((value, i) => {
    const want = numbers[i] ?? NaN;
    const fits = Object.is(value, want) || value === want || Math.abs(value - want) <= tolerance * scale;
    expect(fits, `${what}: element ${i} is ${value}, expected ${want}`).toBe(true);
  });
}

/** A test for every op of `fixtures/<file>.json`; tolerances are relative to the largest number of a tensor, or to 1. */
export function goldenTests(file: string, calls: Calls, tolerances: Readonly<Record<GoldenCase['dtype'], number>>): void {
  const cases = JSON.parse(readFileSync(new URL(`fixtures/${file}.json`, import.meta.url), 'utf8')) as GoldenCase[];
  const ops = [...new Set(cases.map(({ op }) => op))];

  test.each(ops)('%s is PyTorch’s', (op) => {
    const call = calls[op];
    if (call === undefined) throw new Error(`no call for ${op}`);
    for (const each of cases.filter((c) => c.op === op)) {
      const what = `${op} ${JSON.stringify(each.options)} of ${each.inputs.map(({ shape }) => `[${shape.join()}]`).join(', ')} in ${each.dtype}`;
      const tolerance = tolerances[each.dtype];
      scope(() => {
        const inputs = each.inputs.map((entry) => toTensor(entry, each.dtype));
        const result = call(inputs, each.options);
        expectClose(result, each.result, tolerance, what);
        if (each.gradients === undefined) return;
        const size = result.size;
        const weights = Float64Array.from({ length: size }, (_, i) => (size === 1 ? 0.5 : 0.5 + i / (size - 1)));
        const cotangent = tensor(weights, { shape: result.shape, dtype: each.dtype, device });
        const { gradients } = vjp((...free: Tensor[]) => call(free, each.options), inputs, cotangent);
        gradients.forEach((g, i) => expectClose(g, each.gradients?.[i] ?? { shape: [], data: [] }, tolerance, `gradient ${i} of ${what}`));
      });
    }
  });
}
