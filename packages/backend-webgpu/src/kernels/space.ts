/**
 * Index spaces as code: from the number of a point to its coordinates, and from these to the elements of operands.
 *
 * Words used here:
 * - **loop**: one or more neighbouring axes that are walked as one, because every operand lies over them as over a single axis and no
 *   expression asks for their coordinates. This depends on structure alone, so it is the same for all sizes.
 * - **coordinate** `x3`: where a point is along the loop that begins with axis 3.
 */

import { evaluationOrder, operandPositions } from '@gradus/backend';
import type { Expression, Kernel, Layout, Operand } from '@gradus/backend';
import type { Frame } from '../program/frame.ts';

/** Neighbouring axes walked as one. */
export interface Loop {
  readonly first: number;
  readonly last: number;
}

function flags(layout: Layout): readonly boolean[] {
  return typeof layout === 'string' ? [] : layout.broadcast;
}

function joins(layout: Layout, axis: number): boolean {
  return layout !== 'strided' && flags(layout)[axis - 1] === flags(layout)[axis];
}

/** The axes that expressions ask for the coordinate of. */
function namedAxes(expressions: readonly Expression[]): Set<number> {
  const axes = new Set<number>();
  for (const e of evaluationOrder(expressions)) if (e.op === 'axis') axes.add(e.axis);
  return axes;
}

/** The index space of a kernel. `kept` axes and the folded ones after them are never joined. */
export class Space {
  readonly kept: readonly Loop[];
  readonly folded: readonly Loop[];
  readonly #operands: readonly Operand[];
  readonly #positions: readonly number[];
  readonly #keptAxes: number;
  readonly #frame: Frame;
  readonly #sizes: (dims: Int32Array) => Int32Array;

  /** @param sizes the sizes of the axes, where `dims` does not begin with them */
  constructor(
    kernel: Kernel,
    rank: number,
    kept: number,
    expressions: readonly Expression[],
    frame: Frame,
    sizes: (dims: Int32Array) => Int32Array = (dims) => dims,
  ) {
    this.#operands = kernel.operands;
    this.#positions = operandPositions(kernel);
    this.#keptAxes = kept;
    this.#frame = frame;
    this.#sizes = sizes;
    const named = namedAxes(expressions);
    const loops: { first: number; last: number }[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const touching = this.#operands.filter((operand) => this.#reaches(operand, axis));
      const joined = axis > 0 && axis !== kept && !named.has(axis) && !named.has(axis - 1) && touching.every((o) => joins(o.layout, axis));
      const last = loops.at(-1);
      if (joined && last !== undefined) last.last = axis;
      else loops.push({ first: axis, last: axis });
    }
    this.kept = loops.filter((loop) => loop.first < kept);
    this.folded = loops.filter((loop) => loop.first >= kept);
  }

  #reaches(operand: Operand, axis: number): boolean {
    return operand.layout !== 'indexed' && (operand.space === 'full' || axis < this.#keptAxes);
  }

  /** Statements that name the coordinates of point `point` (a u32 name) of these loops, in row-major order. */
  coordinates(loops: readonly Loop[], point: string): string[] {
    const lines: string[] = [];
    let rest = point;
    for (const [i, { first, last }] of loops.toReversed().entries()) {
      if (i === loops.length - 1) {
        lines.push(`let x${first} = i32(${rest});`);
        continue;
      }
      const size = this.#frame.word((dims) => sizeOf(this.#sizes(dims), first, last));
      const next = `r${first}`;
      lines.push(`let ${next} = ${rest} / u32(${size});`, `let x${first} = i32(${rest} - ${next} * u32(${size}));`);
      rest = next;
    }
    return lines;
  }

  /** The element of a strided operand at the coordinates of these loops, in text. */
  element(k: number, loops: readonly Loop[]): string {
    const operand = this.#operands[k];
    const at = this.#positions[k] ?? 0;
    if (operand === undefined) return '0';
    const terms = [this.#frame.dim(at)];
    for (const { first, last } of loops) {
      if (!this.#reaches(operand, first) || flags(operand.layout)[first] === true) continue;
      // The last axis of joined ones has the stride of all of them.
      terms.push(`x${first} * ${this.#frame.dim(at + 1 + last)}`);
    }
    return terms.join(' + ');
  }

  /** The offset and the length of an indexed operand, in text. */
  indexed(k: number): { readonly offset: string; readonly length: string } {
    const at = this.#positions[k] ?? 0;
    return { offset: this.#frame.dim(at), length: this.#frame.dim(at + 1) };
  }
}

/** The points of axes `first` to `last`. */
export function sizeOf(dims: Int32Array, first: number, last: number): number {
  let size = 1;
  for (let axis = first; axis <= last; axis++) size *= dims[axis] ?? 0;
  return size;
}
