/** Records that come back: whole ones do what they did, damaged ones are refused by the name of the field. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AugmentError, compose, cutMix, mixUp } from '../src/index.ts';
import type { AugmentRecord, MixRecord, Operation, Sample } from '../src/index.ts';
import { pattern } from './photos.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One of each operation, so that every field of every one is damaged. */
const every: readonly Operation[] = [
  { op: 'horizontalFlip' },
  { op: 'verticalFlip' },
  { op: 'rotate90', turns: 1 },
  { op: 'crop', x: 1, y: 2, width: 9, height: 8 },
  { op: 'rotate', degrees: 12, expand: true, fill: [1, 2, 3] },
  { op: 'affine', degrees: 3, translate: [1, 0], scale: 1.1, shear: [2, 0], fill: 7 },
  { op: 'resize', width: 10, height: 9, resampler: 'bicubic' },
  { op: 'brightness', factor: 1.2 },
  { op: 'contrast', factor: 0.8 },
  { op: 'saturation', factor: 0.5 },
  { op: 'hue', shift: 0.1 },
  { op: 'gaussianNoise', sigma: 3, key: [1, 2] },
  { op: 'gaussianBlur', sigma: 1, radius: 3 },
  { op: 'erase', x: 0, y: 1, width: 3, height: 2, fill: 0 },
];
const whole: AugmentRecord = { version: 1, operations: every };
const sample: Sample = { image: pattern(12, 14), mask: pattern(12, 14, 1), boxes: [[1, 1, 6, 7]], keypoints: [[3, 4]] };
const augment = compose([]);

/** The paths to all values in a record. */
function pathsIn(value: Json, path: readonly string[] = []): (readonly string[])[] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return [path, ...inner.flatMap(([key, each]) => pathsIn(each, [...path, key]))];
}

function at(value: Json, path: readonly string[]): Json {
  return path.reduce<Json>((inner, key) => (inner as { readonly [key: string]: Json })[key] ?? null, value);
}

