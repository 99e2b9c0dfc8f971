/** Specifications of arithmetic, comparisons, logic and selection. */

import * as ops from './arithmetic.ts';
import { pointwise } from './specification.spec.ts';
import type { InputSpecification, OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

/** Pairs of shapes that broadcast in every way, tails included. */
const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[5], [5]],
  [[], [3]],
  [
    [2, 3],
    [2, 3],
  ],
  [
    [4, 1, 3],
    [5, 1],
  ],
  [[1], [2, 1, 2]],
  [[3, 0], [1]],
];

const pairs = (low: number, high: number, second: Partial<InputSpecification> = {}): OpSpecification['cases'] =>
  PAIRS.map(([a, b]) => [
    { dims: a, low, high },
    { dims: b, low, high, ...second },
  ]);

const binary = (
  name: string,
  run: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  cases = pairs(-2, 2),
  more: Partial<OpSpecification> = {},
): OpSpecification => ({
  name,
  run: (...inputs) => run(...(inputs as Parameters<typeof run>)),
  reference: pointwise((...values) => f(...(values as Parameters<typeof f>))),
  cases,
  ...more,
});

const comparison = (name: string, run: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => boolean): OpSpecification =>
  binary(name, run, (a, b) => Number(f(a, b)), pairs(0, 3, { whole: false }), { differentiable: false });

const unary = (
  name: string,
  run: (x: Tensor) => Tensor,
  f: (x: number) => number,
  low = -2,
  high = 2,
  more: Partial<OpSpecification> = {},
): OpSpecification => ({
  name,
  run: (...inputs) => run(...(inputs as Parameters<typeof run>)),
  reference: pointwise((...values) => f(...(values as Parameters<typeof f>))),
  cases: [[{ dims: [7], low, high }], [{ dims: [2, 3], low, high }], [{ dims: [], low, high }]],
  ...more,
});

export const specifications: readonly OpSpecification[] = [
  binary('add', ops.add, (a, b) => a + b),
  binary('sub', ops.sub, (a, b) => a - b),
  binary('mul', ops.mul, (a, b) => a * b),
  binary('div', ops.div, (a, b) => a / b, pairs(0.5, 2)),
  binary('pow', ops.pow, (a, b) => a ** b, pairs(0.5, 2), { tolerance: 5e-6 }),
  binary('maximum', ops.maximum, (a, b) => Math.max(a, b)),
  binary('minimum', ops.minimum, (a, b) => Math.min(a, b)),
  binary('remainder', ops.remainder, (a, b) => a - Math.floor(a / b) * b, pairs(0.6, 2.9), { tolerance: 1e-5 }),
  binary('floorDiv', ops.floorDiv, (a, b) => Math.floor(a / b), pairs(0.6, 9), { differentiable: false }),
  comparison('equal', ops.equal, (a, b) => a === b),
  comparison('notEqual', ops.notEqual, (a, b) => a !== b),
  comparison('less', ops.less, (a, b) => a < b),
  comparison('lessEqual', ops.lessEqual, (a, b) => a <= b),
  comparison('greater', ops.greater, (a, b) => a > b),
  comparison('greaterEqual', ops.greaterEqual, (a, b) => a >= b),
  comparison('logicalAnd', ops.logicalAnd, (a, b) => a !== 0 && b !== 0),
  comparison('logicalOr', ops.logicalOr, (a, b) => a !== 0 || b !== 0),
  comparison('logicalXor', ops.logicalXor, (a, b) => (a !== 0) !== (b !== 0)),
  unary('logicalNot', ops.logicalNot, (x) => Number(x === 0), -2, 2, { differentiable: false }),
  unary('isNaN', ops.isNaN, (x) => Number(Number.isNaN(x)), -2, 2, { differentiable: false }),
  unary('neg', ops.neg, (x) => -x),
  unary('abs', ops.abs, Math.abs),
  unary('square', ops.square, (x) => x * x),
  unary('sign', ops.sign, Math.sign, -2, 2, { differentiable: false }),
  unary(
    'clamp',
    (x: Tensor) => ops.clamp(x, { min: -0.5, max: 1 }),
    (x) => Math.min(Math.max(x, -0.5), 1),
  ),
  {
    name: 'where',
    run: (condition, a, b) => ops.where(ops.greater(condition, 0), a, b),
    reference: pointwise((c, a, b) => ((c ?? 0) > 0 ? (a ?? 0) : (b ?? 0))),
    cases: [
      [
        { dims: [2, 3], low: -1, high: 1, whole: true },
        { dims: [3], low: -1, high: 1 },
        { dims: [2, 1], low: -1, high: 1 },
      ],
    ],
  },
];
