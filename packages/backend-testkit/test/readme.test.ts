/** The README says what is true: its example is the backend that passes the whole kit, its numbers are those of the kit. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { minimalBackend } from './minimal-backend.ts';
import { LEVELS, TOLERANCES, conformance } from '../src/index.ts';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const readme = read('../README.md');

test('the complete backend is test/minimal-backend.ts', () => {
  expect(readme).toContain(read('./minimal-backend.ts'));
});

test('the table of levels has all of them, with as many checks as there are', () => {
  const checks = conformance(minimalBackend);
  const table = readme.slice(readme.indexOf('| level'), readme.indexOf('## Reading'));
  const rows = [...table.matchAll(/^\| `(\w+)` +\| +(\d+) \|/gm)].map(([, level, count]) => `${level} ${count}`);
  expect(rows).toEqual(LEVELS.map((level) => `${level} ${checks.filter((check) => check.level === level).length}`));
});

test('the table of bounds is the kit’s', () => {
  const table = readme.slice(readme.indexOf('| opcode'), readme.indexOf('`sin` and `cos` may'));
  const rows = [...table.matchAll(/^\| (`.*?) +\| +(\d+) \| +(\d+) \| +(\d+) \|/gm)];
  const opcodes = rows.flatMap(([, names = '', float32, float64, half]) =>
    [...names.matchAll(/`(\w+)`/g)].map(([, op]) => ({ op, ulps: [float32, float64, half, half].map(Number) })),
  );
  const stated = Object.entries(TOLERANCES).map(([op, by]) => ({
    op,
    ulps: (['float32', 'float64', 'float16', 'bfloat16'] as const).map((dtype) => by[dtype]?.ulps),
  }));
  const byName = (a: { op?: string | undefined }, b: { op?: string | undefined }): number => String(a.op).localeCompare(String(b.op));
  expect(opcodes.toSorted(byName)).toEqual(stated.toSorted(byName));
});
