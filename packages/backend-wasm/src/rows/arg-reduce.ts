/** `argReduce`: the place of each row's first extreme. One pass finds the extreme, a second the first element that equals it. */

import { DTYPES } from '@gradus/backend';
import type { ArgReduceKernel } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { f32, f32x4, i32, i32x4, select, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { F32, I32, Type, Value } from '../assembler/value.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { identityOf } from '../kernels/folds.ts';
import { inFloats, storedDType } from '../kernels/point.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { Elements, StoredDType } from '../lanes/elements.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { denseWords, divideRows, writeRows } from './dense.ts';

const WORD_BYTES = 4;
/** Vectors that look for the extreme side by side. */
const CHAINS = 4;

/** The extreme so far of some lanes; for floats, also where a NaN was met. */
class Extreme<F extends Type, I extends Type> {
  readonly #lanes: Lanes<F, I>;
  readonly #dtype: StoredDType;
  readonly #fold: ArgReduceKernel['fold'];
  readonly #float: Local<F>;
  readonly #int: Local<I>;
  readonly #broken: Local<I>;

  constructor(lanes: Lanes<F, I>, dtype: StoredDType, fold: ArgReduceKernel['fold']) {
    const { code } = lanes;
    const identity = identityOf(fold, dtype);
    this.#lanes = lanes;
    this.#dtype = dtype;
    this.#fold = fold;
    this.#float = code.let(lanes.float(inFloats(dtype) ? identity : 0));
    this.#int = code.let(lanes.int(inFloats(dtype) ? 0 : identity));
    this.#broken = code.let(lanes.int(0));
  }

  get float(): Value<F> {
    return this.#float;
  }

  get int(): Value<I> {
    return this.#int;
  }

  get broken(): Value<I> {
    return this.#broken;
  }

  meet(float: Value<F> | null, int: Value<I> | null): void {
    const { code, f, i } = this.#lanes;
    const largest = this.#fold === 'max';
    if (float !== null) {
      code.set(this.#float, (largest ? f.pmax : f.pmin)(this.#float, float));
      code.set(this.#broken, i.or(this.#broken, f.ne(float, float)));
    } else if (int !== null) {
      const unsigned = this.#dtype === 'uint32';
      const extreme = largest ? (unsigned ? i.maxU : i.maxS) : unsigned ? i.minU : i.minS;
      code.set(this.#int, extreme(this.#int, int));
    }
  }
}

/** The search in one row. */
class RowSearch {
  readonly #code: Code;
  readonly #dtype: StoredDType;
  readonly #fold: ArgReduceKernel['fold'];
  readonly #start: I32;
  readonly #end: I32;
  /** The end of the row's whole vectors. */
  readonly #vectorEnd: I32 | null;

  constructor(code: Code, dtype: StoredDType, fold: ArgReduceKernel['fold'], start: I32, columns: I32, simd: boolean) {
    const bytes = i32.const(DTYPES[dtype].bytes);
    this.#code = code;
    this.#dtype = dtype;
    this.#fold = fold;
    this.#start = start;
    this.#end = code.let(i32.add(start, i32.mul(columns, bytes)));
    this.#vectorEnd = simd ? code.let(i32.add(start, i32.mul(i32.and(columns, i32.const(-LANES)), bytes))) : null;
  }

  get #bytes(): number {
    return DTYPES[this.#dtype].bytes;
  }

  /** The place of the first extreme. */
  find(): I32 {
    const code = this.#code;
    const extreme = this.#extreme();
    const at = code.let(this.#start);
    if (this.#vectorEnd !== null) {
      const lanes = vectorLanes(code);
      const best = code.let(inFloats(this.#dtype) ? f32x4.splat(extreme.float) : i32x4.splat(extreme.int));
      this.#skip(lanes, vectorElements(lanes), at, this.#vectorEnd, (float, int) => v128.anyTrue(this.#hits(lanes, float, int, best, best)));
    }
    const one = scalarLanes(code);
    this.#skip(one, scalarElements(one), at, this.#end, (float, int) => this.#hits(one, float, int, extreme.float, extreme.int));
    return i32.divU(i32.sub(at, this.#start), i32.const(this.#bytes));
  }

  /** The extreme of the row: NaN where there is one. */
  #extreme(): { readonly float: F32; readonly int: I32 } {
    const code = this.#code;
    const one = scalarLanes(code);
    const result = new Extreme(one, this.#dtype, this.#fold);
    const at = code.let(this.#start);
    if (this.#vectorEnd !== null) {
      const lanes = vectorLanes(code);
      const elements = vectorElements(lanes);
      const chains = Array.from({ length: CHAINS }, () => new Extreme(lanes, this.#dtype, this.#fold));
      const step = LANES * this.#bytes;
      for (const used of [chains, chains.slice(0, 1)]) {
        const last = code.let(i32.sub(this.#vectorEnd, i32.const(used.length * step)));
        code.while(i32.leU(at, last), () => {
          used.forEach((chain, k) => {
            const { float, int } = elements.load(this.#dtype, at, 'unit', k * step);
            chain.meet(float, int);
          });
          code.set(at, i32.add(at, i32.const(used.length * step)));
        });
      }
      for (const chain of chains)
        for (const lane of [0, 1, 2, 3]) {
          if (inFloats(this.#dtype)) {
            // A lane that met a NaN hands on a NaN.
            const value = f32x4.extractLane(v128.or(chain.float, chain.broken), lane);
            result.meet(code.let(value), null);
          } else result.meet(null, i32x4.extractLane(chain.int, lane));
        }
    }
    const elements = scalarElements(one);
    code.while(i32.ltU(at, this.#end), () => {
      const { float, int } = elements.load(this.#dtype, at, 'unit');
      result.meet(float, int);
      code.set(at, i32.add(at, i32.const(this.#bytes)));
    });
    return { float: code.let(select(result.broken, f32.const(NaN), result.float)), int: result.int };
  }

  /** Which lanes are the extreme, or NaN? */
  #hits<F extends Type, I extends Type>(
    { f, i }: Lanes<F, I>,
    float: Value<F> | null,
    int: Value<I> | null,
    bestFloat: Value<F>,
    bestInt: Value<I>,
  ): Value<I> {
    if (float !== null) return i.or(f.eq(float, bestFloat), f.ne(float, float));
    return i.eq(int ?? bestInt, bestInt);
  }

  /** Moves `at` on to the first place where `hit` holds, at most to `end`. */
  #skip<F extends Type, I extends Type>(
    lanes: Lanes<F, I>,
    elements: Elements<Value<F>, Value<I>>,
    at: Local<'i32'>,
    end: I32,
    hit: (float: Value<F> | null, int: Value<I> | null) => I32,
  ): void {
    const code = this.#code;
    const stop = code.let(end);
    code.while(i32.ltU(at, stop), () => {
      const { float, int } = elements.load(this.#dtype, at, 'unit');
      code.if(
        hit(float, int),
        () => code.set(stop, at),
        () => code.set(at, i32.add(at, i32.const(lanes.width * this.#bytes))),
      );
    });
  }
}

function writeArgReduce(module: ModuleWriter, kernel: ArgReduceKernel, layout: FrameLayout, simd: boolean): void {
  const stored = storedDType(kernel.operands[0]);
  // Bools are compared as the bytes 0 and 1.
  const dtype = stored === 'bool' ? 'uint8' : stored;
  writeRows(module, layout, (code, frame) => {
    const columns = frame.preload('columns');
    const [x, places] = [frame.preload('address0'), frame.preload('address1')];
    const rowBytes = code.let(i32.mul(columns, i32.const(DTYPES[dtype].bytes)));
    return (row) => {
      const start = code.let(i32.add(x, i32.mul(row, rowBytes)));
      const place = new RowSearch(code, dtype, kernel.fold, start, columns, simd).find();
      code.effect(i32.store(i32.add(places, i32.mul(row, i32.const(WORD_BYTES))), place));
    };
  });
}

/** Plans runs of a search for extremes. */
export function prepareArgReduce(kernel: ArgReduceKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  return (dims) => {
    const [rows = 0, columns = 0] = dims;
    if (rows === 0) return NOTHING;
    code ??= toolchain.build((module) => writeArgReduce(module, kernel, layout, toolchain.features.simd));
    const words = denseWords(kernel, dims);
    const units = divideRows(words, rows, columns);
    return onePhase({ code, units, words: words.inOrderOf(layout) });
  };
}
