/**
 * `sort`: stable, each row by itself.
 *
 * Words used here:
 * - **key**: an unsigned number of as many bits as the dtype has, in the order that elements have. Equal elements (both zeros, all NaN) have
 *   equal keys; for descending order keys are complemented.
 * - **pair**: a key and the place that it comes from.
 *
 * Short rows are sorted by insertion, longer ones by radix, a byte at a time from the lowest: n steps a byte, and none for a byte that is the
 * same in all keys.
 */

import { DTYPES } from '@gradus/backend';
import type { SortKernel } from '@gradus/backend';
import type { Callable, Code, Local } from '../assembler/code.ts';
import { i32, select } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { storedDType } from '../kernels/point.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { denseWords, divideRows, writeRows } from './dense.ts';

const WORD_BYTES = 4;
const PAIR_BYTES = 8;
/** Counts of one byte's values. */
const COUNTERS = 256;
const COUNTER_BYTES = COUNTERS * WORD_BYTES;
/** Rows up to this long are sorted by insertion: clearing and adding up the counters costs as much as that. */
const INSERTION_LENGTH = 64;
/** Most units of a launch, and most scratch: each unit has its own. */
const MOST_UNITS = 16;
const MOST_SCRATCH_BYTES = 2 ** 26;

/** Where floats have their infinity: what has a larger magnitude is NaN. */
const INFINITY_BITS: { readonly [D in StoredDType]?: number } = { float32: 0x7f800000, float16: 0x7c00, bfloat16: 0x7f80 };

function bitsOf(dtype: StoredDType): number {
  return 8 * DTYPES[dtype].bytes;
}

/** An element's bits. */
function loadBits(dtype: StoredDType, address: I32): I32 {
  const { bytes } = DTYPES[dtype];
  if (bytes === 4) return i32.load(address);
  return bytes === 2 ? i32.load16U(address) : i32.load8U(address);
}

function storeBits(code: Code, dtype: StoredDType, address: I32, bits: I32): void {
  const { bytes } = DTYPES[dtype];
  if (bytes === 4) code.effect(i32.store(address, bits));
  else code.effect(bytes === 2 ? i32.store16(address, bits) : i32.store8(address, bits));
}

/** The key of an element. */
function keyOf(code: Code, dtype: StoredDType, element: I32, descending: boolean): I32 {
  const bits = bitsOf(dtype);
  // As i32 has them: all 32 bits set are -1.
  const all = i32.const(bits === 32 ? -1 : 2 ** bits - 1);
  const sign = i32.const(bits === 32 ? -0x80000000 : 2 ** (bits - 1));
  const ordered = (): I32 => {
    const infinity = INFINITY_BITS[dtype];
    if (infinity === undefined) return DTYPES[dtype].kind === 'int' && DTYPES[dtype].min < 0 ? i32.xor(element, sign) : element;
    const magnitude = code.let(i32.and(element, i32.const(bits === 32 ? 0x7fffffff : 2 ** (bits - 1) - 1)));
    const negative = i32.and(i32.and(element, sign), select(i32.eqz(magnitude), i32.const(0), sign));
    const number = select(negative, i32.xor(element, all), i32.or(magnitude, sign));
    return select(i32.gtU(magnitude, i32.const(infinity)), all, number);
  };
  return descending ? i32.xor(ordered(), all) : ordered();
}

/** The bytes of scratch that a unit needs: two arrays of pairs, and the counters of each byte of a key. */
function scratchOf(dtype: StoredDType, columns: number): number {
  return 2 * columns * PAIR_BYTES + DTYPES[dtype].bytes * COUNTER_BYTES;
}

/** `sortRow(x, values, places, columns, scratch)` */
function writeSortRow(module: ModuleWriter, dtype: StoredDType, descending: boolean): Callable {
  return module.function(['i32', 'i32', 'i32', 'i32', 'i32'], null, (code) => {
    const at = (index: number): Local<'i32'> => code.parameter(index, 'i32');
    const [x, values, places, columns, scratch] = [at(0), at(1), at(2), at(3), at(4)];
    const pairBytes = code.let(i32.mul(columns, i32.const(PAIR_BYTES)));
    const source = code.let(scratch);
    code.if(
      i32.leS(columns, i32.const(INSERTION_LENGTH)),
      () => insert(code, dtype, descending, x, source, columns),
      () => {
        const target = code.let(i32.add(scratch, pairBytes));
        const counters = code.let(i32.add(target, pairBytes));
        count(code, dtype, descending, x, source, columns, counters);
        for (let byte = 0; byte < DTYPES[dtype].bytes; byte++)
          distribute(code, byte, source, target, pairBytes, columns, code.let(i32.add(counters, i32.const(byte * COUNTER_BYTES))));
      },
    );
    // The values follow their places.
    const { bytes } = DTYPES[dtype];
    code.for(columns, (i) => {
      const place = code.let(i32.load(i32.add(source, i32.mul(i, i32.const(PAIR_BYTES))), WORD_BYTES));
      code.effect(i32.store(i32.add(places, i32.mul(i, i32.const(WORD_BYTES))), place));
      const element = loadBits(dtype, i32.add(x, i32.mul(place, i32.const(bytes))));
      storeBits(code, dtype, i32.add(values, i32.mul(i, i32.const(bytes))), element);
    });
  });
}

