/** How elementwise ops are specified: a function of numbers, over a few shapes. */

import { pointwise } from './specification.spec.ts';
import type { InputSpecification, OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

/** An op of one tensor, tried on numbers from `low` to `high`. */
export const unary = (
  name: string,
  run: (x: Tensor) => Tensor,
  f: (x: number) => number,
  low = -3,
  high = 3,
  more: Partial<OpSpecification> = {},
): OpSpecification => ({
  name,
  run: (...inputs) => run(...(inputs as Parameters<typeof run>)),
  reference: pointwise((...values) => f(...(values as Parameters<typeof f>))),
  cases: [[{ dims: [31], low, high }], [{ dims: [2, 5], low, high }], [{ dims: [0], low, high }]],
  tolerance: 4e-6,
  ...more,
});

/** Shapes that broadcast. */
const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[7], [7]],
  [[], [3]],
  [
    [4, 1, 3],
    [5, 1],
  ],
  [[3, 0], [1]],
];

/** An op of two tensors, which broadcast. */
export const binary = (
  name: string,
  run: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  first: Omit<InputSpecification, 'dims'>,
  second: Omit<InputSpecification, 'dims'> = first,
  more: Partial<OpSpecification> = {},
): OpSpecification => ({
  name,
  run: (...inputs) => run(...(inputs as Parameters<typeof run>)),
  reference: pointwise((...values) => f(...(values as Parameters<typeof f>))),
  cases: PAIRS.map(([a, b]) => [
    { dims: a, ...first },
    { dims: b, ...second },
  ]),
  tolerance: 4e-6,
  ...more,
});
