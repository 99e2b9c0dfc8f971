/** Twenty steps of every optimizer against PyTorch, or the paper's formula: `fixtures/optimizers.py` says which. */

import { readFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { compile, memory, scope, setDefaultDevice, tensor } from '@gradus/tensor';
import type { Device } from '@gradus/tensor';
import { afterEach, describe, expect, test } from 'vitest';
import { orthogonalized } from '../src/index.ts';
import type { ScheduleFreeAdamW, ScheduleFreeSGD } from '../src/index.ts';
import { RULES, problem } from './rules.ts';
import type { Problem } from './rules.ts';

interface Case {
  readonly rule: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, readonly number[]>>;
  readonly evaluated?: readonly number[];
}

interface Fixture {
  readonly start: readonly (readonly number[])[];
  readonly curvature: readonly (readonly number[])[];
  readonly cases: readonly Case[];
  readonly newtonSchulz: readonly number[];
}

const host = cpu();
const STEPS = 20;
const FLAT_STEPS = 1000;
const { start, curvature, cases, newtonSchulz } = JSON.parse(readFileSync(new URL('fixtures/optimizers.json', import.meta.url), 'utf8')) as Fixture;
const named = cases.map((each) => ({ ...each, name: `${each.rule} ${JSON.stringify(each.options)}` }));
const devices: readonly [string, 'float32' | 'float64', number, () => Promise<Device>][] = [
  ['cpu', 'float64', 1e-10, () => Promise.resolve(cpu())],
  ['wasm', 'float32', 1e-5, () => wasm()],
];

/** The matrix alone for rules that take no vectors. */
const problemOf = ({ rule }: Case, dtype: 'float32' | 'float64', device: Device): Problem =>
  rule === 'Muon' ? problem(start.slice(0, 1), curvature.slice(0, 1), dtype, device) : problem(start, curvature, dtype, device);

function make(each: Case, { parameters }: Problem): ReturnType<(typeof RULES)[string]> {
  const rule = RULES[each.rule];
  if (rule === undefined) throw new Error(`no rule ${each.rule}`);
  return rule(parameters, each.options as never);
}

/** @throws where the largest difference is not below the bound, relative to values above 1 */
function expectClose(values: readonly number[], expected: readonly number[], bound: number): void {
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => {
    const wanted = expected[i] ?? NaN;
    expect(Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)), `${value} for ${wanted}`).toBeLessThan(bound);
  });
}

afterEach(() => setDefaultDevice(host));

test('the fixtures have every rule', () => {
  expect([...new Set(cases.map(({ rule }) => rule))].toSorted()).toEqual(Object.keys(RULES).toSorted());
});

describe.each(devices)('on %s', (_, dtype, bound, open) => {
  test.each(named)('$name', async (each) => {
    const device = await open();
    const own = problemOf(each, dtype, device);
    const optimizer = make(each, own);
    for (let t = 1; t <= STEPS; t++) {
      scope(() => optimizer.minimize(own.loss()));
      const expected = each.values[t];
      if (expected !== undefined) expectClose(own.values(), expected, bound);
    }
    if (each.evaluated === undefined) return;
    const free = optimizer as unknown as ScheduleFreeSGD | ScheduleFreeAdamW;
    free.eval();
    expectClose(own.values(), each.evaluated, bound * 10);
    expect(() => free.minimize(own.loss())).toThrow('expected to be in training, got a step after eval(). Fix: call optimizer.train() before.');
    free.train();
    expectClose(own.values(), each.values[STEPS] ?? [], bound * 10);
  });

  test.each(named)('compiled, $name is itself to the bit', async (each) => {
    const device = await open();
    setDefaultDevice(device);
    const [plain, other] = [problemOf(each, dtype, device), problemOf(each, dtype, device)];
    const [a, b] = [make(each, plain), make(each, other)];
    const step = compile(() => b.minimize(other.loss()));
    for (let t = 1; t <= STEPS; t++) {
      scope(() => a.minimize(plain.loss()));
      step();
      expect(other.values()).toEqual(plain.values());
    }
    expect(step.statistics.uncompiled).toBe(0);
  });
});

test.each(devices)('live bytes are flat over 1,000 steps on %s', async (_, dtype, __, open) => {
  const device = await open();
  for (const rule of Object.keys(RULES)) {
    const each = named.findLast((one) => one.rule === rule) as Case;
    const own = problemOf(each, dtype, device);
    using optimizer = make(each, own);
    const live = new Set<number>();
    for (let t = 1; t <= FLAT_STEPS; t++) {
      scope(() => optimizer.minimize(own.loss()));
      if (t > 10 && t % 100 === 0) live.add(memory().liveBytes);
    }
    expect([rule, live.size]).toEqual([rule, 1]);
  }
});

test('orthogonalized gives the values of Newton-Schulz in float64', () => {
  const x = tensor(new Float64Array([1, 2, 3, 4, 5, 6]), { shape: [2, 3] });
  expectClose([...orthogonalized(x).dataSync()].map(Number), newtonSchulz, 1e-12);
  expectClose([...orthogonalized(x.transpose()).transpose().copy().dataSync()].map(Number), newtonSchulz, 1e-12);
});
