/**
 * The errors of elementary functions are within what `docs/elementary-functions.md` states. That page is written by this file, from the
 * whole grid and every value of `fixtures/elementary.py`:
 *
 * WRITE_TABLE=1 node_modules/.bin/vitest run --project tensor elementary-functions && node_modules/.bin/prettier --write docs
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import * as gradus from '@gradus/tensor';
import { tensor } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { POINTS, ROWS, largestError } from './elementary-functions.ts';
import type { Row } from './elementary-functions.ts';
import fixtures from './fixtures/elementary.json' with { type: 'json' };
import { ulpsBetween } from './ulps.ts';

const PAGE = new URL('../../../docs/elementary-functions.md', import.meta.url);
/** Of the grid, what is looked at when nothing is written. */
const STEP = 64;

const values: Readonly<Record<string, { readonly x: readonly number[]; readonly y: readonly number[] }>> = fixtures;

/** Functions of the fixtures that gradus has no single name for. */
const OTHERS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  trigamma: (x) => gradus.polygamma(1, x),
  polygamma2: (x) => gradus.polygamma(2, x),
  polygamma3: (x) => gradus.polygamma(3, x),
};
const published = gradus as unknown as Readonly<Record<string, (x: Tensor) => Tensor>>;
/** Crosses 0 where no argument does: in ulps of 1 where it is below 1. */
const ABSOLUTE = new Set(['digamma']);

/** The largest error in float64 on cpu, against values to 40 digits. */
function largestError64(name: string): number {
  const { x = [], y = [] } = values[name] ?? {};
  const f = OTHERS[name] ?? published[name];
  if (f === undefined || x.length === 0) throw new Error(`no function ${name}`);
  const got = f(tensor([...x], { dtype: 'float64' })).dataSync();
  return y.reduce((worst, wanted, i) => {
    const mine = got[i] ?? NaN;
    const found = ABSOLUTE.has(name) && Math.abs(wanted) < 1 ? Math.abs(mine - wanted) / 2 ** -52 : ulpsBetween(mine, wanted, 'float64');
    return Math.max(worst, Number.isNaN(found) ? Infinity : found);
  }, 0);
}

const keyOf = ({ name, from, to, absolute = false }: Row): string => `${name} | ${from} to ${to}${absolute ? ', absolute' : ''}`;
/** One decimal, rounded up. */
const bound = (ulps: number): string => (Math.ceil(ulps * 10) / 10).toFixed(1);

const state: { readonly cpu: Device; wasm: Device | null; page: string } = { cpu: cpu(), wasm: null, page: '' };

function pageOf(onWasm: Device): string {
  const rows = ROWS.map((row) => `| ${keyOf(row)} | ${bound(largestError(row, state.cpu, 1).ulps)} | ${bound(largestError(row, onWasm, 1).ulps)} |`);
  const rows64 = Object.keys(values).map((name) => `| ${name} | ${bound(largestError64(name))} |`);
  return `# Errors of elementary functions

Measured, not derived. \`packages/tensor/test/elementary-functions.test.ts\` writes this page and holds the functions to it; how is said there.

An ulp is the distance between neighbouring floats at the result; 0.5 is the nearest float. *Absolute* rows are in ulps of 1 where the
result is below 1: those functions cross 0 between floats. Below the smallest normal number an ulp is that number's.

## float32

The largest of ${POINTS} points between the bounds, as dense in every power of two, against float64 on cpu. wasm is \`simd: 'plain'\`;
without SIMD its results have equal bits.

| function | arguments | cpu, ulps | wasm, ulps |
|---|---|---|---|
${rows.join('\n')}

## float64

On cpu (wasm has none), against values to 40 digits at some 40 to 200 points each, chosen by \`packages/tensor/test/fixtures/elementary.py\`
from the smallest arguments to the largest and around zeros. digamma is absolute. exp, log, sin, cos, tanh and atan are the engine's own.

| function | ulps |
|---|---|
${rows64.join('\n')}
`;
}

/** The numbers at the end of the line that begins with these cells, in the part for a dtype. */
function statedFor(dtype: 'float32' | 'float64', cells: string): number[] {
  const line = state.page
    .slice(state.page.indexOf(`## ${dtype}`))
    .split('\n')
    .find((text) => text.startsWith(`| ${cells} |`));
  if (line === undefined) throw new Error(`docs/elementary-functions.md says nothing of ${cells}`);
  return line
    .slice(cells.length + 4)
    .split('|')
    .map(Number);
}

beforeAll(async () => {
  state.wasm = await wasm({ simd: 'plain' });
  if (process.env['WRITE_TABLE'] === '1') writeFileSync(PAGE, pageOf(state.wasm));
  // Prettier aligns the columns.
  state.page = readFileSync(PAGE, 'utf8').replaceAll(/ +/g, ' ');
});

