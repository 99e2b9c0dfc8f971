/** Errors of functions of float32 against float64. */

import { SMALLEST_NORMAL, isDenormal, text } from './arguments.ts';

/** What a result past the largest counts as: the next power of two. */
const PAST_LARGEST = 2 ** 128;

/** The largest errors that were found. */
export interface Errors {
  /** In units in the last place of the exact result. */
  readonly ulps: number;
  readonly absolute: number;
  /** Results that are NaN where they should not be, or the other way round; or zeros of the wrong sign. Descriptions, at most a few. */
  readonly wrong: readonly string[];
}

function unitInLastPlace(size: number): number {
  return 2 ** (Math.floor(Math.log2(Math.min(Math.max(size, SMALLEST_NORMAL), PAST_LARGEST / 2))) - 23);
}

const clamped = (x: number): number => Math.min(Math.max(x, -PAST_LARGEST), PAST_LARGEST);

/** Compares `actual` with `exact`, element by element; zeros may stand for denormal results. `name` names an argument. */
export function errorsOf(actual: ArrayLike<number>, exact: (i: number) => number, name: (i: number) => string): Errors {
  let [ulps, absolute] = [0, 0];
  const wrong: string[] = [];
  for (let i = 0; i < actual.length; i++) {
    const got = actual[i] ?? NaN;
    const wanted = exact(i);
    if (isDenormal(wanted) && got === 0) continue;
    const signs = wanted !== 0 || got !== 0 || Object.is(got, wanted);
    if (Number.isNaN(got) !== Number.isNaN(wanted) || !signs) {
      if (wrong.length < 5) wrong.push(`${name(i)}: ${text(got)}, exactly ${text(wanted)}`);
      continue;
    }
    if (Number.isNaN(got)) continue;
    const error = Math.abs(clamped(got) - clamped(wanted));
    absolute = Math.max(absolute, error);
    ulps = Math.max(ulps, error / unitInLastPlace(Math.abs(wanted)));
  }
  return { ulps, absolute, wrong };
}
