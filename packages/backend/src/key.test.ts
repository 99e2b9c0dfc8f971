/** Cache keys: equal for kernels that share code, different for all others. */

import { expect, test } from 'vitest';
import { accumulator, apply, constant, gather, load, scalar } from './expression.ts';
import type { Expression } from './expression.ts';
import { kernelKey } from './key.ts';
import type { Kernel, MapKernel, Operand, ReduceKernel, ScatterKernel } from './kernel.ts';

const operand = (more: Partial<Operand> = {}): Operand => ({ dtype: 'float32', access: 'read', layout: 'contiguous', space: 'full', ...more });

/** Built anew each time. */
const map = (value: Expression = apply('add', load('float32', 0), scalar('float32', 0)), more: Partial<MapKernel> = {}): MapKernel => ({
  kind: 'map',
  rank: 2,
  operands: [operand(), operand({ access: 'write' })],
  scalars: ['float32'],
  outputs: [{ operand: 1, value }],
  ...more,
});
const reduce = (more: Partial<ReduceKernel> = {}): ReduceKernel => ({
  kind: 'reduce',
  rank: 2,
  folded: 1,
  folds: [{ fold: 'sum', value: load('float32', 0) }],
  operands: [operand(), operand({ access: 'write', space: 'kept' })],
  scalars: [],
  outputs: [{ operand: 1, value: accumulator('float32') }],
  ...more,
});
const scatter = (more: Partial<ScatterKernel> = {}): ScatterKernel => ({
  kind: 'scatter',
  rank: 1,
  mode: 'add',
  target: 0,
  operands: [operand({ access: 'readWrite', layout: 'indexed' }), operand({ dtype: 'int32' }), operand()],
  scalars: [],
  position: load('int32', 1),
  value: load('float32', 2),
  deterministic: true,
  ...more,
});

test('kernels that are built alike have one key', () => {
  expect(kernelKey(map())).toBe(kernelKey(map()));
  expect(kernelKey(reduce())).toBe(kernelKey(reduce()));
  expect(kernelKey(scatter())).toBe(kernelKey(scatter()));
});

test('whatever decides what a kernel computes is in its key', () => {
  const x = load('float32', 0);
  const position = constant('int32', 1);
  const second = operand({ access: 'write' });
  const different: readonly Kernel[] = [
    map(),
    map(undefined, { rank: 3 }),
    map(undefined, { scalars: ['float32', 'float32'] }),
    map(undefined, { operands: [operand({ layout: 'strided' }), second] }),
    map(undefined, { operands: [operand({ layout: { broadcast: [false, true] } }), second] }),
    map(undefined, { operands: [operand({ layout: { broadcast: [true, false] } }), second] }),
    map(undefined, { operands: [operand(), operand({ access: 'readWrite' })] }),
    map(undefined, { operands: [operand({ dtype: 'int32' }), second] }),
    map(x),
    map(load('float32', 1)),
    map(constant('float32', 0)),
    map(constant('float32', -0)),
    map(constant('float32', NaN)),
    map(constant('float64', 0)),
    map(apply('add', x, x)),
    map(apply('multiply', x, x)),
    map(apply('subtract', x, constant('float32', 1))),
    map(apply('subtract', constant('float32', 1), x)),
    map(scalar('float32', 1)),
    map(gather('float32', 0, position)),
    map(gather('float32', 0, position, 1)),
    map(gather('float32', 0, position, -0)),
    map(gather('float32', 0, constant('int32', 2))),
    reduce(),
    reduce({ folded: 2 }),
    reduce({ folds: [{ fold: 'max', value: x }] }),
    reduce({ folds: [{ fold: 'sum', value: apply('abs', x) }] }),
    reduce({ outputs: [{ operand: 1, value: apply('negate', accumulator('float32')) }] }),
    reduce({ operands: [operand({ space: 'kept' }), operand({ access: 'write', space: 'kept' })] }),
    scatter(),
    scatter({ mode: 'set' }),
    scatter({ deterministic: false }),
    scatter({ position: constant('int32', 0) }),
    scatter({ value: constant('float32', 0) }),
    { kind: 'scan', fold: 'sum', exclusive: false, reverse: false, operands: [], scalars: [] },
    { kind: 'scan', fold: 'sum', exclusive: false, reverse: true, operands: [], scalars: [] },
  ];
  expect(new Set(different.map(kernelKey)).size).toBe(different.length);
});

test('outputs that exchange their values have another key', () => {
  const operands = [operand(), operand({ access: 'write' }), operand({ access: 'write' })];
  const [a, b] = [load('float32', 0), apply('abs', load('float32', 0))];
  const pair = (first: Expression, second: Expression): MapKernel =>
    map(undefined, {
      operands,
      outputs: [
        { operand: 1, value: first },
        { operand: 2, value: second },
      ],
    });
  expect(kernelKey(pair(a, b))).not.toBe(kernelKey(pair(b, a)));
});

test('the key of a graph that doubles forty times is short', () => {
  let e: Expression = load('float32', 0);
  for (let i = 0; i < 40; i++) e = apply('add', e, e);
  expect(kernelKey(map(e)).length).toBeLessThan(2000);
});

test('the sources of a custom kernel may have any name', () => {
  const custom = (sources: Readonly<Record<string, string>>): Kernel => ({ kind: 'custom', id: 'mine', sources, operands: [], scalars: [] });
  const keys = [custom({ value: 'a' }), custom({ value: 'b' }), custom({ position: 'a' }), custom({ operands: 'a' }), custom({})].map(kernelKey);
  expect(new Set(keys).size).toBe(5);
});
