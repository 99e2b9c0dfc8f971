/** Finishing: expressions made over a space that is still open become expressions of the final kernel. */

import { apply, argumentsOf, axisIndex, constant, load, scalar } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { POSITION_BASE } from './express.ts';
import type { Scalar } from './express.ts';
import type { Space } from './space.ts';
import type { View } from './view.ts';

/** Renumbers operands and spells positions out over the final axes. */
export class Finisher {
  readonly #memo = new Map<Expression, Expression>();
  readonly #operand: (access: number) => number;
  readonly #positions: readonly View[];
  readonly #space: Space;
  readonly #scalars: Scalar[];

  constructor(operand: (access: number) => number, positions: readonly View[], space: Space, scalars: Scalar[]) {
    this.#operand = operand;
    this.#positions = positions;
    this.#space = space;
    this.#scalars = scalars;
  }

  finish(e: Expression): Expression {
    let done = this.#memo.get(e);
    if (done === undefined) {
      done = this.#rewrite(e);
      this.#memo.set(e, done);
    }
    return done;
  }

  #rewrite(e: Expression): Expression {
    switch (e.op) {
      case 'load':
        return load(e.dtype, this.#operand(e.operand));
      case 'gather':
        return { ...e, operand: this.#operand(e.operand), position: this.finish(e.position) };
      case 'axis':
        return this.#position(e.axis - POSITION_BASE);
      case 'constant':
      case 'scalar':
      case 'accumulator':
        return e;
      case 'cast':
      case 'bitcast':
        return { ...e, value: this.finish(e.value) };
      case 'where':
        return { ...e, condition: this.finish(e.condition), then: this.finish(e.then), otherwise: this.finish(e.otherwise) };
      default: {
        const [a, b] = argumentsOf(e).map((x) => this.finish(x));
        return a === undefined ? e : { ...e, args: b === undefined ? [a] : [a, b] };
      }
    }
  }

  /** Σ axis · stride + offset, as an int32; strides of 1 and offsets of 0 cost nothing. */
  #position(index: number): Expression {
    const view = this.#positions[index];
    let sum: Expression | null = view === undefined || view.offset === 0 ? null : this.#number(view.offset);
    this.#space.axes.forEach((old, axis) => {
      const stride = view?.strides[old] ?? 0;
      if (stride === 0) return;
      const term = stride === 1 ? axisIndex(axis) : apply('multiply', axisIndex(axis), this.#number(stride));
      sum = sum === null ? term : apply('add', sum, term);
    });
    return sum ?? constant('int32', 0);
  }

  #number(value: number): Expression {
    let index = this.#scalars.findIndex((s) => 'value' in s.source && s.source.value === value && s.dtype === 'int32');
    if (index < 0) index = this.#scalars.push({ dtype: 'int32', source: { value } }) - 1;
    return scalar('int32', index);
  }
}
