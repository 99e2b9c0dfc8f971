/**
 * Every instruction, by disassembly: a module that holds it is valid, and wabt, which shares no line with this package, reads the name that
 * the specification gives it, with arguments and immediates in their places.
 */

import { beforeAll, describe, expect, test } from 'vitest';
import initialise from 'wabt';
import { bytesOf, make, WORKSPACE } from '../../test/module.ts';
import { f32, f32x4, f64, f64x2, i16x8, i32, i32x4, i8x16, select, v128, workspace } from './instructions.ts';
import type { Effect, Type, Value } from './value.ts';

/** An instruction over parameters of these types, in order. */
interface Row<R extends Effect = Effect> {
  readonly types: readonly Type[];
  readonly make: (parameters: readonly Value[]) => R;
}

function taking<const T extends readonly Type[], R extends Effect>(types: T, of: (...args: { readonly [K in keyof T]: Value<T[K]> }) => R): Row<R> {
  return { types, make: (parameters) => of(...(parameters as { readonly [K in keyof T]: Value<T[K]> })) };
}

const BYTES = Uint8Array.from({ length: 16 }, (_, i) => i);
const REVERSED = [...BYTES].toReversed();

/** Instructions that leave a value. Where memory is read, 200 is the offset: more than one byte of LEB128. */
const VALUES: Readonly<Record<string, Row<Value>>> = {
  'i32.const': taking([], () => i32.const(7)),
  'i32.add': taking(['i32', 'i32'], i32.add),
  'i32.sub': taking(['i32', 'i32'], i32.sub),
  'i32.mul': taking(['i32', 'i32'], i32.mul),
  'i32.divS': taking(['i32', 'i32'], i32.divS),
  'i32.divU': taking(['i32', 'i32'], i32.divU),
  'i32.remS': taking(['i32', 'i32'], i32.remS),
  'i32.remU': taking(['i32', 'i32'], i32.remU),
  'i32.and': taking(['i32', 'i32'], i32.and),
  'i32.or': taking(['i32', 'i32'], i32.or),
  'i32.xor': taking(['i32', 'i32'], i32.xor),
  'i32.shl': taking(['i32', 'i32'], i32.shl),
  'i32.shrS': taking(['i32', 'i32'], i32.shrS),
  'i32.shrU': taking(['i32', 'i32'], i32.shrU),
  'i32.eq': taking(['i32', 'i32'], i32.eq),
  'i32.ne': taking(['i32', 'i32'], i32.ne),
  'i32.ltS': taking(['i32', 'i32'], i32.ltS),
  'i32.ltU': taking(['i32', 'i32'], i32.ltU),
  'i32.gtS': taking(['i32', 'i32'], i32.gtS),
  'i32.gtU': taking(['i32', 'i32'], i32.gtU),
  'i32.leS': taking(['i32', 'i32'], i32.leS),
  'i32.leU': taking(['i32', 'i32'], i32.leU),
  'i32.geS': taking(['i32', 'i32'], i32.geS),
  'i32.geU': taking(['i32', 'i32'], i32.geU),
  'i32.eqz': taking(['i32'], i32.eqz),
  'i32.clz': taking(['i32'], i32.clz),
  'i32.extend8S': taking(['i32'], i32.extend8S),
  'i32.load': taking(['i32'], (at) => i32.load(at, 200)),
  'i32.load8S': taking(['i32'], (at) => i32.load8S(at, 200)),
  'i32.load8U': taking(['i32'], (at) => i32.load8U(at, 200)),
  'i32.load16S': taking(['i32'], (at) => i32.load16S(at, 200)),
  'i32.load16U': taking(['i32'], (at) => i32.load16U(at, 200)),
  'i32.reinterpretF32': taking(['f32'], i32.reinterpretF32),
  'i32.truncSatF32S': taking(['f32'], i32.truncSatF32S),
  'i32.truncSatF32U': taking(['f32'], i32.truncSatF32U),
  'i32.truncSatF64S': taking(['f64'], i32.truncSatF64S),
  'f32.const': taking([], () => f32.const(7)),
  'f32.abs': taking(['f32'], f32.abs),
  'f32.neg': taking(['f32'], f32.neg),
  'f32.ceil': taking(['f32'], f32.ceil),
  'f32.floor': taking(['f32'], f32.floor),
  'f32.trunc': taking(['f32'], f32.trunc),
  'f32.nearest': taking(['f32'], f32.nearest),
  'f32.sqrt': taking(['f32'], f32.sqrt),
  'f32.add': taking(['f32', 'f32'], f32.add),
  'f32.sub': taking(['f32', 'f32'], f32.sub),
  'f32.mul': taking(['f32', 'f32'], f32.mul),
  'f32.div': taking(['f32', 'f32'], f32.div),
  'f32.min': taking(['f32', 'f32'], f32.min),
  'f32.max': taking(['f32', 'f32'], f32.max),
  'f32.copysign': taking(['f32', 'f32'], f32.copysign),
  'f32.eq': taking(['f32', 'f32'], f32.eq),
  'f32.ne': taking(['f32', 'f32'], f32.ne),
  'f32.lt': taking(['f32', 'f32'], f32.lt),
  'f32.gt': taking(['f32', 'f32'], f32.gt),
  'f32.le': taking(['f32', 'f32'], f32.le),
  'f32.ge': taking(['f32', 'f32'], f32.ge),
  'f32.load': taking(['i32'], (at) => f32.load(at, 200)),
  'f32.convertI32S': taking(['i32'], f32.convertI32S),
  'f32.convertI32U': taking(['i32'], f32.convertI32U),
  'f32.demoteF64': taking(['f64'], f32.demoteF64),
  'f32.reinterpretI32': taking(['i32'], f32.reinterpretI32),
  'f64.convertI32S': taking(['i32'], f64.convertI32S),
  'f64.const': taking([], () => f64.const(7)),
  'f64.add': taking(['f64', 'f64'], f64.add),
  'f64.sub': taking(['f64', 'f64'], f64.sub),
  'f64.mul': taking(['f64', 'f64'], f64.mul),
  'f64.div': taking(['f64', 'f64'], f64.div),
  'f64.le': taking(['f64', 'f64'], f64.le),
  'f64.promoteF32': taking(['f32'], f64.promoteF32),
  'f64.load': taking(['i32'], (at) => f64.load(at, 200)),
  'v128.const': taking([], () => v128.const(BYTES)),
  'v128.load': taking(['i32'], (at) => v128.load(at, 200)),
  'v128.load32Zero': taking(['i32'], (at) => v128.load32Zero(at, 200)),
  'v128.load64Zero': taking(['i32'], (at) => v128.load64Zero(at, 200)),
  'v128.load32Splat': taking(['i32'], (at) => v128.load32Splat(at, 200)),
  'v128.load8x8S': taking(['i32'], (at) => v128.load8x8S(at, 200)),
  'v128.load8x8U': taking(['i32'], (at) => v128.load8x8U(at, 200)),
  'v128.load16x4U': taking(['i32'], (at) => v128.load16x4U(at, 200)),
  'v128.load8Lane': taking(['i32', 'v128'], (at, a) => v128.load8Lane(at, a, 1, 200)),
  'v128.load16Lane': taking(['i32', 'v128'], (at, a) => v128.load16Lane(at, a, 1, 200)),
  'v128.load32Lane': taking(['i32', 'v128'], (at, a) => v128.load32Lane(at, a, 1, 200)),
  'v128.not': taking(['v128'], v128.not),
  'v128.and': taking(['v128', 'v128'], v128.and),
  'v128.andnot': taking(['v128', 'v128'], v128.andnot),
  'v128.or': taking(['v128', 'v128'], v128.or),
  'v128.xor': taking(['v128', 'v128'], v128.xor),
  'v128.bitselect': taking(['v128', 'v128', 'v128'], v128.bitselect),
  'v128.anyTrue': taking(['v128'], v128.anyTrue),
  'i8x16.shuffle': taking(['v128', 'v128'], (a, b) => i8x16.shuffle(a, b, REVERSED)),
  'i8x16.splat': taking(['i32'], i8x16.splat),
  'i8x16.shrU': taking(['v128', 'i32'], i8x16.shrU),
  'i16x8.extendLowI8x16S': taking(['v128'], i16x8.extendLowI8x16S),
  'i16x8.extendHighI8x16S': taking(['v128'], i16x8.extendHighI8x16S),
  'i16x8.extendLowI8x16U': taking(['v128'], i16x8.extendLowI8x16U),
  'i16x8.extendHighI8x16U': taking(['v128'], i16x8.extendHighI8x16U),
  'i16x8.narrowI32x4U': taking(['v128', 'v128'], i16x8.narrowI32x4U),
  'i32x4.splat': taking(['i32'], i32x4.splat),
  'i32x4.extractLane': taking(['v128'], (a) => i32x4.extractLane(a, 1)),
  'i32x4.replaceLane': taking(['v128', 'i32'], (a, b) => i32x4.replaceLane(a, 1, b)),
  'i32x4.eq': taking(['v128', 'v128'], i32x4.eq),
  'i32x4.ne': taking(['v128', 'v128'], i32x4.ne),
  'i32x4.ltS': taking(['v128', 'v128'], i32x4.ltS),
  'i32x4.ltU': taking(['v128', 'v128'], i32x4.ltU),
  'i32x4.gtS': taking(['v128', 'v128'], i32x4.gtS),
  'i32x4.gtU': taking(['v128', 'v128'], i32x4.gtU),
  'i32x4.leS': taking(['v128', 'v128'], i32x4.leS),
  'i32x4.leU': taking(['v128', 'v128'], i32x4.leU),
  'i32x4.geS': taking(['v128', 'v128'], i32x4.geS),
  'i32x4.geU': taking(['v128', 'v128'], i32x4.geU),
  'i32x4.abs': taking(['v128'], i32x4.abs),
  'i32x4.neg': taking(['v128'], i32x4.neg),
  'i32x4.extendLowI16x8S': taking(['v128'], i32x4.extendLowI16x8S),
  'i32x4.extendHighI16x8S': taking(['v128'], i32x4.extendHighI16x8S),
  'i32x4.extendLowI16x8U': taking(['v128'], i32x4.extendLowI16x8U),
  'i32x4.extendHighI16x8U': taking(['v128'], i32x4.extendHighI16x8U),
  'i32x4.shl': taking(['v128', 'i32'], i32x4.shl),
  'i32x4.shrS': taking(['v128', 'i32'], i32x4.shrS),
  'i32x4.shrU': taking(['v128', 'i32'], i32x4.shrU),
  'i32x4.add': taking(['v128', 'v128'], i32x4.add),
  'i32x4.sub': taking(['v128', 'v128'], i32x4.sub),
  'i32x4.mul': taking(['v128', 'v128'], i32x4.mul),
  'i32x4.minS': taking(['v128', 'v128'], i32x4.minS),
  'i32x4.minU': taking(['v128', 'v128'], i32x4.minU),
  'i32x4.maxS': taking(['v128', 'v128'], i32x4.maxS),
  'i32x4.maxU': taking(['v128', 'v128'], i32x4.maxU),
  'i32x4.dotI16x8S': taking(['v128', 'v128'], i32x4.dotI16x8S),
  'i32x4.truncSatF32x4S': taking(['v128'], i32x4.truncSatF32x4S),
  'i32x4.truncSatF32x4U': taking(['v128'], i32x4.truncSatF32x4U),
  'i32x4.relaxedDotI8x16I7x16AddS': taking(['v128', 'v128', 'v128'], i32x4.relaxedDotI8x16I7x16AddS),
  'f32x4.splat': taking(['f32'], f32x4.splat),
  'f32x4.extractLane': taking(['v128'], (a) => f32x4.extractLane(a, 1)),
  'f32x4.replaceLane': taking(['v128', 'f32'], (a, b) => f32x4.replaceLane(a, 1, b)),
  'f32x4.eq': taking(['v128', 'v128'], f32x4.eq),
  'f32x4.ne': taking(['v128', 'v128'], f32x4.ne),
  'f32x4.lt': taking(['v128', 'v128'], f32x4.lt),
  'f32x4.gt': taking(['v128', 'v128'], f32x4.gt),
  'f32x4.le': taking(['v128', 'v128'], f32x4.le),
  'f32x4.ge': taking(['v128', 'v128'], f32x4.ge),
  'f32x4.ceil': taking(['v128'], f32x4.ceil),
  'f32x4.floor': taking(['v128'], f32x4.floor),
  'f32x4.trunc': taking(['v128'], f32x4.trunc),
  'f32x4.nearest': taking(['v128'], f32x4.nearest),
  'f32x4.abs': taking(['v128'], f32x4.abs),
  'f32x4.neg': taking(['v128'], f32x4.neg),
  'f32x4.sqrt': taking(['v128'], f32x4.sqrt),
  'f32x4.add': taking(['v128', 'v128'], f32x4.add),
  'f32x4.sub': taking(['v128', 'v128'], f32x4.sub),
  'f32x4.mul': taking(['v128', 'v128'], f32x4.mul),
  'f32x4.div': taking(['v128', 'v128'], f32x4.div),
  'f32x4.min': taking(['v128', 'v128'], f32x4.min),
  'f32x4.max': taking(['v128', 'v128'], f32x4.max),
  'f32x4.pmin': taking(['v128', 'v128'], f32x4.pmin),
  'f32x4.pmax': taking(['v128', 'v128'], f32x4.pmax),
  'i8x16.sub': taking(['v128', 'v128'], i8x16.sub),
  'i16x8.shl': taking(['v128', 'i32'], i16x8.shl),
  'i16x8.shrS': taking(['v128', 'i32'], i16x8.shrS),
  'f32x4.convertI32x4S': taking(['v128'], f32x4.convertI32x4S),
  'f32x4.convertI32x4U': taking(['v128'], f32x4.convertI32x4U),
  'f32x4.demoteF64x2Zero': taking(['v128'], f32x4.demoteF64x2Zero),
  'f32x4.relaxedMadd': taking(['v128', 'v128', 'v128'], f32x4.relaxedMadd),
  'f64x2.extractLane': taking(['v128'], (a) => f64x2.extractLane(a, 1)),
  'f64x2.promoteLowF32x4': taking(['v128'], f64x2.promoteLowF32x4),
  'f64x2.add': taking(['v128', 'v128'], f64x2.add),
  'f64x2.splat': taking(['f64'], f64x2.splat),
};

