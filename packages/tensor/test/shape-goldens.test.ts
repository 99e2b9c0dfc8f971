/**
 * Shape, index, order and contraction ops against PyTorch's numbers, forward and gradients: the cases of `fixtures/shapes.json`, which
 * `fixtures/shapes.py` writes.
 */

import { readFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import * as g from '@gradus/tensor';
import { tensor, vjp } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

type Values = readonly (number | string)[];
type Packed = readonly [dtype: DType, shape: readonly number[], values: Values, view?: 't' | 's'];
type Case = readonly [
  op: string,
  inputs: readonly Packed[],
  args: readonly unknown[],
  outputs: readonly Packed[],
  gradients: readonly Packed[] | null,
];
type Results = readonly Tensor[];

const cases = JSON.parse(readFileSync(new URL('fixtures/shapes.json', import.meta.url), 'utf8')) as readonly Case[];
const device = cpu();

const numbers = (values: Values): number[] => values.map(Number);

/** Relative to the largest of a sum's terms, which are at most some hundred. */
const TOLERANCE: Readonly<Partial<Record<DType, number>>> = { float64: 1e-13, float32: 3e-6, float16: 2e-3, bfloat16: 2e-2 };

function input([dtype, shape, values, view]: Packed): Tensor {
  const base = tensor(numbers(values), { dtype, shape, device });
  if (view === 't') return g.transpose(base, 0, -1);
  return view === 's' ? g.slice(base, [...shape.slice(1).map(() => null), { step: 2 }]) : base;
}

function check(found: Tensor, [dtype, shape, values]: Packed, what: string): void {
  expect([what, found.dtype, found.shape]).toEqual([what, dtype, shape]);
  const wanted = numbers(values);
  const tolerance = TOLERANCE[dtype] ?? 0;
  const scale = wanted.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1);
  [...found.dataSync()].forEach((value, i) => {
    const want = wanted[i] ?? NaN;
    const fits = Object.is(value, want) || value === want || Math.abs(value - want) <= tolerance * scale;
    expect(fits, `${what}: element ${i} is ${value}, expected ${want}`).toBe(true);
  });
}

const parts = (t: Tensor[], list: unknown): g.Subscript[] =>
  (list as readonly (number | string | null | { input?: number })[]).map((part) =>
    typeof part === 'object' && part?.input !== undefined ? (t[part.input] as Tensor) : (part as g.Subscript),
  );

/** Calls whose arguments are not those of the function as they stand in the file. */
const special: Readonly<Record<string, (t: Tensor[], args: readonly unknown[]) => unknown>> = {
  meshgrid: (t, [options]) => g.meshgrid(t, options as g.MeshgridOptions),
  chainMatmul: (t) => g.chainMatmul(t),
  concatenate: (t) => g.concatenate(t),
  einsum: (t, [equation]) => g.einsum(equation as string, ...t),
  scatterValue: ([x, i], [value, options]) => g.scatter(x as Tensor, i as Tensor, value as number, options as { axis: number }),
  indexFillValue: ([x, i], [value, options]) => g.indexFill(x as Tensor, i as Tensor, value as number, options as { axis: number }),
  maskedFillValue: ([x, m], [value]) => g.maskedFill(x as Tensor, m as Tensor, value as number),
  histogramEdges: ([x, e]) => g.histogram(x as Tensor, e as Tensor),
  bilinear: ([x, z, w, b]) => g.bilinear(x as Tensor, z as Tensor, w as Tensor, { bias: b as Tensor }),
  bincount: ([x, w], [options]) => g.bincount(x as Tensor, { ...(options as object), ...(w && { weights: w }) }),
  cdist: ([a, b], [options]) => g.cdist(a as Tensor, b as Tensor, { p: Number((options as { p?: number | string }).p ?? 2) }),
  linspace: (_, [a, b, n, options]) => g.linspace(a as number, b as number, n as number, options as object),
  logspace: (_, [a, b, n, options]) => g.logspace(a as number, b as number, n as number, options as object),
  index: (t, [list]) => g.index(t[0] as Tensor, parts(t, list)),
  indexMasked: (t, [list]) => g.indexMasked(t[0] as Tensor, parts(t, list)),
  indexPut: (t, [list, options]) => g.indexPut(t[0] as Tensor, parts(t, list), t[1] as Tensor, options as object),
};

function call(op: string, t: Tensor[], args: readonly unknown[]): unknown {
  const plain = (g as unknown as Readonly<Record<string, (...a: readonly unknown[]) => unknown>>)[op];
  const own = special[op];
  if (own === undefined && plain === undefined) throw new Error(`no op ${op}`);
  return own === undefined ? plain?.(...t, ...args) : own(t, args);
}

const listOf = (result: unknown): Results =>
  g.isTensor(result) ? [result] : Array.isArray(result) ? (result as Tensor[]) : Object.values(result as Record<string, Tensor>);

const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

/** Results and gradients of the first, from the starting gradient that the script has. */
async function run([op, inputs, args, outputs, gradients]: Case, at: number): Promise<void> {
  const what = `case ${at}, ${op} ${JSON.stringify(args)}`;
  const given = inputs.map(input);
  const found = listOf(await call(op, given, args));
  expect(found.length, what).toBeGreaterThanOrEqual(outputs.length);
  outputs.forEach((packed, i) => check(found[i] as Tensor, packed, `${what}, result ${i}`));
  const [first] = outputs;
  if (gradients === null || first === undefined) return;
  const [dtype, shape] = first;
  const size = shape.reduce((n, d) => n * d, 1);
  const cotangent = tensor(
    Array.from({ length: size }, (_, i) => (((i * 7) % 11) - 5) / 4),
    { dtype, shape, device },
  );
  const floats = given.filter((t) => isFloat(t.dtype));
  const backward = (f: (...free: Tensor[]) => Tensor): void => {
    vjp(f, floats, cotangent).gradients.forEach((gradient, i) => check(gradient, gradients[i] as Packed, `${what}, gradient ${i}`));
  };
  const result = (free: Tensor[]): unknown =>
    call(
      op,
      given.map((t) => free[floats.indexOf(t)] ?? t),
      args,
    );
  if (!ASYNCHRONOUS.has(op)) return backward((...free) => listOf(result(free))[0] as Tensor);
  // What waits for values differentiates by the tape.
  const leaves = given.map((t) => (isFloat(t.dtype) ? t.detach() : t));
  for (const leaf of leaves) if (isFloat(leaf.dtype)) leaf.requiresGrad = true;
  const [output] = listOf(await call(op, leaves, args));
  output?.backward({ gradient: cotangent });
  leaves.filter((t) => isFloat(t.dtype)).forEach((t, i) => check(t.grad as Tensor, gradients[i] as Packed, `${what}, gradient ${i}`));
}

const ASYNCHRONOUS: ReadonlySet<string> = new Set(['indexMasked', 'maskedSelect', 'unique', 'bincount']);

const ops = [...new Set(cases.map(([op]) => op))];

describe('PyTorch’s numbers', () => {
  test.each(ops)('%s', async (op) => {
    for (const [at, each] of cases.entries()) if (each[0] === op) await run(each, at);
  });
});