describe('errors in float32 are as stated', () => {
  test.each(ROWS.map((row) => [keyOf(row), row] as const))('%s', (key, row) => {
    const [onCpu = 0, onWasm = 0] = statedFor('float32', key);
    const found = [state.cpu, state.wasm ?? state.cpu].map((device) => largestError(row, device, STEP));
    expect(found[0]?.ulps, `at ${found[0]?.at} on cpu`).toBeLessThanOrEqual(onCpu);
    expect(found[1]?.ulps, `at ${found[1]?.at} on wasm`).toBeLessThanOrEqual(onWasm);
  });
});

describe('errors in float64 are as stated', () => {
  test.each(Object.keys(values))('%s', (name) => {
    const [stated = 0] = statedFor('float64', name);
    expect(largestError64(name)).toBeLessThanOrEqual(stated);
    // 1e-14, relative.
    expect(stated).toBeLessThan(45);
  });
});

describe.each(['cpu', 'wasm'])('small arguments on %s', (name) => {
  test('log1p(1e-10) and expm1(1e-10) are within 2 ulp', () => {
    const device = name === 'cpu' ? state.cpu : (state.wasm ?? state.cpu);
    const x = Math.fround(1e-10);
    for (const [f, wanted] of [
      [gradus.log1p, Math.log1p(x)],
      [gradus.expm1, Math.expm1(x)],
    ] as const)
      expect(ulpsBetween(f(tensor([x], { device })).dataSync()[0] ?? NaN, wanted, 'float32')).toBeLessThanOrEqual(2);
  });

  test.each(['sinh', 'asinh', 'atanh', 'log1p', 'expm1', 'erf', 'sin', 'tan', 'asin', 'atan', 'tanh'])(
    '%s of ±0 and denormals is the argument',
    (f) => {
      const device = name === 'cpu' ? state.cpu : (state.wasm ?? state.cpu);
      const x = [0, -0, Math.fround(1e-40), Math.fround(-1e-40)];
      const found = [...(published[f]?.(tensor(x, { device })).dataSync() ?? [])];
      const factor = f === 'erf' ? 2 / Math.sqrt(Math.PI) : 1;
      x.forEach((value, i) => {
        expect(Object.is(found[i], 0)).toBe(Object.is(value, 0));
        expect(Object.is(found[i], -0)).toBe(Object.is(value, -0));
        expect(Math.abs((found[i] ?? NaN) - value * factor)).toBeLessThan(3e-45);
      });
    },
  );

  test('saturating functions saturate', () => {
    const device = name === 'cpu' ? state.cpu : (state.wasm ?? state.cpu);
    const x = tensor([-Infinity, -1e30, -200, 200, 1e30, Infinity], { device });
    const of = (f: (t: Tensor) => Tensor): number[] => [...f(x).dataSync()];
    expect(of(gradus.tanh)).toEqual([-1, -1, -1, 1, 1, 1]);
    expect(of(gradus.sigmoid)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(of(gradus.softplus)).toEqual([0, 0, 0, 200, Math.fround(1e30), Infinity]);
    expect(of(gradus.logSigmoid).map((value) => value + 0)).toEqual([-Infinity, Math.fround(-1e30), -200, 0, 0, 0]);
    expect(of(gradus.erfc)).toEqual([2, 2, 2, 0, 0, 0]);
    for (const f of [gradus.tanh, gradus.sigmoid, gradus.softplus, gradus.logSigmoid, (t: Tensor): Tensor => gradus.elu(t), gradus.mish]) {
      const slopes = gradus.vjp(f, [x], gradus.onesLike(x)).gradients[0];
      expect([...(slopes?.dataSync() ?? [NaN])].slice(1, -1).every((slope) => Number.isFinite(slope))).toBe(true);
    }
  });

  test('erfinv(±1) is ±Infinity, and gamma functions have their poles', () => {
    const device = name === 'cpu' ? state.cpu : (state.wasm ?? state.cpu);
    expect([...gradus.erfinv(tensor([1, -1, 1.5], { device })).dataSync()]).toEqual([Infinity, -Infinity, NaN]);
    expect([...gradus.lgamma(tensor([0, -1, -200, Infinity, -Infinity], { device })).dataSync()]).toEqual(Array.from({ length: 5 }, () => Infinity));
    expect([...gradus.digamma(tensor([0, -0, -3, Infinity], { device })).dataSync()]).toEqual([-Infinity, Infinity, NaN, Infinity]);
    expect([...gradus.polygamma(1, tensor([0, -2, Infinity], { device })).dataSync()]).toEqual([Infinity, Infinity, 0]);
  });
});
