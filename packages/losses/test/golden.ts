/** Golden values that scripts in `fixtures/` write, made into tests: in float64 on cpu, in float32 on wasm, plain and compiled. */

import { readFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { compile, data, scope, tensor, vjp } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

interface Entry {
  /** Shape. */
  readonly s: readonly number[];
  /** Numbers; what JSON has none for as text. */
  readonly v: readonly (number | string)[];
  /** A float of the test's dtype unless given. */
  readonly d?: 'int32' | 'bool';
}

interface GoldenCase {
  readonly op: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** Options that are tensors. */
  readonly tensors?: Readonly<Record<string, Entry>>;
  readonly inputs: readonly Entry[];
  readonly result: Entry;
  /** By place among the inputs, for the gradient of the result that goes from 0.5 to 1.5 in even steps. */
  readonly gradients?: Readonly<Record<string, Entry>>;
}

/** How a case is calculated here. */
export type Call = (inputs: readonly Tensor[], options: Readonly<Record<string, unknown>>) => Tensor;

type FloatDType = 'float32' | 'float64';

const numberOf = (value: number | string): number => Number(value === 'nan' ? NaN : String(value).replace('inf', 'Infinity'));

function toTensor({ s, v, d }: Entry, dtype: FloatDType, device: Device): Tensor {
  return tensor(Float64Array.from(v, numberOf), { shape: s, dtype: d ?? dtype, device });
}

function expectClose(found: ArrayLike<number>, wanted: Entry, tolerance: number, what: string): void {
  const numbers = wanted.v.map(numberOf);
  const scale = numbers.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1);
  expect(found.length, what).toBe(numbers.length);
  numbers.forEach((want, i) => {
    const value = found[i] ?? NaN;
    const fits = Object.is(value, want) || value === want || Math.abs(value - want) <= tolerance * scale;
    expect(fits, `${what}: element ${i} is ${value}, expected ${want}`).toBe(true);
  });
}

/** The loss and the gradients of a case, by one function of its tensors that `compile` takes as well. */
function calculated(
  each: GoldenCase,
  call: Call,
  dtype: FloatDType,
  device: Device,
  run: (f: (...x: Tensor[]) => Tensor[]) => (...x: Tensor[]) => Tensor[],
): readonly Tensor[] {
  const inputs = each.inputs.map((entry) => toTensor(entry, dtype, device));
  const named = Object.entries(each.tensors ?? {}).map(([name, entry]) => [name, toTensor(entry, dtype, device)] as const);
  const places = Object.keys(each.gradients ?? {}).map(Number);
  const size = each.result.v.length;
  const ramp = Float64Array.from({ length: size }, (_, i) => (size === 1 ? 0.5 : 0.5 + i / (size - 1)));
  const cotangent = tensor(ramp, { shape: each.result.s, dtype, device });
  const f = (...all: Tensor[]): Tensor[] => {
    const options = { ...each.options, ...Object.fromEntries(named.map(([name], i) => [name, all[inputs.length + i]])) };
    const free = (...chosen: Tensor[]): Tensor => {
      const given = all.slice(0, inputs.length).map((x, i) => chosen[places.indexOf(i)] ?? x);
      return call(given, options);
    };
    if (places.length === 0) return [free()];
    const { value, gradients } = vjp(
      free,
      places.map((i) => all[i] as Tensor),
      all.at(-1) as Tensor,
    );
    return [value, ...gradients];
  };
  return run(f)(...inputs, ...named.map(([, t]) => t), cotangent);
}

/** Tests for every op of `fixtures/<file>.json`: relative to the largest number of a tensor, or to 1. */
export async function goldenTests(file: string, calls: Readonly<Record<string, Call>>): Promise<void> {
  const cases = JSON.parse(readFileSync(new URL(`fixtures/${file}.json`, import.meta.url), 'utf8')) as GoldenCase[];
  const ops = [...new Set(cases.map(({ op }) => op))];
  const nameOf = ({ op, options, tensors = {}, inputs }: GoldenCase): string =>
    `${op} ${JSON.stringify(options)} ${Object.keys(tensors).join(' ')} of ${inputs.map(({ s }) => `[${s.join()}]`).join(', ')}`;

  describe.each([
    { name: 'cpu', device: cpu(), dtype: 'float64', tolerance: 1e-10 },
    { name: 'wasm', device: await wasm(), dtype: 'float32', tolerance: 1e-5 },
  ] as const)('$dtype on $name', ({ device, dtype, tolerance }) => {
    test.each(ops)('%s', async (op) => {
      const call = calls[op];
      if (call === undefined) throw new Error(`no call for ${op}`);
      for (const each of cases.filter((c) => c.op === op)) {
        const what = nameOf(each);
        await scope(async () => {
          const plain = calculated(each, call, dtype, device, (f) => f);
          expect(plain[0]?.shape, what).toEqual(each.result.s);
          expect(plain[0]?.dtype, what).toBe(dtype);
          const wanted = [each.result, ...Object.values(each.gradients ?? {})];
          const found = await Promise.all(plain.map((t) => data(t)));
          wanted.forEach((entry, i) => expectClose(found[i] ?? [], entry, tolerance, i === 0 ? what : `gradient ${i} of ${what}`));
          const compiled = calculated(each, call, dtype, device, (f) => compile(f));
          const again = await Promise.all(compiled.map((t) => data(t)));
          expect(again, `compiled ${what}`).toEqual(found);
        });
      }
    });
  });
}