/** Sorts the row's pairs into `pairs`, each put in its place among those before. */
function insert(code: Code, dtype: StoredDType, descending: boolean, x: I32, pairs: I32, columns: I32): void {
  code.for(columns, (i) => {
    const element = code.let(loadBits(dtype, i32.add(x, i32.mul(i, i32.const(DTYPES[dtype].bytes)))));
    const key = code.let(keyOf(code, dtype, element, descending));
    const at = code.let(i32.add(pairs, i32.mul(i, i32.const(PAIR_BYTES))));
    const open = code.let(i32.gtU(at, pairs));
    code.while(open, () => {
      const before = code.let(i32.sub(at, i32.const(PAIR_BYTES)));
      const other = code.let(i32.load(before));
      code.if(
        i32.gtU(other, key),
        () => {
          writePair(code, at, other, i32.load(before, WORD_BYTES));
          code.set(at, before);
          code.set(open, i32.gtU(at, pairs));
        },
        () => code.set(open, i32.const(0)),
      );
    });
    writePair(code, at, key, i);
  });
}

function writePair(code: Code, address: I32, key: I32, place: I32): void {
  code.effect(i32.store(address, key));
  code.effect(i32.store(address, place, WORD_BYTES));
}

function increment(code: Code, counter: I32): void {
  const at = code.let(counter);
  code.effect(i32.store(at, i32.add(i32.load(at), i32.const(1))));
}

function byteOf(key: I32, byte: number): I32 {
  return i32.and(i32.shrU(key, i32.const(8 * byte)), i32.const(0xff));
}

/** Writes the row's pairs as they come, and counts the values that each byte of a key has. */
function count(code: Code, dtype: StoredDType, descending: boolean, x: I32, pairs: I32, columns: I32, counters: I32): void {
  const { bytes } = DTYPES[dtype];
  code.for(i32.const(COUNTERS * bytes), (i) => code.effect(i32.store(i32.add(counters, i32.mul(i, i32.const(WORD_BYTES))), i32.const(0))));
  code.for(columns, (i) => {
    const element = code.let(loadBits(dtype, i32.add(x, i32.mul(i, i32.const(bytes)))));
    const key = code.let(keyOf(code, dtype, element, descending));
    writePair(code, code.let(i32.add(pairs, i32.mul(i, i32.const(PAIR_BYTES)))), key, i);
    for (let byte = 0; byte < bytes; byte++)
      increment(code, i32.add(counters, i32.add(i32.mul(byteOf(key, byte), i32.const(WORD_BYTES)), i32.const(byte * COUNTER_BYTES))));
  });
}

/** Moves pairs to where their byte puts them, in the order that they have; then source and target change places. */
function distribute(code: Code, byte: number, source: Local<'i32'>, target: Local<'i32'>, pairBytes: I32, columns: I32, counters: I32): void {
  const counterOf = (key: I32): I32 => i32.add(counters, i32.mul(byteOf(key, byte), i32.const(WORD_BYTES)));
  // If the first key's byte is that of all, they are in order.
  code.if(i32.ne(i32.load(counterOf(i32.load(source))), columns), () => {
    // Counts become the address that the next pair with this value goes to.
    const next = code.let(target);
    code.for(i32.const(COUNTERS), (value) => {
      const at = code.let(i32.add(counters, i32.mul(value, i32.const(WORD_BYTES))));
      const size = code.let(i32.load(at));
      code.effect(i32.store(at, next));
      code.set(next, i32.add(next, i32.mul(size, i32.const(PAIR_BYTES))));
    });
    const from = code.let(source);
    const end = code.let(i32.add(source, pairBytes));
    code.while(i32.ltU(from, end), () => {
      const key = code.let(i32.load(from));
      const counter = code.let(counterOf(key));
      const to = code.let(i32.load(counter));
      writePair(code, to, key, i32.load(from, WORD_BYTES));
      code.effect(i32.store(counter, i32.add(to, i32.const(PAIR_BYTES))));
      code.set(from, i32.add(from, i32.const(PAIR_BYTES)));
    });
    const old = code.let(source);
    code.set(source, target);
    code.set(target, old);
  });
}

function writeSort(module: ModuleWriter, kernel: SortKernel, layout: FrameLayout): void {
  const dtype = storedDType(kernel.operands[0]);
  const sortRow = writeSortRow(module, dtype, kernel.descending);
  writeRows(module, layout, (code, frame, unit) => {
    const columns = frame.preload('columns');
    const [x, values, places] = [frame.preload('address0'), frame.preload('address1'), frame.preload('address2')];
    const scratch = code.let(i32.add(frame.word('scratch'), i32.mul(unit, frame.word('scratchBytes'))));
    const rowBytes = code.let(i32.mul(columns, i32.const(DTYPES[dtype].bytes)));
    const rowOfPlaces = code.let(i32.mul(columns, i32.const(WORD_BYTES)));
    return (row) => {
      const offset = code.let(i32.mul(row, rowBytes));
      const placesOfRow = i32.add(places, i32.mul(row, rowOfPlaces));
      code.run(sortRow, [i32.add(x, offset), i32.add(values, offset), placesOfRow, columns, scratch]);
    };
  });
}

/** Plans runs of a sort. */
export function prepareSort(kernel: SortKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  const dtype = storedDType(kernel.operands[0]);
  let code: UnitCode | null = null;
  return (dims) => {
    const [rows = 0, columns = 0] = dims;
    if (rows === 0 || columns === 0) return NOTHING;
    code ??= toolchain.build((module) => writeSort(module, kernel, layout));
    const bytes = scratchOf(dtype, columns);
    const words = denseWords(kernel, dims).scratch('scratch', 0).constant('scratchBytes', bytes);
    const most = Math.max(1, Math.min(MOST_UNITS, Math.floor(MOST_SCRATCH_BYTES / bytes)));
    const units = divideRows(words, rows, columns, Math.ceil(rows / most));
    return { phases: [{ code, units, words: words.inOrderOf(layout) }], scratchBytes: units * bytes, table: null };
  };
}
