/**
 * `pool`: maxima and averages over windows, and their gradients.
 *
 * A unit is some planes: a plane's gradients are added up by one call, row of windows by row of windows, so that units write disjoint memory
 * and the order of the additions depends on sizes alone.
 */

import { DTYPES, keptSizes, operandPositions } from '@gradus/backend';
import type { PoolKernel } from '@gradus/backend';
import type { Callable, Code, Local } from '../assembler/code.ts';
import { i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { inFloats, storedDType } from '../kernels/point.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { UNIT_POINTS, least, writeRun } from '../kernels/units.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { vectorLanes } from '../lanes/vector.ts';
import { Frame, FrameLayout } from '../launch/frame.ts';
import { NOTHING } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { Words } from '../launch/words.ts';
import { namedAxes } from '../lowering/space.ts';
import type { Space } from '../lowering/space.ts';
import { epiloguePlanner, isPlain } from '../product/epilogue.ts';
import { sumDType, writeAverageGradient, writeMaximumGradient } from './backward.ts';
import { WindowRow } from './columns.ts';
import { writeAverage, writeMaximum } from './forward.ts';
import { alongOf, coveredRows, innerColumns, masksAllowed } from './geometry.ts';

const WORD_BYTES = 4;
const VECTOR_BYTES = 16;
/** Windows that cover more rows of cells than this are walked by a loop. */
const MOST_ROWS_UNROLLED = 4;

/** The operands by what they are to the kernel. An average has no x. */
interface Roles {
  /** What is compared; null for averages. */
  readonly x: number | null;
  /** Values on the way forward, gradients on the way back. */
  readonly other: number;
}

function rolesOf({ mode }: PoolKernel): Roles {
  return mode === 'max' ? { x: 0, other: 1 } : { x: null, other: 0 };
}

/** The dtype of what a maximum selects, or of what is averaged. */
function pooledDType(kernel: PoolKernel): StoredDType {
  return storedDType(kernel.operands[rolesOf(kernel).other]);
}

/** The functions for a row of windows. */
interface RowCode {
  /** How many rows of cells `whole` is made for. */
  readonly usual: number;
  readonly whole: Callable | null;
  readonly any: Callable;
}

/** The code of one pooling. */
class PoolWriter {
  readonly #module: ModuleWriter;
  readonly #kernel: PoolKernel;
  readonly #layout: FrameLayout;
  readonly #simd: boolean;
  readonly #xDType: StoredDType;
  readonly #otherDType: StoredDType;

  constructor(module: ModuleWriter, kernel: PoolKernel, layout: FrameLayout, simd: boolean) {
    this.#module = module;
    this.#kernel = kernel;
    this.#layout = layout;
    this.#simd = simd;
    const compared = storedDType(kernel.operands[rolesOf(kernel).x ?? 0]);
    // Bools are compared as the bytes 0 and 1.
    this.#xDType = compared === 'bool' ? 'uint8' : compared;
    this.#otherDType = pooledDType(kernel);
  }

  /** The entry is exported as `run`. */
  write(): void {
    const { mode, pass } = this.#kernel;
    // Where both operands of a maximum are the same memory, selecting is not needed.
    const mayBeSame = mode === 'max' && pass === 'forward' && inFloats(this.#xDType) && this.#xDType === this.#otherDType;
    const row = this.#row(false);
    const sameRow = mayBeSame && this.#simd ? this.#row(true) : row;
    const unit = this.#module.function(['i32', 'i32'], null, (code) => this.#unit(code, row, sameRow));
    writeRun(this.#module, (code, frame, number) => code.run(unit, [frame, number]));
  }

  /** A row of windows, in two versions: one for as many rows of cells as most of them cover, if those are few, and one for any number. */
  #row(same: boolean): RowCode {
    const usual = this.#kernel.window.size.slice(0, -1).reduce((a, b) => a * b, 1);
    return { usual, whole: usual <= MOST_ROWS_UNROLLED && this.#simd ? this.#rowOf(usual, same) : null, any: this.#rowOf(null, same) };
  }

  /** `row(frame, x, other, result, begin, end)`: one row of windows; the table's entries for the rows it covers are given last. */
  #rowOf(count: number | null, same: boolean): Callable {
    const { mode, pass, window, countPadding } = this.#kernel;
    return this.#module.function(['i32', 'i32', 'i32', 'i32', 'i32', 'i32'], null, (code) => {
      const at = (index: number): Local<'i32'> => code.parameter(index, 'i32');
      const frame = new Frame(code, this.#layout, at(0));
      const windows = new WindowRow(code, frame, alongOf(window), at(4), at(5), count, this.#simd);
      const size = window.size.reduce((a, b) => a * b, 1);
      const [x, other, result] = [at(1), at(2), at(3)];
      const dtypes = { xDType: this.#xDType, valueDType: this.#otherDType, gradientDType: this.#otherDType };
      if (pass === 'forward') {
        const row = { windows, x, values: other, result, ...dtypes };
        if (mode === 'max') writeMaximum(row, same);
        else writeAverage(row, countPadding, size);
        return;
      }
      const row = { windows, x, gradient: other, result, ...dtypes };
      if (mode === 'max') writeMaximumGradient(row);
      else writeAverageGradient(row, countPadding, size);
    });
  }

  /** Calls the version for a row. */
  #callRow(code: Code, { usual, whole, any }: RowCode, args: readonly I32[], rows: I32): void {
    if (whole === null) code.run(any, args);
    else
      code.if(
        i32.eq(rows, i32.const(usual)),
        () => code.run(whole, args),
        () => code.run(any, args),
      );
  }

  #unit(code: Code, row: RowCode, sameRow: RowCode): void {
    const frame = new Frame(code, this.#layout, code.parameter(0, 'i32'));
    const names = ['x', 'other', 'result', 'xPlane', 'otherPlane', 'resultPlane', 'starts', 'cells', 'rows', 'outputWidth'];
    for (const name of names) frame.preload(name);
    const first = code.let(i32.mul(code.parameter(1, 'i32'), frame.word('planesPerUnit')));
    const end = least(code, i32.add(first, frame.word('planesPerUnit')), frame.word('planes'));
    const forward = this.#kernel.pass === 'forward';
    const rowBytes = (bytes: number): Local<'i32'> => code.let(i32.mul(frame.word('outputWidth'), i32.const(bytes)));
    // The operands that move on with the rows of windows.
    const otherRow = forward ? i32.const(0) : rowBytes(DTYPES[this.#otherDType].bytes);
    const resultRow = forward ? rowBytes(WORD_BYTES) : i32.const(0);
    const place = (name: string, plane: I32): Local<'i32'> => code.let(i32.add(frame.word(name), i32.mul(plane, frame.word(`${name}Plane`))));
    if (!forward) this.#clear(code, place('result', first), place('result', end));
    code.for(
      end,
      (plane) => {
        const [x, other, result] = [place('x', plane), place('other', plane), place('result', plane)];
        code.for(frame.word('rows'), (r) => {
          const start = code.let(i32.add(frame.word('starts'), i32.mul(r, i32.const(WORD_BYTES))));
          const [begin, close] = [code.let(i32.load(start)), code.let(i32.load(start, WORD_BYTES))];
          const entry = (index: I32): I32 => i32.add(frame.word('cells'), i32.mul(index, i32.const(WORD_BYTES)));
          const args = [code.parameter(0, 'i32'), x, other, result, entry(begin), entry(close)];
          const count = code.let(i32.sub(close, begin));
          if (sameRow === row) this.#callRow(code, row, args, count);
          else
            code.if(
              i32.eq(x, other),
              () => this.#callRow(code, sameRow, args, count),
              () => this.#callRow(code, row, args, count),
            );
          code.set(other, i32.add(other, otherRow));
          code.set(result, i32.add(result, resultRow));
        });
      },
      first,
    );
  }

  /** Zeros from one address up to another. */
  #clear(code: Code, from: I32, to: I32): void {
    const at = code.let(from);
    if (this.#simd) {
      const last = code.let(i32.sub(to, i32.const(VECTOR_BYTES)));
      const zero = vectorLanes(code).int(0);
      code.while(i32.leU(at, last), () => {
        code.effect(v128.store(at, zero));
        code.set(at, i32.add(at, i32.const(VECTOR_BYTES)));
      });
    }
    code.while(i32.ltU(at, to), () => {
      code.effect(i32.store(at, i32.const(0)));
      code.set(at, i32.add(at, i32.const(WORD_BYTES)));
    });
  }
}

/** The space that a pooling's epilogue runs over. */
function keptSpace(kernel: PoolKernel, dims: Int32Array): Space {
  const positions = operandPositions(kernel);
  const named = namedAxes(kernel.outputs.map((output) => output.value));
  const begin = (k: number): number => positions[k] ?? 0;
  return {
    axes: keptSizes(kernel, dims).map((size, axis) => ({
      size,
      strides: kernel.operands.map(({ dtype, layout, space }, k) =>
        layout === 'indexed' || space === 'full' ? 0 : DTYPES[dtype].bytes * (dims[begin(k) + 1 + axis] ?? 0),
      ),
      name: named.has(axis) ? axis : null,
    })),
    offsets: kernel.operands.map(({ dtype }, k) => DTYPES[dtype].bytes * (dims[begin(k)] ?? 0)),
    lengths: kernel.operands.map(({ layout }, k) => (layout === 'indexed' ? (dims[begin(k) + 1] ?? 0) : 0)),
  };
}

/** Strides in bytes of a dense array of words. */
function denseStrides(sizes: readonly number[]): number[] {
  let stride = WORD_BYTES;
  return sizes
    .toReversed()
    .map((size) => {
      const own = stride;
      stride *= size;
      return own;
    })
    .toReversed();
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Plans runs of a pooling. */
export function preparePool(kernel: PoolKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  const { window, pass } = kernel;
  const spatial = window.size.length;
  const dtype = pooledDType(kernel);
  const accumulated = sumDType(dtype);
  const epilogue = epiloguePlanner(kernel, 2 + spatial, dtype, toolchain, accumulated);
  const roles = rolesOf(kernel);
  return (dims) => {
    const [images = 0, channels = 0] = dims;
    const input = [...dims.subarray(2, 2 + spatial)];
    const output = [...dims.subarray(2 + spatial, 2 + 2 * spatial)];
    const kept = keptSpace(kernel, dims);
    const sizes = kept.axes.map((axis) => axis.size);
    if (product(sizes) === 0) return NOTHING;
    code ??= toolchain.build((module) => new PoolWriter(module, kernel, layout, toolchain.features.simd).write());
    const planes = images * channels;
    const [inputs, outputs] = [product(input), product(output)];
    const results = pass === 'forward' ? outputs : inputs;
    const { starts, cells } = coveredRows(window, input, output);
    const inner = innerColumns(alongOf(window), input.at(-1) ?? 0, output.at(-1) ?? 0);
    const planesPerUnit = Math.max(1, Math.min(planes, Math.floor(UNIT_POINTS / Math.max(1, results))));
    const words = new Words()
      .constant('planes', planes)
      .constant('planesPerUnit', planesPerUnit)
      .constant('rows', starts.length - 1)
      .constant('inputWidth', input.at(-1) ?? 0)
      .constant('outputWidth', output.at(-1) ?? 0)
      .constant('firstInner', inner.first)
      .constant('endInner', inner.end)
      .constant('masksAllowed', Number(masksAllowed(alongOf(window), input.at(-1) ?? 0, output.at(-1) ?? 0)))
      .table('starts', 0)
      .table('cells', WORD_BYTES * starts.length);
    const bytesOf = (operand: number): number => DTYPES[storedDType(kernel.operands[operand])].bytes;
    if (roles.x === null) words.constant('x', 0).constant('xPlane', 0);
    else words.operand('x', roles.x, kept.offsets[roles.x] ?? 0).constant('xPlane', inputs * bytesOf(roles.x));
    words.operand('other', roles.other, kept.offsets[roles.other] ?? 0);
    words.constant('otherPlane', (pass === 'forward' ? inputs : outputs) * bytesOf(roles.other));
    const dense = denseStrides(sizes);
    const written = kernel.outputs[0]?.operand ?? 0;
    const inPlace =
      isPlain(kernel, dtype) && accumulated === dtype && kept.axes.every((axis, i) => axis.size === 1 || axis.strides[written] === dense[i]);
    words.constant('resultPlane', results * WORD_BYTES);
    if (inPlace) words.operand('result', written, kept.offsets[written] ?? 0);
    else words.scratch('result', 0);
    const pooling = { code, units: Math.ceil(planes / planesPerUnit), words: words.inOrderOf(layout) };
    const accumulators: Space = { ...kept, axes: kept.axes.map((axis, i) => ({ ...axis, strides: [...axis.strides, dense[i] ?? 0] })) };
    const finish = inPlace ? null : epilogue(accumulators, (more) => more.scratch(`address${kernel.operands.length}`, 0));
    return {
      phases: finish === null ? [pooling] : [pooling, finish],
      scratchBytes: inPlace ? 0 : planes * results * WORD_BYTES,
      table: Int32Array.from([...starts, ...cells]),
    };
  };
}
