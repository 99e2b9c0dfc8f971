/**
 * Errors of functions of float32, measured over the whole range against float64.
 *
 * Arguments are every {@link STEP}-th of all 2³² bit patterns, which is some 2,000 in every octave of either sign, denormals among them; and all
 * the neighbours of the places where a method changes.
 */

import { apply, constant } from '@gradus/backend';
import type { Backend, Opcode } from '@gradus/backend';
import { floatsOf } from './support.ts';

/** A prime, so that low bits vary from sample to sample. */
const STEP = 4_099;
/** How many neighbours of a border, on either side. */
const NEIGHBOURS = 200;

const SMALLEST_NORMAL = 2 ** -126;
/** What a result past the largest counts as: the next power of two. */
const PAST_LARGEST = 2 ** 128;

/** Bit patterns all over the range, then those around `borders` and their negatives; both zeros are among them. */
export function samples(places: readonly number[] = []): Float32Array {
  const borders = [0, ...places];
  const words = new Uint32Array(Math.ceil(2 ** 32 / STEP) + borders.length * 2 * (2 * NEIGHBOURS + 1));
  const floats = new Float32Array(words.buffer);
  let at = 0;
  for (let pattern = 0; pattern < 2 ** 32; pattern += STEP) words[at++] = pattern;
  for (const border of [...borders, ...borders.map((x) => -x)]) {
    floats[at] = border;
    const middle = words[at] ?? 0;
    for (let i = -NEIGHBOURS; i <= NEIGHBOURS; i++) words[at++] = middle + i;
  }
  return floats;
}

/** The largest errors that were found. */
export interface Errors {
  /** In units in the last place of the exact result: 2⁻¹⁴⁹ for denormal ones. */
  readonly ulps: number;
  /** Of results that are normal. */
  readonly relative: number;
  readonly absolute: number;
  /** Results that are NaN where they should not be, or the other way round; or zeros of the wrong sign. Descriptions, at most a few. */
  readonly wrong: readonly string[];
}

function unitInLastPlace(size: number): number {
  return 2 ** (Math.floor(Math.log2(Math.min(Math.max(size, SMALLEST_NORMAL), PAST_LARGEST / 2))) - 23);
}

/** A number with the sign of its zero. */
const signed = (x: number): string => (Object.is(x, -0) ? '-0' : String(x));

const clamped = (x: number): number => Math.min(Math.max(x, -PAST_LARGEST), PAST_LARGEST);

/** Compares `actual` with `exact`, element by element. `describe` names an argument. */
export function errorsOf(actual: Float32Array, exact: (i: number) => number, describe: (i: number) => string): Errors {
  let [ulps, relative, absolute] = [0, 0, 0];
  const wrong: string[] = [];
  for (let i = 0; i < actual.length; i++) {
    const got = actual[i] ?? NaN;
    const wanted = exact(i);
    const signs = wanted !== 0 || got !== 0 || Object.is(got, wanted);
    if (Number.isNaN(got) !== Number.isNaN(wanted) || !signs) {
      if (wrong.length < 5) wrong.push(`${describe(i)}: ${signed(got)}, exactly ${signed(wanted)}`);
      continue;
    }
    if (Number.isNaN(got)) continue;
    const error = Math.abs(clamped(got) - clamped(wanted));
    const size = Math.abs(wanted);
    absolute = Math.max(absolute, error);
    ulps = Math.max(ulps, error / unitInLastPlace(size));
    if (size >= SMALLEST_NORMAL && size < PAST_LARGEST) relative = Math.max(relative, error / size);
  }
  return { ulps, relative, absolute, wrong };
}

/** Errors of a function of one argument, at the given arguments. */
export function errorsAt(device: Backend, op: Opcode, x: Float32Array, exact: (x: number) => number): Errors {
  const y = floatsOf(device, [x], (a = constant('float32', 0)) => apply(op, a));
  return errorsOf(
    y,
    (i) => exact(x[i] ?? NaN),
    (i) => `${op}(${signed(x[i] ?? NaN)})`,
  );
}
