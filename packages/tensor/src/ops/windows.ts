/** What convolutions and pools share: window geometry, and its index arithmetic for decompositions. */

import { apply, axisIndex, cast, constant, scalar, where as select } from '@gradus/backend';
import type { Expression, Window } from '@gradus/backend';
import { ArgumentError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import type { Dims } from '../tensor.ts';
import { showValue } from '../values.ts';

/** One number for all spatial axes, or one each. */
export type PerAxis = number | readonly number[];

/** Spreads a number over the spatial axes and checks it. @throws ArgumentError */
export function perAxis(op: string, name: string, value: PerAxis, rank: number, least: number): readonly number[] {
  const list = typeof value === 'number' ? Array.from({ length: rank }, () => value) : value;
  if (!Array.isArray(list) || list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least))
    throw new ArgumentError({ op, expected: `${name}: a whole number of at least ${least}, or ${rank} of them`, got: showValue(value) });
  return list;
}

/** Output size along each spatial axis; `ceil` counts a last window that starts inside the input or its left padding. @throws ShapeError */
export function outputSizes(op: string, input: Dims, window: Window, ceil = false): number[] {
  return input.map((size, i) => {
    const stride = window.stride[i] ?? 1;
    const padding = window.padding[i] ?? 0;
    const reach = ((window.size[i] ?? 1) - 1) * (window.dilation[i] ?? 1) + 1;
    const room = size + 2 * padding - reach;
    let count = (ceil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    if (ceil && (count - 1) * stride >= size + padding) count--;
    if (count < 1)
      throw new ShapeError({
        op,
        expected: `windows that fit: ${reach} cells in ${size} + 2 · ${padding}`,
        got: `spatial sizes ${showDims(input)}`,
        fix: 'use a smaller window or more padding.',
      });
    return count;
  });
}

/** Numbers passed to a decomposed kernel as int32 scalars after the kernel's own, so that sizes stay out of its structure. */
export class SizeArguments {
  readonly values: number[] = [];
  readonly #first: number;

  constructor(first: number) {
    this.#first = first;
  }

  /** The scalar argument that holds `value`. */
  of(value: number): Expression {
    const found = this.values.indexOf(value);
    return scalar('int32', this.#first + (found >= 0 ? found : this.values.push(value) - 1));
  }
}

const times = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
export const plus = (a: Expression, b: Expression): Expression => apply('add', a, b);
const minus = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
export const both = (a: Expression, b: Expression): Expression => apply('and', a, b);
export const int = (value: number): Expression => constant('int32', value);
export const TRUE: Expression = /* @__PURE__ */ cast(/* @__PURE__ */ constant('int32', 1), 'bool');

/** Is `i` in `[0, size)`? */
export function within(i: Expression, size: Expression): Expression {
  return both(apply('lessEqual', int(0), i), apply('less', i, size));
}

/** The row-major position of coordinates in a grid of these sizes. */
export function flatPosition(coordinates: readonly Expression[], sizes: readonly number[], args: SizeArguments): Expression {
  let position: Expression | null = null;
  coordinates.forEach((c, i) => {
    position = position === null ? c : plus(times(position, args.of(sizes[i] ?? 1)), c);
  });
  return position ?? int(0);
}

/** `position` where `inside`, else -1, which gathers the fill. */
export function guarded(position: Expression, inside: Expression): Expression {
  return select(inside, position, int(-1));
}

/** Where window cell `cell` of output `out` lies in the input along spatial axis `i`. */
export function inputCoordinate(window: Window, i: number, out: Expression, cell: Expression): Expression {
  return minus(plus(times(out, int(window.stride[i] ?? 1)), times(cell, int(window.dilation[i] ?? 1))), int(window.padding[i] ?? 0));
}

/** Which output has input coordinate `at` in its window cell `cell`, along spatial axis `i`; `valid` is false where none has. */
export function outputCoordinate(
  window: Window,
  i: number,
  at: Expression,
  cell: Expression,
  outputs: Expression,
): { readonly out: Expression; readonly valid: Expression } {
  const moved = minus(plus(at, int(window.padding[i] ?? 0)), times(cell, int(window.dilation[i] ?? 1)));
  const stride = int(window.stride[i] ?? 1);
  const out = apply('divide', moved, stride);
  const whole = apply('equal', apply('remainder', moved, stride), int(0));
  return { out, valid: both(whole, both(apply('lessEqual', int(0), moved), apply('less', out, outputs))) };
}

/** Coordinates `from`, `from + 1`, … of the index space. */
export function axesFrom(from: number, count: number): Expression[] {
  return Array.from({ length: count }, (_, i) => axisIndex(from + i));
}
