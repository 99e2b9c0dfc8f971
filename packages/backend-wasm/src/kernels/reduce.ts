/**
 * `reduce`: for each kept point, folds over the folded loops, then the epilogue. In one of two ways:
 *
 * - **along**: vectors run along the innermost folded loop, with several accumulators side by side. Good where folded elements lie together.
 * - **across**: four neighbouring results accumulate in one vector, each walking its own folded elements. Good where kept elements lie
 *   together: the sum over axis 0 of a matrix reads it row by row.
 *
 * Either way each result adds the same values in an order that depends on sizes and strides alone.
 */

import { argumentsOf, evaluationOrder } from '@gradus/backend';
import type { Expression, Operand, ReduceKernel } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32, Type, Value } from '../assembler/value.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { Elements } from '../lanes/elements.ts';
import { Evaluator } from '../lanes/expressions.ts';
import type { Lanes, ScalarLanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import type { Loop } from '../lowering/loops.ts';
import { FourAccumulators, OneAccumulator, RUN_LENGTH, RunAccumulators } from './folds.ts';
import { storeOutputs } from './outputs.ts';
import { NO_ACCUMULATORS, sourcesAt } from './point.ts';
import type { Accumulators, Point } from './point.ts';
import { stepOf, strideBytes } from './signature.ts';
import type { Motion } from './signature.ts';
import { least, writeRun, writeUnit } from './units.ts';
import type { Row } from './units.ts';

/** Where vectors lie. `single`: nowhere. */
export type Direction = 'along' | 'across' | 'single';

/** The geometry that code is made for. */
export interface ReduceShape {
  readonly kept: readonly Loop[];
  readonly folded: readonly Loop[];
  /** Motion along the innermost kept loop, and along the innermost folded one. */
  readonly keptInner: readonly Motion[];
  readonly foldedInner: readonly Motion[];
  readonly direction: Direction;
}

/** Vectors that accumulate side by side, where there is one fold: additions take four cycles. */
const CHAINS = 4;

/** Vectors of neighbouring results that walk together, where there is one fold: a cache line of float32. */
const ACROSS = 4;

/** Writes the code of a reduce; its entry is exported as `run`. */
export function writeReduce(module: ModuleWriter, kernel: ReduceKernel, shape: ReduceShape, layout: FrameLayout): void {
  const unit = module.function(['i32', 'i32'], null, (code) => new ReduceUnit(code, kernel, shape, layout).write());
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}

/** A walk of the folded loops: where it is, and what is known outside the innermost one. */
interface Walk {
  readonly addresses: readonly Local<'i32'>[];
  readonly coordinates: readonly I32[];
}

class ReduceUnit {
  readonly #code: Code;
  readonly #kernel: ReduceKernel;
  readonly #shape: ReduceShape;
  readonly #frame: Frame;
  readonly #folds: readonly Expression[];
  /** What changes along the innermost folded loop. */
  readonly #moving: ReadonlySet<Expression>;

  constructor(code: Code, kernel: ReduceKernel, shape: ReduceShape, layout: FrameLayout) {
    this.#code = code;
    this.#kernel = kernel;
    this.#shape = shape;
    this.#frame = new Frame(code, layout, code.parameter(0, 'i32'));
    this.#folds = kernel.folds.map((fold) => fold.value);
    this.#moving = this.#movingParts();
  }

  #movingParts(): Set<Expression> {
    const { folded, foldedInner } = this.#shape;
    const name = folded.at(-1)?.name ?? null;
    const moving = new Set<Expression>();
    for (const e of evaluationOrder(this.#folds)) {
      const own = (e.op === 'load' && foldedInner[e.operand] !== 'none') || (e.op === 'axis' && e.axis === name);
      if (own || argumentsOf(e).some((argument) => moving.has(argument))) moving.add(e);
    }
    return moving;
  }

  write(): void {
    const { kept, folded } = this.#shape;
    folded.forEach((_, j) => {
      this.#frame.preload(`foldSize${j}`);
      this.#kernel.operands.forEach((_operand, k) => this.#frame.preload(`foldStride${k}_${j}`));
    });
    writeUnit(this.#code, this.#frame, this.#kernel.operands, kept, (row) => this.#row(row));
  }

  get #operands(): readonly Operand[] {
    return this.#kernel.operands;
  }

  #row({ addresses, outer, start, end }: Row): void {
    const code = this.#code;
    const { kept, keptInner, direction } = this.#shape;
    const x = code.let(start);
    const last = kept.length - 1;
    const steps = this.#operands.map((_, k) => stepOf(keptInner[k] ?? 'none', this.#frame, `stride${k}_${last}`));
    const advance = (count: number): void => {
      this.#operands.forEach((operand, k) => {
        const address = addresses[k];
        if (address !== undefined && keptInner[k] !== 'none')
          code.set(address, i32.add(address, i32.mul(strideBytes(steps[k] ?? 'none', operand), i32.const(count))));
      });
      code.set(x, i32.add(x, i32.const(count)));
    };
    /** `ahead`: so many kept points further on. */
    const pointAt = (at: readonly I32[], coordinates: readonly I32[], moves: boolean, own: Point['steps'], ahead = 0): Point => ({
      operands: this.#operands,
      frame: this.#frame,
      addresses:
        ahead === 0 ? at : at.map((address, k) => i32.add(address, i32.mul(strideBytes(steps[k] ?? 'none', this.#operands[k]), i32.const(ahead)))),
      steps: own,
      coordinate: (axis) => {
        const inKept = kept.findIndex((loop) => loop.name === axis);
        const here = ahead === 0 ? x : i32.add(x, i32.const(ahead));
        if (inKept >= 0) return inKept === last ? { value: here, moves } : { value: outer[inKept] ?? i32.const(0), moves: false };
        const inFolded = this.#shape.folded.findIndex((loop) => loop.name === axis);
        return { value: coordinates[inFolded] ?? i32.const(0), moves: false };
      },
    });
    if (direction === 'across') {
      const lanes = vectorLanes(code);
      const elements = vectorElements(lanes);
      const vectors = (count: number): void => {
        const limit = code.let(i32.sub(end, i32.const(count * LANES - 1)));
        code.while(i32.ltS(x, limit), () => {
          const groups = Array.from({ length: count }, () => this.#kernel.folds.map((fold) => new FourAccumulators(lanes, fold)));
          this.#across(lanes, elements, addresses, groups, (at, coordinates, v) => pointAt(at, coordinates, true, steps, v * LANES));
          groups.forEach((folds, v) => this.#finish(lanes, elements, pointAt(addresses, [], true, steps, v * LANES), folds));
          advance(count * LANES);
        });
      };
      if (this.#kernel.folds.length === 1) vectors(ACROSS);
      vectors(1);
    }
    const one = scalarLanes(code);
    const elements = scalarElements(one);
    code.while(i32.ltS(x, end), () => {
      const folds = this.#kernel.folds.map((fold) => new OneAccumulator(one, fold));
      if (direction === 'along') this.#along(one, addresses, folds, (at, coordinates, own) => pointAt(at, coordinates, false, own));
      else this.#across(one, elements, addresses, [folds], (at, coordinates) => pointAt(at, coordinates, false, steps));
      this.#finish(one, elements, pointAt(addresses, [], false, steps), folds);
      advance(1);
    });
  }

  /** The epilogue. */
  #finish<F extends Type, I extends Type>(
    lanes: Lanes<F, I>,
    elements: Elements<Value<F>, Value<I>>,
    point: Point,
    folds: readonly { readonly float: Value<F>; readonly int: Value<I> }[],
  ): void {
    const found = (index: number): { readonly float: Value<F>; readonly int: Value<I> } => {
      const fold = folds[index];
      if (fold === undefined) throw new TypeError(`internal: no fold ${index}`);
      return fold;
    };
    const accumulators: Accumulators<F, I> = { float: (index) => found(index).float, int: (index) => found(index).int };
    storeOutputs(elements, new Evaluator(lanes, sourcesAt(lanes, elements, point, accumulators)), point, this.#kernel.outputs);
  }

  /** All folded loops but the innermost, around `innermost`. */
  #nest(addresses: readonly Local<'i32'>[], innermost: (walk: Walk) => void): void {
    const code = this.#code;
    const { folded } = this.#shape;
    const level = (j: number, from: readonly Local<'i32'>[], coordinates: readonly I32[]): void => {
      const here = from.map((address) => code.let(address));
      if (j >= folded.length - 1) {
        innermost({ addresses: here, coordinates });
        return;
      }
      code.for(this.#frame.word(`foldSize${j}`), (x) => {
        level(j + 1, here, [...coordinates, x]);
        this.#move(here, j, this.#shape.folded, null);
      });
    };
    level(0, addresses, []);
  }

  /** Moves addresses one element along folded loop j, or `count` elements. */
  #move(addresses: readonly Local<'i32'>[], j: number, folded: readonly Loop[], count: I32 | null): void {
    folded[j]?.strides.forEach((_, k) => {
      const address = addresses[k];
      if (address === undefined || this.#operands[k]?.space !== 'full' || this.#operands[k]?.layout === 'indexed') return;
      const stride = this.#frame.word(`foldStride${k}_${j}`);
      this.#code.set(address, i32.add(address, count === null ? stride : i32.mul(stride, count)));
    });
  }

  /** Runs of at most {@link RUN_LENGTH} elements of the innermost folded loop. */
  #runs(run: (from: Local<'i32'>, to: I32) => void, done: () => void): void {
    const code = this.#code;
    const j = this.#shape.folded.length - 1;
    const size = j < 0 ? i32.const(1) : this.#frame.word(`foldSize${j}`);
    const x = code.let(i32.const(0));
    code.while(i32.ltS(x, size), () => {
      const to = least(code, i32.add(x, i32.const(RUN_LENGTH)), size);
      run(x, to);
      done();
    });
  }

  /** Each lane walks its own folded elements; several groups of lanes side by side. */
  #across<F extends Type, I extends Type>(
    lanes: Lanes<F, I>,
    elements: Elements<Value<F>, Value<I>>,
    addresses: readonly Local<'i32'>[],
    groups: readonly (readonly { begin(): void; step(evaluator: Evaluator<F, I>): void; flush(): void }[])[],
    pointAt: (at: readonly Local<'i32'>[], coordinates: readonly I32[], group: number) => Point,
  ): void {
    const code = this.#code;
    const { folded } = this.#shape;
    for (const fold of groups.flat()) fold.begin();
    this.#nest(addresses, ({ addresses: at, coordinates }) => {
      this.#runs(
        (x, to) => {
          const places = groups.map((folds, group) => {
            const sources = sourcesAt(lanes, elements, pointAt(at, [...coordinates, x], group), noAccumulators<F, I>());
            return { folds, sources, still: this.#still(new Evaluator(lanes, sources)) };
          });
          code.while(i32.ltS(x, to), () => {
            for (const { folds, sources, still } of places) {
              const evaluator = new Evaluator(lanes, sources, still);
              for (const fold of folds) fold.step(evaluator);
            }
            this.#move(at, folded.length - 1, folded, null);
            code.set(x, i32.add(x, i32.const(1)));
          });
        },
        () => {
          for (const fold of groups.flat()) fold.flush();
        },
      );
    });
  }

  /** Evaluates what does not change along the innermost folded loop. */
  #still<F extends Type, I extends Type>(evaluator: Evaluator<F, I>): Evaluator<F, I> {
    for (const e of evaluationOrder(this.#folds)) if (!this.#moving.has(e) && e.op !== 'constant') evaluator.evaluate(e);
    return evaluator;
  }

  /** Vectors along the innermost folded loop, then what is left one by one, into accumulators of one result. */
  #along(
    one: ScalarLanes,
    addresses: readonly Local<'i32'>[],
    folds: readonly OneAccumulator[],
    pointAt: (at: readonly Local<'i32'>[], coordinates: readonly I32[], steps: Point['steps']) => Point,
  ): void {
    const code = this.#code;
    const { folded, foldedInner } = this.#shape;
    const innermost = folded.length - 1;
    const chains = folds.length === 1 ? CHAINS : 1;
    const steps = this.#operands.map((_, k) => stepOf(foldedInner[k] ?? 'none', this.#frame, `foldStride${k}_${innermost}`));
    const lanes = vectorLanes(code);
    const elements = vectorElements(lanes);
    const runs = this.#kernel.folds.map((fold) => new RunAccumulators(lanes, fold, chains));
    for (const fold of folds) fold.begin();
    this.#nest(addresses, ({ addresses: at, coordinates }) => {
      this.#runs(
        (x, to) => {
          const moving = pointAt(at, [...coordinates, x], steps);
          const point: Point = {
            ...moving,
            coordinate: (axis) => {
              const { value } = moving.coordinate(axis);
              return { value, moves: folded[innermost]?.name === axis };
            },
          };
          const sources = sourcesAt(lanes, elements, point, NO_ACCUMULATORS);
          const still = this.#still(new Evaluator(lanes, sources));
          for (const run of runs) run.begin();
          const vectors = (count: number): void => {
            code.while(i32.leS(x, i32.sub(to, i32.const(LANES * count))), () => {
              for (let chain = 0; chain < count; chain++) {
                const evaluator = new Evaluator(lanes, sources, still);
                for (const run of runs) run.step(chain, evaluator);
                this.#move(at, innermost, folded, i32.const(LANES));
                code.set(x, i32.add(x, i32.const(LANES)));
              }
            });
          };
          vectors(chains);
          if (chains > 1) vectors(1);
          runs.forEach((run, index) => {
            const fold = folds[index];
            if (fold !== undefined) run.finish(fold);
          });
          const scalars = sourcesAt(one, scalarElements(one), moving, NO_ACCUMULATORS);
          code.if(i32.ltS(x, to), () => {
            const stillOne = this.#still(new Evaluator(one, scalars));
            code.while(i32.ltS(x, to), () => {
              const evaluator = new Evaluator(one, scalars, stillOne);
              for (const fold of folds) fold.step(evaluator);
              this.#move(at, innermost, folded, null);
              code.set(x, i32.add(x, i32.const(1)));
            });
          });
        },
        () => {
          for (const fold of folds) fold.flush();
        },
      );
    });
  }
}

function noAccumulators<F extends Type, I extends Type>(): Accumulators<F, I> {
  return NO_ACCUMULATORS;
}
