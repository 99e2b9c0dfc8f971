/** Statements, by what the functions compute that are made of them. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { make } from '../../test/module.ts';
import type { Code } from './code.ts';
import { f32, f64, i32, i32x4, v128 } from './instructions.ts';
import type { Numeric } from '../../test/module.ts';

/** A function of `count` ints. */
function fn(count: number, write: (code: Code) => void): Numeric {
  return make((module) =>
    module.function(
      Array.from({ length: count }, () => 'i32' as const),
      'i32',
      write,
      'fn',
    ),
  ).call('fn');
}

describe('locals', () => {
  test('follow the parameters, of any types in any order', () => {
    const { call } = make((module) =>
      module.function(
        ['f32', 'i32'],
        'f64',
        (code) => {
          const double = code.let(f64.const(0.5));
          const word = code.let(i32.add(code.parameter(1, 'i32'), i32.const(1)));
          const more = code.let(f64.add(double, f64.promoteF32(code.parameter(0, 'f32'))));
          const single = code.let(f32.convertI32S(word));
          code.result(f64.add(more, f64.promoteF32(single)));
        },
        'fn',
      ),
    );
    expect(call('fn')(0.25, 41)).toBe(42.75);
  });

  test('there may be more than 127 of them', () => {
    const sum = fn(1, (code) => {
      const locals = Array.from({ length: 300 }, (_, i) => {
        // Types change, so that runs of locals do not hide their number.
        code.let(f32.const(i));
        return code.let(i32.add(code.parameter(0, 'i32'), i32.const(i)));
      });
      const total = code.let(i32.const(0));
      for (const local of locals) code.set(total, i32.add(total, local));
      code.result(total);
    });
    expect(sum(1000)).toBe(300 * 1000 + (300 * 299) / 2);
  });

  test('a set parameter stays set', () => {
    const doubled = fn(1, (code) => {
      const x = code.parameter(0, 'i32');
      code.set(x, i32.add(x, x));
      code.result(x);
    });
    expect(doubled(21)).toBe(42);
  });
});

describe('if', () => {
  test('takes one way or the other, for any word but 0', () => {
    const way = fn(1, (code) => {
      const result = code.local('i32');
      code.if(
        code.parameter(0, 'i32'),
        () => code.set(result, i32.const(1)),
        () => code.set(result, i32.const(2)),
      );
      code.result(result);
    });
    expect([1, -1, 0x80000000, 256, 0].map((x) => way(x))).toEqual([1, 1, 1, 1, 2]);
  });

  test('without an alternative does nothing for 0; nests', () => {
    const count = fn(2, (code) => {
      const result = code.let(i32.const(5));
      code.if(code.parameter(0, 'i32'), () => {
        code.set(result, i32.const(6));
        code.if(code.parameter(1, 'i32'), () => code.set(result, i32.const(7)));
      });
      code.result(result);
    });
    expect([count(0, 0), count(0, 1), count(1, 0), count(1, 1)]).toEqual([5, 5, 6, 7]);
  });
});

describe('loops', () => {
  test('while tests before the first time', () => {
    const steps = fn(1, (code) => {
      const x = code.parameter(0, 'i32');
      const count = code.let(i32.const(0));
      code.while(i32.gtS(x, i32.const(0)), () => {
        code.set(x, i32.sub(x, i32.const(3)));
        code.set(count, i32.add(count, i32.const(1)));
      });
      code.result(i32.add(i32.mul(count, i32.const(100)), x));
    });
    expect([steps(0), steps(-7), steps(1), steps(9), steps(10)]).toEqual([0, -7, 98, 300, 398]);
  });

  test('for visits what the loop of the language does, for any bounds and steps', () => {
    const visit = fn(3, (code) => {
      const [from, end, step] = [code.parameter(0, 'i32'), code.parameter(1, 'i32'), code.parameter(2, 'i32')];
      const hash = code.let(i32.const(7));
      code.for(end, (i) => code.set(hash, i32.add(i32.mul(hash, i32.const(31)), i)), from, step);
      code.result(hash);
    });
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 }), (from, end, step) => {
        let hash = 7;
        for (let i = from; i < end; i += step) hash = (Math.imul(hash, 31) + i) | 0;
        expect(visit(from, end, step)).toBe(hash);
      }),
    );
  });

  test('the end is evaluated every time, and loops nest', () => {
    const total = fn(1, (code) => {
      const n = code.parameter(0, 'i32');
      const sum = code.let(i32.const(0));
      code.for(n, (i) => {
        code.for(i, (j) => code.set(sum, i32.add(sum, j)));
        // Each round takes one off the end.
        code.set(n, i32.sub(n, i32.const(1)));
      });
      code.result(sum);
    });
    let [expected, n] = [0, 9];
    for (let i = 0; i < n; i++, n--) for (let j = 0; j < i; j++) expected += j;
    expect(total(9)).toBe(expected);
  });
});

describe('vector constants', () => {
  const sum = (code: Code, words: readonly number[]): ReturnType<typeof i32.add> => {
    const vector = code.constant(new Uint8Array(Int32Array.from(words).buffer));
    return [1, 2, 3].reduce((total, lane) => i32.add(total, i32x4.extractLane(vector, lane)), i32x4.extractLane(vector, 0));
  };

  test('are there from the start, also those first asked for in a branch that is not taken', () => {
    const result = fn(1, (code) => {
      const total = code.let(i32.const(0));
      code.if(code.parameter(0, 'i32'), () => code.set(total, i32.add(total, sum(code, [1, 2, 3, 4]))));
      code.set(total, i32.add(total, sum(code, [1, 2, 3, 4])));
      code.set(total, i32.add(total, sum(code, [10, 20, 30, 40])));
      code.result(total);
    });
    expect([result(0), result(1)]).toEqual([110, 120]);
  });

  test('equal bytes share a local', () => {
    const { call } = make((module) =>
      module.function(
        [],
        'i32',
        (code) => {
          const first = code.constant(new Uint8Array(16).fill(3));
          expect(code.constant(new Uint8Array(16).fill(3))).toBe(first);
          expect(code.constant(new Uint8Array(16).fill(4))).not.toBe(first);
          code.result(i32x4.extractLane(v128.xor(first, code.constant(new Uint8Array(16).fill(4))), 2));
        },
        'fn',
      ),
    );
    expect(call('fn')()).toBe(0x07070707);
  });
});