/** Instructions that leave nothing. */
const EFFECTS: Readonly<Record<string, Row>> = {
  'i32.store': taking(['i32', 'i32'], (at, a) => i32.store(at, a, 200)),
  'i32.store8': taking(['i32', 'i32'], (at, a) => i32.store8(at, a, 200)),
  'i32.store16': taking(['i32', 'i32'], (at, a) => i32.store16(at, a, 200)),
  'f32.store': taking(['i32', 'f32'], (at, a) => f32.store(at, a, 200)),
  'f64.store': taking(['i32', 'f64'], (at, a) => f64.store(at, a, 200)),
  'v128.store': taking(['i32', 'v128'], (at, a) => v128.store(at, a, 200)),
  'v128.store32Lane': taking(['i32', 'v128'], (at, a) => v128.store32Lane(at, a, 1, 200)),
  'v128.store64Lane': taking(['i32', 'v128'], (at, a) => v128.store64Lane(at, a, 1, 200)),
};

/** The name in the text format: `i32.truncSatF32S` is `i32.trunc_sat_f32_s`. */
function mnemonic(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Constants as wabt writes them. */
const CONSTANTS: Readonly<Record<string, string>> = {
  'i32.const': 'i32.const 7',
  'f32.const': 'f32.const 0x1.cp+2 (;=7;)',
  'f64.convertI32S': 'f64.convert_i32_s',
  'f64.const': 'f64.const 0x1.cp+2 (;=7;)',
  'v128.const': 'v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c',
};

/** The line of text that an instruction should be. */
function lineOf(name: string): string {
  const [, own = ''] = name.split('.');
  const constant = CONSTANTS[name];
  if (constant !== undefined) return constant;
  if (own === 'shuffle') return `i8x16.shuffle ${REVERSED.join(' ')}`;
  // wabt leaves out the alignment that a single byte has anyway.
  const alignment = /^(?:load|store)8(?:[SU]|Lane)?$/.test(own) ? '' : ' align=1';
  const memory = /^(?:load|store)/.test(own) ? ` offset=200${alignment}` : '';
  return `${mnemonic(name)}${memory}${own.endsWith('Lane') ? ' 1' : ''}`;
}

let text: (bytes: Uint8Array) => string;

beforeAll(async () => {
  const wabt = await initialise();
  text = (bytes) => {
    const module = wabt.readWasm(bytes, { simd: true, relaxed_simd: true });
    try {
      module.validate();
      return module.toText({ foldExprs: false, inlineExport: false });
    } finally {
      module.destroy();
    }
  };
});

/** The instructions of a function with one statement, a line each. */
function disassembled(row: Row, leaves: boolean): string[] {
  const bytes = bytesOf((module) => {
    module.function(row.types, null, (code) => {
      const made = row.make(row.types.map((type, index) => code.parameter(index, type)));
      if (leaves) code.let(made as Value);
      else code.effect(made);
    });
  });
  const lines = text(bytes)
    .split('\n')
    .map((line) => line.trim());
  const start = lines.findIndex((line) => line.startsWith('(func'));
  return lines
    .slice(start + 1)
    .filter((line) => line !== '' && !line.startsWith('(local'))
    .map((line) => line.replace(/\)\)$/, ''));
}

