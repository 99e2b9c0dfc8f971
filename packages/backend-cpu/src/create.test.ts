/** The ways code is made, and the seams for tests. */

import { apply, load } from '@gradus/backend';
import type { Backend, Kernel } from '@gradus/backend';
import { afterEach, expect, test, vi } from 'vitest';

import { compute } from '../test/support.ts';
import { LANGUAGE } from './codegen/language.ts';
import { createCpu } from './create.ts';
import { cpu } from './index.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

function sum(device: Backend): number[] {
  return compute(
    device,
    [
      { dtype: 'float32', values: [1, 2] },
      { dtype: 'float32', values: [10, 20] },
    ],
    (a = load('float32', 0), b = a) => apply('add', a, b),
  );
}

/** What `new Function` does under a content-security policy without `unsafe-eval`. */
function forbidCode(): void {
  vi.stubGlobal('Function', function Forbidden() {
    throw new EvalError('Code generation from strings disallowed for this context');
  });
}

test('generates code where it may, interprets where it may not or where asked to', () => {
  expect(sum(cpu())).toEqual([11, 22]);
  expect(sum(cpu({ interpret: true }))).toEqual([11, 22]);
  forbidCode();
  expect(sum(cpu())).toEqual([11, 22]);
  expect(sum(cpu({ interpret: true }))).toEqual([11, 22]);
  expect(() => sum(cpu({ interpret: false }))).toThrow(EvalError);
});

test('a replaced operator and transformed source reach the generated code', () => {
  expect(sum(createCpu({ dialect: { operators: { ...LANGUAGE.operators, add: '$0 - $1' } } }))).toEqual([-9, -18]);
  const seen: Kernel['kind'][] = [];
  const device = createCpu({
    transformSource: (source, kernel) => {
      seen.push(kernel.kind);
      return source.replace(/fround\((\w+) \+/, 'fround($1 *');
    },
  });
  expect(sum(device)).toEqual([10, 40]);
  expect(seen).toEqual(['map']);
});
