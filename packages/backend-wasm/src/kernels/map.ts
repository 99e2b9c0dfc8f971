/**
 * `map`: the loops of an index space, four points at a time along the innermost one, and one at a time for what is left.
 *
 * What does not change along a row is computed before it. See `units.ts` for rows and units.
 */

import { evaluationOrder, argumentsOf } from '@gradus/backend';
import type { Expression, MapKernel } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32, Type, Value } from '../assembler/value.ts';
import { scalarElements, vectorElements } from '../lanes/elements.ts';
import type { Elements } from '../lanes/elements.ts';
import { Evaluator } from '../lanes/expressions.ts';
import type { Lanes } from '../lanes/lanes.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import type { Loop } from '../lowering/loops.ts';
import { storeOutputs } from './outputs.ts';
import { NO_ACCUMULATORS, sourcesAt } from './point.ts';
import type { Point } from './point.ts';
import { stepOf, strideBytes } from './signature.ts';
import type { Motion } from './signature.ts';
import { writeRun, writeUnit } from './units.ts';
import type { Row } from './units.ts';

/** The geometry that code is made for. */
export interface MapShape {
  readonly loops: readonly Loop[];
  readonly inner: readonly Motion[];
}

/** The expressions that change along the innermost loop. */
function movingParts(roots: readonly Expression[], { loops, inner }: MapShape): Set<Expression> {
  const innermost = loops.at(-1)?.name ?? null;
  const moving = new Set<Expression>();
  for (const e of evaluationOrder(roots)) {
    const own = (e.op === 'load' && inner[e.operand] !== 'none') || (e.op === 'axis' && e.axis === innermost);
    if (own || argumentsOf(e).some((argument) => moving.has(argument))) moving.add(e);
  }
  return moving;
}

/** Writes the code of a map; its entry is exported as `run`. */
export function writeMap(module: ModuleWriter, kernel: MapKernel, shape: MapShape, layout: FrameLayout, simd: boolean): void {
  const unit = module.function(['i32', 'i32'], null, (code) => new MapUnit(code, kernel, shape, layout, simd).write());
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}

/** The code of one unit. */
class MapUnit {
  readonly #code: Code;
  readonly #kernel: MapKernel;
  readonly #shape: MapShape;
  readonly #frame: Frame;
  readonly #simd: boolean;
  readonly #moving: ReadonlySet<Expression>;
  readonly #roots: readonly Expression[];

  constructor(code: Code, kernel: MapKernel, shape: MapShape, layout: FrameLayout, simd: boolean) {
    this.#code = code;
    this.#kernel = kernel;
    this.#shape = shape;
    this.#frame = new Frame(code, layout, code.parameter(0, 'i32'));
    this.#simd = simd;
    this.#roots = kernel.outputs.map((output) => output.value);
    this.#moving = movingParts(this.#roots, shape);
  }

  write(): void {
    writeUnit(this.#code, this.#frame, this.#kernel.operands, this.#shape.loops, (row) => this.#row(row));
  }

  /** A row from `start` to `end`: vectors while four points are left, then single points. */
  #row({ addresses, outer, start, end }: Row): void {
    const code = this.#code;
    const x = code.let(start);
    if (this.#simd) {
      const lanes = vectorLanes(code);
      const body = this.#body(lanes, vectorElements(lanes), addresses, outer, x);
      const last = code.let(i32.sub(end, i32.const(LANES - 1)));
      code.while(i32.ltS(x, last), body);
    }
    const one = scalarLanes(code);
    code.if(i32.ltS(x, end), () => {
      const body = this.#body(one, scalarElements(one), addresses, outer, x);
      code.while(i32.ltS(x, end), body);
    });
  }

  /** What does not change along the row, here and now; and the statements for the points at `x`, which then move on. */
  #body<F extends Type, I extends Type>(
    lanes: Lanes<F, I>,
    elements: Elements<Value<F>, Value<I>>,
    addresses: readonly Local<'i32'>[],
    outer: readonly I32[],
    x: Local<'i32'>,
  ): () => void {
    const code = this.#code;
    const { operands, outputs } = this.#kernel;
    const { loops, inner } = this.#shape;
    const last = loops.length - 1;
    const steps = operands.map((_, k) => stepOf(inner[k] ?? 'none', this.#frame, `stride${k}_${last}`));
    const point: Point = {
      operands,
      frame: this.#frame,
      addresses,
      steps,
      coordinate: (axis) => {
        const j = loops.findIndex((loop) => loop.name === axis);
        return j === last ? { value: x, moves: true } : { value: outer[j] ?? i32.const(0), moves: false };
      },
    };
    const sources = sourcesAt(lanes, elements, point, NO_ACCUMULATORS);
    const still = new Evaluator(lanes, sources);
    for (const e of evaluationOrder(this.#roots)) if (!this.#moving.has(e) && e.op !== 'constant') still.evaluate(e);
    return () => {
      storeOutputs(elements, new Evaluator(lanes, sources, still), point, outputs);
      operands.forEach((operand, k) => {
        const address = addresses[k];
        if (address === undefined || inner[k] === 'none') return;
        code.set(address, i32.add(address, i32.mul(strideBytes(steps[k] ?? 'none', operand), i32.const(lanes.width))));
      });
      code.set(x, i32.add(x, i32.const(lanes.width)));
    };
  }
}
