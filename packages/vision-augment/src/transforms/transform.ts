/**
 * Transforms: what draws operations. A transform looks at the size of the image and at a stream of random numbers, never at pixels, and
 * returns plain JSON. Parameters of transforms are ranges: a number means exactly that, a pair a number drawn evenly between the two.
 */

import { requireWithin } from '../ranges.ts';
import { AugmentError } from '../errors.ts';
import type { Image } from '../image.ts';
import type { Operation } from '../operations.ts';
import type { Stream } from '../random.ts';

/** What a transform knows of a sample. */
export type Geometry = Omit<Image, 'data'>;

/** Draws operations for a sample. Write your own as an object with `draw`; it must be a function of its arguments alone. */
export interface Transform {
  draw(stream: Stream, geometry: Geometry): readonly Operation[];
}

/** A number, or the two ends of a range to draw from. */
export type Range = number | readonly [from: number, to: number];

/** What most transforms take. */
export interface TransformOptions {
  /** How often it happens, from 0 to 1; default 1: always. */
  readonly p?: number;
}

/** A transform that happens with probability `p`. @throws AugmentError for a probability outside 0 to 1 */
export function withProbability(op: string, { p = 1 }: TransformOptions, draw: Transform['draw']): Transform {
  requireWithin(op, 'probability p', p, 0, 1);
  return { draw: (stream, geometry) => (p < 1 && stream.uniform() >= p ? [] : draw(stream, geometry)) };
}

/** @throws AugmentError for a range with an end outside `low` to `high`, or with its ends the wrong way round */
export function requireRange(op: string, name: string, range: Range, low = -Infinity, high = Infinity): void {
  for (const end of typeof range === 'number' ? [range] : range) requireWithin(op, name, end, low, high);
  if (typeof range === 'number' || (range.length === 2 && range[0] <= range[1])) return;
  throw new AugmentError({ op, expected: `${name} as a number or as [from, to] with from ≤ to`, got: `[${range.join(', ')}]` });
}
