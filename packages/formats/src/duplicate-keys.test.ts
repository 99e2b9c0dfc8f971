import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findDuplicateKey } from './duplicate-keys.ts';

/** The same key, every UTF-16 unit escaped. */
function escaped(key: string): string {
  return Array.from({ length: key.length }, (_, i) => `\\u${key.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
}

describe('findDuplicateKey', () => {
  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a": 1, "b": [{"c": 1, "c": 2}]}', 'c'],
    ['{"x":{"a":1},"y":{"a":1},"x":0}', 'x'],
    [String.raw`{"a":1,"\u0061":2}`, 'a'],
    [String.raw`{"\\":1,"\u005c" : 2}`, '\\'],
    ['{"":1,"":2}', ''],
    ['{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('%s has one', (json, key) => {
    expect(findDuplicateKey(json)).toBe(key);
  });

  test.each([
    '{"a":1,"b":"a"}',
    '{"a":["a","a","a"]}',
    '{"a":{"a":{"a":1}}}',
    String.raw`{"a":"\",\"a\":{\"a\":1,\"a\":2}"}`, // a string that looks like an object
    String.raw`{"a\\":1,"a":2,"a\\\\":3}`,
    '"a"',
    '[{"a":1},{"a":2}]',
  ])('%s has none', (json) => {
    expect(findDuplicateKey(json)).toBeNull();
  });

  test('nothing that JSON.stringify writes has one', () => {
    fc.assert(fc.property(fc.json(), (json) => findDuplicateKey(JSON.stringify(JSON.parse(json))) === null));
  });

  test('a key that is added a second time, escaped in another way, is found', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, noNullPrototype: true }), (record) => {
        const [key = ''] = Object.keys(record);
        expect(findDuplicateKey(`${JSON.stringify(record).slice(0, -1)},"${escaped(key)}":0}`)).toBe(key);
      }),
    );
  });

  test('deep nesting does not exhaust the stack', () => {
    expect(findDuplicateKey('['.repeat(1e6) + ']'.repeat(1e6))).toBeNull();
  });
});
