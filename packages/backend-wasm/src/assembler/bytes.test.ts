/** Numbers of the binary format, read back by a decoder of the test's own and by the engine. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { make } from '../../test/module.ts';
import { Bytes } from './bytes.ts';
import { f32, f64, i32 } from './instructions.ts';

/** Both ends of every length that an encoding may have, and of 32 bits. */
const EDGES = [5, 6, 7, 8, 13, 14, 20, 21, 27, 28, 31].flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]);

function written(write: (to: Bytes) => void): number[] {
  const bytes = new Bytes();
  write(bytes);
  return [...bytes.view()];
}

/** LEB128 as the specification has it, over BigInt: value, and what is wrong with the form. */
function decoded(bytes: readonly number[], signed: boolean): number {
  let value = 0n;
  bytes.forEach((byte, i) => {
    if (byte >= 0x80 !== i < bytes.length - 1) throw new Error(`the continuation bit of byte ${i} is wrong`);
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
  });
  return Number(signed ? BigInt.asIntN(7 * bytes.length, value) : value);
}

/** The fewest bytes that hold it: seven bits each, one of them the sign. */
function fewestBytes(value: number, signed: boolean): number {
  let count = 1;
  while (signed ? value < -(2 ** (7 * count - 1)) || value >= 2 ** (7 * count - 1) : value >= 2 ** (7 * count)) count++;
  return count;
}

describe('LEB128', () => {
  test('unsigned numbers come back, in as few bytes as there can be', () => {
    const check = (value: number): void => {
      const bytes = written((to) => to.unsigned(value));
      expect(decoded(bytes, false)).toBe(value);
      expect(bytes).toHaveLength(fewestBytes(value, false));
    };
    [0, 1, 2 ** 32 - 1, ...EDGES].forEach(check);
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), check));
  });

  test('signed numbers come back, in as few bytes as there can be', () => {
    const check = (value: number): void => {
      const bytes = written((to) => to.signed(value));
      expect(decoded(bytes, true)).toBe(value);
      expect(bytes).toHaveLength(fewestBytes(value, true));
    };
    const within = EDGES.filter((edge) => edge < 2 ** 31);
    [0, 1, -1, -(2 ** 31), ...within, ...within.map((edge) => -edge)].forEach(check);
    fc.assert(fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), check));
  });

  test('the engine reads constants as they were meant', () => {
    const within = EDGES.filter((edge) => edge < 2 ** 31);
    const values = [0, -1, -(2 ** 31), ...within, ...within.map((edge) => -edge)];
    const { call } = make((module) => values.forEach((value, i) => module.function([], 'i32', (code) => code.result(i32.const(value)), `get${i}`)));
    expect(values.map((_, i) => call(`get${i}`)())).toEqual(values.map((value) => value | 0));
  });
});

describe('floats', () => {
  test('the engine reads them as they were meant, to the bit', () => {
    const values = [0, -0, 1, -1.5, 0.1, 1e-40, 2 ** -149, 3.4028234663852886e38, Infinity, -Infinity, NaN];
    const { call } = make((module) => {
      values.forEach((value, i) => {
        module.function([], 'f32', (code) => code.result(f32.const(value)), `single${i}`);
        module.function([], 'f64', (code) => code.result(f64.const(value)), `double${i}`);
      });
    });
    expect(values.map((_, i) => call(`single${i}`)())).toEqual(values.map(Math.fround));
    expect(values.map((_, i) => call(`double${i}`)())).toEqual(values);
  });
});

describe('bytes', () => {
  test('grow as they are written, and keep what they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (parts) => {
        const bytes = new Bytes();
        for (const part of parts) {
          const inner = new Bytes();
          inner.append(part);
          bytes.append(part);
          bytes.sized(inner);
        }
        const expected = parts.flatMap((part) => [...part, ...written((to) => to.unsigned(part.length)), ...part]);
        expect([...bytes.view()]).toEqual(expected);
        expect(bytes.length).toBe(expected.length);
      }),
    );
  });

  test('names have their length in front', () => {
    expect(written((to) => to.name('run'))).toEqual([3, 114, 117, 110]);
  });
});