test('the tables name every instruction', () => {
  const namespaces = { i32, f32, f64, v128, i8x16, i16x8, i32x4, f32x4, f64x2 };
  const all = Object.entries(namespaces).flatMap(([space, own]) => Object.keys(own).map((name) => `${space}.${name}`));
  expect([...Object.keys(VALUES), ...Object.keys(EFFECTS)].toSorted()).toEqual(all.toSorted());
});

const getsOf = ({ types }: Row): string[] => types.map((_, index) => `local.get ${index}`);

describe('values', () => {
  test.each(Object.entries(VALUES))('%s', (name, row) => {
    expect(disassembled(row, true)).toEqual([...getsOf(row), lineOf(name), `local.set ${row.types.length}`]);
  });
});

describe('effects', () => {
  test.each(Object.entries(EFFECTS))('%s', (name, row) => {
    expect(disassembled(row, false)).toEqual([...getsOf(row), lineOf(name)]);
  });
});

describe('what belongs to no type', () => {
  test('select, whose condition comes last', () => {
    const row = taking(['i32', 'f32', 'f32'], (condition, a, b) => select(condition, a, b));
    const bytes = bytesOf((module) =>
      module.function(row.types, 'f32', (code) => code.result(row.make(row.types.map((type, index) => code.parameter(index, type)))), 'choose'),
    );
    expect(text(bytes)).toMatch(/local\.get 1\s+local\.get 2\s+local\.get 0\s+select/);
  });

  test('the workspace is the imported global', () => {
    const { call } = make((module) => module.function([], 'i32', (code) => code.result(workspace), 'get'));
    expect(call('get')()).toBe(WORKSPACE);
  });
});
