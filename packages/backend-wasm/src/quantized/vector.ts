/**
 * Few rows times a quantized matrix: b is read once, as it lies in memory, four of its rows at a time; a, which is small, is widened before.
 *
 * Words used here:
 * - **step**: 16 values of k. a is padded with zeros to whole steps; so b may be read beyond a row's end.
 */

import type { Callable, Local } from '../assembler/code.ts';
import { f32, f32x4, i16x8, i32, i32x4, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32, V128 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { LANES } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { transpose } from '../product/pack.ts';
import { bitsOf, oneValue } from './values.ts';
import type { Packing, ValueFormat } from './values.ts';

const WORD_BYTES = 4;
const VECTOR_BYTES = 16;
/** Values of a step. */
export const STEP = 16;

/** A product of few rows. */
export interface VectorProduct {
  /** How values of a are held: as 16 bits (pairs) or as 8 (quads; then b has 8 bits too). */
  readonly packing: Packing;
  readonly a: ValueFormat;
  readonly b: ValueFormat;
  /** Values of a group: whole steps; or null. */
  readonly group: number | null;
}

/** Bytes of a step of widened a. */
export function wideStepBytes(packing: Packing): number {
  return packing === 'pairs' ? 2 * STEP : STEP;
}

/**
 * Writes the code that widens a, exported as `run`. A unit is a row. Words: `source`, `k`, `steps`, `target`.
 * Next to 4-bit values of b, the values of a step are held in two vectors, first those at even places: as b's low and high halves lie.
 */
export function writeWiden(module: ModuleWriter, { packing, a, b }: VectorProduct, layout: FrameLayout): void {
  const wide = packing === 'pairs';
  const row = routine(module, ['address', 'number'], (code, { address, number }) => {
    const frame = new Frame(code, layout, address);
    const [k, steps] = [frame.word('k'), frame.word('steps')];
    const source = code.let(i32.add(frame.word('source'), i32.mul(number, k)));
    const target = code.let(i32.add(frame.word('target'), i32.mul(i32.mul(number, steps), i32.const(wideStepBytes(packing)))));
    code.for(i32.mul(steps, i32.const(STEP)), (i) => {
      const value = code.local('i32');
      code.if(
        i32.ltS(i, k),
        () => code.set(value, oneValue(a, i32.add(source, i), 0)),
        () => code.set(value, i32.const(0)),
      );
      const odd = i32.and(i, i32.const(1));
      const inStep = i32.and(i, i32.const(STEP - 1));
      const split = i32.add(i32.sub(i, inStep), i32.add(i32.shl(odd, i32.const(3)), i32.shrU(inStep, i32.const(1))));
      const place = b === 'halves' ? split : i;
      if (wide) code.effect(i32.store16(i32.add(target, i32.shl(place, i32.const(1))), value));
      else code.effect(i32.store8(i32.add(target, place), value));
    });
  });
  writeRun(module, (code, frame, number) => code.run(row, [frame, number]));
}

/** `sum` and the products of a step. `a` is the address of its widened values, `b` that of a row of b. */
function multiplyStep({ packing, b: format }: VectorProduct, a: readonly V128[], b: I32, sum: V128, code: { let: (value: V128) => V128 }): V128 {
  const [first, second] = a;
  if (first === undefined) return sum;
  if (second === undefined || packing === 'quads') return i32x4.relaxedDotI8x16I7x16AddS(v128.load(b), first, sum);
  const pairs = (low: V128, high: V128): V128 => i32x4.add(i32x4.add(sum, i32x4.dotI16x8S(first, low)), i32x4.dotI16x8S(second, high));
  if (format !== 'halves') return pairs(v128.load8x8S(b), v128.load8x8S(b, STEP / 2));
  const bytes = code.let(v128.load8x8S(b));
  return pairs(i16x8.shrS(i16x8.shl(bytes, i32.const(12)), i32.const(12)), i16x8.shrS(bytes, i32.const(4)));
}

/** `four(a, b, rowBytes, rowsLeft, steps, c, scales, scaleRowBytes)`: one row of a times four rows of b; rows beyond the last are copies of it. */
function writeFour(module: ModuleWriter, product: VectorProduct): Callable {
  const names = ['a', 'b', 'rowBytes', 'rowsLeft', 'steps', 'c', 'scales', 'scaleRowBytes'] as const;
  return routine(module, names, (code, { a, b, rowBytes, rowsLeft, steps, c, scales, scaleRowBytes }) => {
    const last = code.let(i32.sub(rowsLeft, i32.const(1)));
    const rowsFrom = (start: I32, stride: I32): Local<'i32'>[] =>
      [0, 1, 2, 3].map((r) => code.let(i32.add(start, i32.mul(least(code, i32.const(r), last), stride))));
    const rows = rowsFrom(b, rowBytes);
    const sums = rows.map(() => code.local('v128'));
    const stepBytes = (STEP * bitsOf(product.b)) / 8;
    const add = (count: Local<'i32'>): void => {
      code.while(count, () => {
        const wide = Array.from({ length: wideStepBytes(product.packing) / VECTOR_BYTES }, (_, j) => code.let(v128.load(a, j * VECTOR_BYTES)));
        rows.forEach((row, r) => {
          const sum = sums[r];
          if (sum === undefined) return;
          code.set(sum, multiplyStep(product, wide, row, sum, code));
          code.set(row, i32.add(row, i32.const(stepBytes)));
        });
        code.set(a, i32.add(a, i32.const(wideStepBytes(product.packing))));
        code.set(count, i32.sub(count, i32.const(1)));
      });
    };
    /** The four sums, each over its vector. */
    const joined = (): V128 => transpose(code, sums).reduce((x, y) => i32x4.add(x, y));
    if (product.group === null) {
      add(steps);
      code.effect(v128.store(c, joined()));
      return;
    }
    const zero = f32x4.splat(f32.const(0));
    const scaleRows = rowsFrom(scales, scaleRowBytes);
    const total = code.local('v128');
    const scale = code.local('v128');
    code.while(steps, () => {
      const count = least(code, steps, i32.const(product.group === null ? 0 : product.group / STEP));
      code.set(steps, i32.sub(steps, count));
      for (const sum of sums) code.set(sum, zero);
      add(count);
      scaleRows.forEach((row, r) => {
        code.set(scale, v128.load32Lane(row, scale, r));
        code.set(row, i32.add(row, i32.const(WORD_BYTES)));
      });
      code.set(total, f32x4.add(total, f32x4.mul(f32x4.convertI32x4S(joined()), scale)));
    });
    code.effect(v128.store(c, total));
  });
}

/**
 * Writes the product, exported as `run`. A unit is some rows of b, with all rows of a.
 * Words: `a` (widened), `m`, `b`, `n`, `rowBytes`, `steps`, `c` (rows of whole vectors), `cRowBytes`, `rowsPerUnit`, `scales`, `scaleRowBytes`.
 */
export function writeVectorProduct(module: ModuleWriter, product: VectorProduct, layout: FrameLayout): void {
  const four = writeFour(module, product);
  const unit = routine(module, ['address', 'number'], (code, { address, number }) => {
    const frame = new Frame(code, layout, address);
    for (const word of ['a', 'm', 'b', 'n', 'rowBytes', 'steps', 'c', 'cRowBytes', 'rowsPerUnit', 'scales', 'scaleRowBytes']) frame.preload(word);
    const first = code.let(i32.mul(number, frame.word('rowsPerUnit')));
    const end = least(code, i32.add(first, frame.word('rowsPerUnit')), frame.word('n'));
    const aRowBytes = code.let(i32.mul(frame.word('steps'), i32.const(wideStepBytes(product.packing))));
    code.for(
      end,
      (row) => {
        const [a, c] = [code.let(frame.word('a')), code.let(i32.add(frame.word('c'), i32.mul(row, i32.const(WORD_BYTES))))];
        code.for(frame.word('m'), () => {
          code.run(four, [
            a,
            i32.add(frame.word('b'), i32.mul(row, frame.word('rowBytes'))),
            frame.word('rowBytes'),
            i32.sub(frame.word('n'), row),
            frame.word('steps'),
            c,
            i32.add(frame.word('scales'), i32.mul(row, frame.word('scaleRowBytes'))),
            frame.word('scaleRowBytes'),
          ]);
          code.set(a, i32.add(a, aRowBytes));
          code.set(c, i32.add(c, frame.word('cRowBytes')));
        });
      },
      first,
      i32.const(LANES),
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
