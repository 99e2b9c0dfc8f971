/**
 * Records as they may come from outside: every field of every operation is looked at before anything is done, so that a record that was
 * damaged by hand or cut off is refused by the name of the field. What fits only some images, such as a crop, is refused when it is applied.
 */

import { showValue } from '@gradus/tensor';
import { AugmentError } from './errors.ts';
import type { AugmentRecord, Operation } from './operations.ts';
import { RESAMPLERS } from './operations.ts';

/** What a field has to be. */
interface Field {
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;
}

/** The fields of operations of this name. */
type FieldsOf<Name, Each = Operation> = Each extends { readonly op: infer Names } ? (Name extends Names ? Exclude<keyof Each, 'op'> : never) : never;

/** A blur reaches no further than this many pixels: a record must not make the machine busy for hours. */
const WIDEST_BLUR = 2 ** 15;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isNumbers = (value: unknown, length: number): boolean => Array.isArray(value) && value.length === length && value.every(isNumber);
const isWithin = (value: unknown, low: number, high: number): boolean => isNumber(value) && value >= low && value <= high;
const isWhole = (value: unknown, low: number, high: number): boolean => isWithin(value, low, high) && Number.isSafeInteger(value);
const isLevel = (value: unknown): boolean => isWithin(value, 0, 255);

const number: Field = { expected: 'a finite number', fits: isNumber };
const numbers: Field = { expected: 'two finite numbers', fits: (value) => isNumbers(value, 2) };
const positive: Field = { expected: 'a finite number above 0', fits: (value) => isWithin(value, Number.MIN_VALUE, Infinity) };
const least: Field = { expected: 'a finite number of at least 0', fits: (value) => isWithin(value, 0, Infinity) };
const whole: Field = { expected: 'a whole number', fits: Number.isSafeInteger };
const place: Field = { expected: 'a whole number of at least 0', fits: (value) => isWhole(value, 0, Infinity) };
const side: Field = { expected: 'a whole number above 0', fits: (value) => isWhole(value, 1, Infinity) };
const yes: Field = { expected: 'true or false', fits: (value) => typeof value === 'boolean' };
const fill: Field = {
  expected: 'a level from 0 to 255, or one for each of 1, 3 or 4 channels',
  fits: (value) => isLevel(value) || (Array.isArray(value) && [1, 3, 4].includes(value.length) && value.every(isLevel)),
};
const words: Field = {
  expected: 'two whole numbers from 0 to 2^32 - 1',
  fits: (value) => isNumbers(value, 2) && (value as number[]).every((word) => isWhole(word, 0, 2 ** 32 - 1)),
};
const shift: Field = { expected: 'a number from -0.5 to 0.5', fits: (value) => isWithin(value, -0.5, 0.5) };
const radius: Field = { expected: `a whole number from 0 to ${WIDEST_BLUR}`, fits: (value) => isWhole(value, 0, WIDEST_BLUR) };
const resampler: Field = { expected: RESAMPLERS.join(', '), fits: (value) => (RESAMPLERS as readonly unknown[]).includes(value) };

const factor = { factor: least };
const part = { x: place, y: place, width: side, height: side };

const operations: { readonly [Name in Operation['op']]: Readonly<Record<FieldsOf<Name>, Field>> } = {
  horizontalFlip: {},
  verticalFlip: {},
  rotate90: { turns: whole },
  crop: part,
  rotate: { degrees: number, expand: yes, fill },
  affine: { degrees: number, translate: numbers, scale: number, shear: numbers, fill },
  resize: { width: side, height: side, resampler },
  brightness: factor,
  contrast: factor,
  saturation: factor,
  hue: { shift },
  gaussianNoise: { sigma: least, key: words },
  gaussianBlur: { sigma: positive, radius },
  erase: { ...part, fill },
};

const mixtures = {
  mixUp: { lambda: { expected: 'a number from 0 to 1', fits: (value) => isWithin(value, 0, 1) } },
  cutMix: { lambda: { expected: 'a number from 0 to 1', fits: (value) => isWithin(value, 0, 1) }, x: place, y: place, width: place, height: place },
} satisfies Readonly<Record<string, Readonly<Record<string, Field>>>>;

/** @throws AugmentError, with the path of the field, unless it is a whole record */
export function requireRecord(op: string, record: unknown): asserts record is AugmentRecord {
  if (!isObject(record)) throw damaged(op, 'a record { version, operations }', record);
  const { version } = record;
  if (version !== 1) throw damaged(op, 'version 1 of the record', version);
  requireOperations(op, record['operations']);
}

/** @throws AugmentError, with the path of the field, unless all are whole operations */
export function requireOperations(op: string, list: unknown): asserts list is readonly Operation[] {
  if (!Array.isArray(list)) throw damaged(op, 'operations as an array', list);
  for (const [i, operation] of (list as unknown[]).entries()) requireFields(op, `operations[${i}]`, operation, operations);
}

/** @throws AugmentError, with the name of the field, unless it is what `mixUp` or `cutMix` has drawn */
export function requireMixRecord(op: string, record: unknown): void {
  requireFields(op, 'record', record, mixtures);
}

function requireFields(op: string, path: string, value: unknown, kinds: Readonly<Record<string, Readonly<Record<string, Field>>>>): void {
  if (!isObject(value)) throw damaged(op, `${path} as an object`, value);
  const name = value['op'];
  const fields = typeof name === 'string' && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (fields === undefined) throw damaged(op, `${path}.op as one of ${Object.keys(kinds).join(', ')}`, name);
  for (const [field, { expected, fits }] of Object.entries(fields))
    if (!fits(value[field])) throw damaged(op, `${path}.${field} as ${expected}`, value[field]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function damaged(op: string, expected: string, got: unknown): AugmentError {
  return new AugmentError({ op, expected, got: showValue(got), fix: 'pass a record as augmentation has made it' });
}