/** A copy with `change` made of what is at a path: another value, or nothing for undefined. */
function damaged(value: Json, [key, ...rest]: readonly string[], change: Json | undefined): Json | undefined {
  if (key === undefined) return change;
  const copy = structuredClone(value) as Record<string, Json> | Json[];
  const inner = damaged((copy as Record<string, Json>)[key] ?? null, rest, change);
  if (inner !== undefined) (copy as Record<string, Json>)[key] = inner;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

/** How errors call the field at, or around, a path: of the parts of a pair, the pair. */
function nameOf([first, place, field]: readonly string[]): string {
  if (first !== 'operations') return first ?? 'record';
  return place === undefined ? first : `operations[${place}]${field === undefined ? '' : `.${field}`}`;
}

const kindOf = (value: Json): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
const others: readonly Json[] = [null, true, 'two', -3.5, 1e300, 300, 0.25, 2 ** 53, [], [[1]], [1, 'x'], {}, { op: 'crop' }];

describe('damaged records', () => {
  test('whatever is in the place of a value: a result, or an AugmentError, and the sample is as it was', () => {
    const paths = pathsIn(whole as unknown as Json);
    const before = structuredClone(sample);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.oneof(fc.constantFrom(...others, Number.NaN, Infinity), fc.jsonValue() as fc.Arbitrary<Json>),
        (path, change) => {
          const record = damaged(whole as unknown as Json, path, change) as unknown as AugmentRecord;
          try {
            augment.replay(record, sample);
          } catch (error) {
            refused++;
            expect(error).toBeInstanceOf(AugmentError);
          }
        },
      ),
      { seed: 3, numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(400);
    expect(sample).toEqual(before);
  });

  test('a value of another kind is refused by the name of the field', () => {
    let tried = 0;
    for (const path of pathsIn(whole as unknown as Json)) {
      const kind = kindOf(at(whole as unknown as Json, path));
      for (const change of others.filter((each) => kindOf(each) !== kind)) {
        // A colour is one number or several, and no record at all is something else.
        const record = damaged(whole as unknown as Json, path, change) as unknown as AugmentRecord;
        tried++;
        expect(() => augment.replay(record, sample), `${path.join('.')} = ${JSON.stringify(change)}`).toSatisfy((act: () => unknown) => {
          const error = thrownBy(act);
          if (path.at(-1) === 'fill' && error === undefined) return true;
          return error instanceof AugmentError && error.code === 'AUGMENT' && error.message.includes(nameOf(path)) && error.fix !== undefined;
        });
      }
    }
    expect(tried).toBeGreaterThan(500);
  });

  test('a value that is missing, too', () => {
    for (const path of pathsIn(whole as unknown as Json)) {
      // Without one of its operations a record is another whole record.
      if (path.length === 0 || (path[0] === 'operations' && path.length === 2)) continue;
      const record = damaged(whole as unknown as Json, path, undefined) as unknown as AugmentRecord;
      const error = thrownBy(() => augment.replay(record, sample));
      expect(error, path.join('.')).toBeInstanceOf(AugmentError);
      expect((error as AugmentError).message).toContain(nameOf(path));
    }
  });

  test.each([
    [undefined, '[augment.replay] expected a record { version, operations }, got undefined. Fix: pass a record as augmentation has made it'],
    [{ version: 2, operations: [] }, 'expected version 1 of the record, got 2.'],
    [{ version: 1 }, 'expected operations as an array, got undefined.'],
    [
      { version: 1, operations: [{ op: 'melt' }] },
      'expected operations[0].op as one of horizontalFlip, verticalFlip, rotate90, crop, rotate, affine',
    ],
    [{ version: 1, operations: [{ op: 'toString' }] }, "got 'toString'"],
    [{ version: 1, operations: [every[0], { ...every[4], degrees: '12' }] }, "operations[1].degrees as a finite number, got '12'."],
    [{ version: 1, operations: [{ ...every[5], shear: [2] }] }, 'operations[0].shear as two finite numbers, got [2].'],
    [{ version: 1, operations: [{ ...every[6], resampler: 'lanczos' }] }, 'operations[0].resampler as bilinear, bicubic, opencv-bilinear, nearest'],
    [{ version: 1, operations: [{ ...every[11], key: [1, -2] }] }, 'operations[0].key as two whole numbers from 0 to 2^32 - 1, got [1, -2].'],
    [{ version: 1, operations: [{ ...every[12], radius: 1e9 }] }, 'operations[0].radius as a whole number from 0 to 32768, got 1000000000.'],
    [{ version: 1, operations: [{ ...every[6], width: 2 ** 40 }] }, '[resize] expected at most 2^30 pixels, got 1099511627776 × 9.'],
  ])('%j', (record, message) => {
    expect(() => augment.replay(record as never, sample)).toThrow(AugmentError);
    expect(() => augment.replay(record as never, sample)).toThrow(message);
  });

  test('operations that a transform of one’s own draws are looked at in the same way', () => {
    const wrong = compose([{ draw: () => [{ op: 'crop', x: 0 } as never] }]);
    expect(() => wrong(sample)).toThrow('[augment] expected operations[0].y as a whole number of at least 0, got undefined.');
    expect(() => compose([{ draw: () => undefined as never }])(sample)).toThrow('[augment] expected operations as an array, got undefined.');
  });
});

describe('damaged records of mixtures', () => {
  const pair = [
    { image: pattern(8, 6), label: [1, 0] },
    { image: pattern(8, 6), label: [0, 1] },
  ] as const;
  const records: readonly MixRecord[] = [
    { op: 'mixUp', lambda: 0.3 },
    { op: 'cutMix', lambda: 0.5, x: 1, y: 2, width: 6, height: 4 },
  ];

  test.each(records)('$op', (record) => {
    for (const field of Object.keys(record))
      for (const change of [undefined, null, 'two', -1, Number.NaN, 1e300, [], {}]) {
        const error = thrownBy(() => mixUp({ alpha: 1 }).replay({ ...record, [field]: change }, pair));
        expect(error, `${field} = ${JSON.stringify(change)}`).toBeInstanceOf(AugmentError);
        // A part that is outside of these images is refused as a part.
        expect((error as AugmentError).message).toMatch(change === 1e300 ? /record\.|a part of/ : new RegExp(`record\\.${field} as `));
      }
    expect(() => cutMix({ alpha: 1 }).replay(null as never, pair)).toThrow('[cutMix.replay] expected record as an object, got null.');
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
