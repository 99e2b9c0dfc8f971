/** Windows by brute force, for the specifications of convolutions and pools. */

import { array } from './specification.spec.ts';
import type { Reference } from './specification.spec.ts';

/** How windows lie, the same along every axis. */
export interface Geometry {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/** Input number `i` of a reference. */
export const input = (inputs: readonly Reference[], i = 0): Reference => {
  const x = inputs[i];
  if (x === undefined) throw new Error('missing input');
  return x;
};

/** Every cell of a window. */
export function cells(size: readonly number[]): number[][] {
  const all: number[][] = [];
  array(size, (index) => {
    all.push([...index]);
    return 0;
  });
  return all;
}

/** Windows along an axis of `size`. */
export const outputSize = (size: number, window: number, { stride = 1, padding = 0, dilation = 1 }: Geometry): number =>
  Math.floor((size + 2 * padding - dilation * (window - 1) - 1) / stride) + 1;
