/**
 * Loop nests: how a kernel's index space becomes `for` loops with incremental pointers.
 *
 * Words used here:
 * - **loop**: one or more neighbouring axes of the index space that are walked as one, because every operand lies over them as over
 *   a single axis and no expression asks for their coordinates. A kernel whose operands are all contiguous has one flat loop.
 * - **pointer**: the variable with an operand's element index. Each loop in which an operand moves declares a pointer of its own,
 *   which starts at that of the enclosing loop; a load names the innermost.
 * - **depth** of an expression: how many of the open loops it depends on, so that it is computed outside the others.
 *
 * Names in the source: `n3` size of loop 3, `x3` its counter, `o1` offset and `l1` length of operand 1, `s1_3` its stride in loop 3,
 * `p1_3` its pointer there.
 */

import { argumentsOf, emit, evaluationOrder, operandPositions } from '@gradus/backend';
import type { Expression, Kernel, Layout, Operand } from '@gradus/backend';

import { integer } from './compile.ts';
import { dialectAt } from './language.ts';
import type { Language, Names } from './language.ts';

/** Neighbouring axes walked as one; `id` is the first axis, and part of the names. */
export interface Loop {
  readonly id: number;
  readonly axes: readonly number[];
}

/** A part of a loop: from and to are text. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

function broadcastFlags(layout: Layout): readonly boolean[] {
  return typeof layout === 'string' ? [] : layout.broadcast;
}

/** Can axes `axis - 1` and `axis` be walked as one by an operand of this layout? */
function joins(layout: Layout, axis: number): boolean {
  const flags = broadcastFlags(layout);
  return layout !== 'strided' && flags[axis - 1] === flags[axis];
}

/** The axes that expressions ask for the coordinate of. */
function namedAxes(expressions: readonly Expression[]): Set<number> {
  const axes = new Set<number>();
  for (const e of evaluationOrder(expressions)) if (e.op === 'axis') axes.add(e.axis);
  return axes;
}

/** The index space of one kernel as loops. `kept` axes and the folded ones after them are never joined. */
export class Nest {
  readonly loops: readonly Loop[];
  readonly keptLoops: readonly Loop[];
  readonly foldedLoops: readonly Loop[];
  readonly #kernel: Kernel;
  readonly #operands: readonly Operand[];
  readonly #kept: number;
  readonly #loopOfAxis: readonly Loop[];

  constructor(kernel: Kernel, rank: number, kept: number, expressions: readonly Expression[]) {
    this.#kernel = kernel;
    this.#operands = kernel.operands;
    this.#kept = kept;
    const named = namedAxes(expressions);
    const groups: number[][] = [];
    for (let axis = 0; axis < rank; axis++) {
      const touching = this.#operands.filter((o) => this.#reaches(o, axis));
      const joined = axis > 0 && axis !== kept && !named.has(axis) && !named.has(axis - 1) && touching.every((o) => joins(o.layout, axis));
      const last = groups.at(-1);
      if (joined && last !== undefined) last.push(axis);
      else groups.push([axis]);
    }
    this.loops = groups.map((axes) => ({ id: axes[0] ?? 0, axes }));
    this.#loopOfAxis = this.loops.flatMap((loop) => loop.axes.map(() => loop));
    this.keptLoops = this.loops.filter((loop) => loop.id < kept);
    this.foldedLoops = this.loops.filter((loop) => loop.id >= kept);
  }

  #reaches(operand: Operand, axis: number): boolean {
    return operand.layout !== 'indexed' && (operand.space === 'full' || axis < this.#kept);
  }

