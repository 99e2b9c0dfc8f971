/** Modules of several functions: numbers, signatures, exports and the memory they share. */

import { describe, expect, test } from 'vitest';
import { bytesOf, make } from '../../test/module.ts';
import { webAssembly } from '../engine/webassembly.ts';
import { f32, i32 } from './instructions.ts';
import { ModuleWriter } from './module.ts';
import type { Callable } from './code.ts';

describe('functions', () => {
  test('call each other for results of their types, and for effects', () => {
    const { call, memory } = make((module) => {
      const half = module.function(['f32'], 'f32', (code) => code.result(f32.mul(code.parameter(0, 'f32'), f32.const(0.5))));
      const keep = module.function(['i32', 'f32'], null, (code) => code.effect(f32.store(code.parameter(0, 'i32'), code.parameter(1, 'f32'), 4)));
      module.function(
        ['i32', 'f32'],
        null,
        (code) => {
          const halved = code.let(code.call(half, [code.parameter(1, 'f32')]));
          code.run(keep, [code.parameter(0, 'i32'), code.call(half, [halved])]);
        },
        'quarter',
      );
    });
    call('quarter')(64, 10);
    expect(new Float32Array(memory.buffer)[17]).toBe(2.5);
  });

  test('there may be more than 127, of more than 127 signatures', () => {
    const { call } = make((module) => {
      let last: (Callable & { readonly result: 'i32' }) | null = null;
      for (let i = 0; i < 300; i++) {
        const callee = last;
        const parameters = Array.from({ length: 1 + (i % 150) }, () => 'i32' as const);
        last = module.function(
          parameters,
          'i32',
          (code) => {
            const own = i32.add(code.parameter(0, 'i32'), i32.const(i));
            const count = 1 + ((i - 1) % 150);
            code.result(
              callee === null
                ? own
                : i32.add(
                    own,
                    code.call(
                      callee,
                      Array.from({ length: count }, () => code.parameter(0, 'i32')),
                    ),
                  ),
            );
          },
          `f${i}`,
        );
      }
    });
    expect(call('f0')(5)).toBe(5);
    expect(call('f150')(1)).toBe(151 + (150 * 151) / 2);
    expect(call('f299')(2)).toBe(600 + (299 * 300) / 2);
  });

  test('functions added while another is written are numbered before it', () => {
    const { call } = make((module) => {
      module.function([], 'i32', (code) => code.result(i32.const(1)), 'one');
      module.function(
        [],
        'i32',
        (code) => {
          const inner = module.function([], 'i32', (own) => own.result(i32.const(20)));
          code.result(i32.add(code.call(inner, []), i32.const(3)));
        },
        'outer',
      );
      module.function([], 'i32', (code) => code.result(i32.const(400)), 'last');
    });
    expect(['one', 'outer', 'last'].map((name) => call(name)())).toEqual([1, 23, 400]);
  });

  test('bodies may be longer than 127 bytes and than 16,383', () => {
    const { call } = make((module) =>
      module.function(
        ['i32'],
        'i32',
        (code) => {
          const x = code.parameter(0, 'i32');
          for (let i = 0; i < 5000; i++) code.set(x, i32.add(x, i32.const(1)));
          code.result(x);
        },
        'fn',
      ),
    );
    expect(call('fn')(7)).toBe(5007);
  });
});

describe('memory', () => {
  test('is the one that is given, with offsets of any size', () => {
    const { call, memory } = make((module) => {
      for (const offset of [0, 127, 128, 16_384, 65_000])
        module.function(
          ['i32', 'i32'],
          'i32',
          (code) => {
            code.effect(i32.store8(code.parameter(0, 'i32'), code.parameter(1, 'i32'), offset));
            code.result(i32.load8U(code.parameter(0, 'i32'), offset));
          },
          `at${offset}`,
        );
    });
    for (const offset of [0, 127, 128, 16_384, 65_000]) {
      expect(call(`at${offset}`)(3, 200)).toBe(200);
      expect(new Uint8Array(memory.buffer)[offset + 3]).toBe(200);
    }
  });

  test('a shared one is a type of its own', () => {
    const api = webAssembly();
    const module = new ModuleWriter({ shared: true, maximumPages: 4 });
    module.function([], 'i32', (code) => code.result(i32.load(i32.const(8))), 'get');
    const compiled = new api.Module(module.finish());
    const memory = new api.Memory({ initial: 1, maximum: 4, shared: true });
    new Int32Array(memory.buffer)[2] = 99;
    const { exports } = new api.Instance(compiled, { env: { memory, workspace: 0 } });
    expect((exports['get'] as () => number)()).toBe(99);
    const other = new api.Memory({ initial: 1, maximum: 4, shared: false });
    expect(() => new api.Instance(compiled, { env: { memory: other, workspace: 0 } })).toThrow(/shared/);
  });

  test('a module without functions is one', () => {
    expect(webAssembly().validate(bytesOf(() => undefined))).toBe(true);
  });
});