  /** Does the operand's element change along the loop? Unknown strides may. */
  #moves(operand: Operand, loop: Loop): boolean {
    return this.#reaches(operand, loop.id) && broadcastFlags(operand.layout)[loop.id] !== true;
  }

  /** Views, scalars, sizes, offsets and strides, once a run. Strides of dense layouts follow from the sizes. */
  declarations(): string[] {
    const positions = operandPositions(this.#kernel);
    const lines = this.loops.map(({ id, axes }) => `const n${id} = ${axes.map((axis) => `dims[${axis}]`).join(' * ')};`);
    this.#operands.forEach((operand, k) => {
      const at = positions[k] ?? 0;
      lines.push(`const v${k} = views[${k}];`, `const o${k} = dims[${at}];`);
      if (operand.layout === 'indexed') {
        lines.push(`const l${k} = dims[${at + 1}];`);
        return;
      }
      let dense: string[] = [];
      for (const loop of this.loops.toReversed()) {
        if (!this.#moves(operand, loop)) continue;
        const stride = operand.layout === 'strided' ? `dims[${at + 1 + loop.id}]` : dense.join(' * ') || '1';
        lines.push(`const s${k}_${loop.id} = ${stride};`);
        dense = [...dense, `n${loop.id}`];
      }
    });
    this.#kernel.scalars.forEach((_, i) => lines.push(`const c${i} = scalars[${i}];`));
    return lines;
  }

  /** The element index of an operand inside the `open` loops. */
  pointer(k: number, open: readonly Loop[]): string {
    const operand = this.#operands[k];
    const loop = operand === undefined ? undefined : open.findLast((l) => this.#moves(operand, l));
    return loop === undefined ? `o${integer(k)}` : `p${k}_${loop.id}`;
  }

  /** The head of a `for` over `loop`, or a span of it, inside the `open` ones. It moves the pointers of `operands`: those that are used inside. */
  head(loop: Loop, open: readonly Loop[], operands: ReadonlySet<number>, span?: Span): string {
    const { id } = loop;
    const starts = [`x${id} = ${span?.from ?? '0'}`];
    const steps = [`x${id}++`];
    for (const k of operands) {
      const operand = this.#operands[k];
      if (operand === undefined || !this.#moves(operand, loop)) continue;
      const base = this.pointer(k, open);
      starts.push(`p${k}_${id} = ${span === undefined ? base : `${base} + ${span.from} * s${k}_${id}`}`);
      // `| 0` tells the engine that a pointer stays an int32.
      steps.push(`p${k}_${id} = p${k}_${id} + s${k}_${id} | 0`);
    }
    return `for (let ${starts.join(', ')}; x${id} < ${span?.to ?? `n${id}`}; ${steps.join(', ')}) {`;
  }

  /** How many of the `open` loops each expression depends on. */
  depths(roots: readonly Expression[], open: readonly Loop[]): Map<Expression, number> {
    const depths = new Map<Expression, number>();
    for (const e of evaluationOrder(roots)) depths.set(e, Math.max(this.#ownDepth(e, open), ...argumentsOf(e).map((a) => depths.get(a) ?? 0)));
    return depths;
  }

  #ownDepth(e: Expression, open: readonly Loop[]): number {
    switch (e.op) {
      case 'axis':
        return 1 + open.findLastIndex((loop) => loop === this.#loopOfAxis[e.axis]);
      case 'load': {
        const operand = this.#operands[e.operand];
        return operand === undefined ? 0 : 1 + open.findLastIndex((loop) => this.#moves(operand, loop));
      }
      case 'accumulator':
        return open.length;
      default:
        return 0;
    }
  }

  /** Names inside the `open` loops. */
  names(open: readonly Loop[], accumulator: (index: number) => string): Names {
    return {
      pointer: (k) => this.pointer(k, open),
      coordinate: (axis) => `x${integer(axis)}`,
      accumulator,
    };
  }
}

/** Statements by depth: those at index d go inside the first d open loops. */
export type Levels = readonly (readonly string[])[];

/** Expressions written for a nest. */
export interface Hoisted {
  readonly levels: Levels;
  readonly values: readonly string[];
  /** The names of all parts, for code that builds on them. */
  readonly known: ReadonlyMap<Expression, string>;
}

/** Writes `roots` for the innermost of the `open` loops, each part as far out as it can go. */
export function hoist(
  nest: Nest,
  language: Language,
  roots: readonly Expression[],
  open: readonly Loop[],
  accumulator: (index: number) => string,
  prefix: string,
): Hoisted {
  const depths = nest.depths(roots, open);
  const known = new Map<Expression, string>();
  const levels: string[][] = [];
  for (let depth = 0; depth <= open.length; depth++) {
    const here = [...depths].filter(([, d]) => d === depth).map(([e]) => e);
    const dialect = dialectAt(language, nest.names(open.slice(0, depth), accumulator));
    const { statements, values } = emit(here, dialect, { prefix: `${prefix}${depth}_`, known });
    here.forEach((e, i) => known.set(e, values[i] ?? ''));
    levels.push([...statements]);
  }
  return { levels, values: roots.map((root) => known.get(root) ?? ''), known };
}

/** The operands that expressions load from through strides. */
export function loadedOperands(roots: readonly Expression[]): Set<number> {
  const operands = new Set<number>();
  for (const e of evaluationOrder(roots)) if (e.op === 'load') operands.add(e.operand);
  return operands;
}
