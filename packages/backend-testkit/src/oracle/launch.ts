/**
 * One kernel launch as the oracle sees it: operands over memory, points of an index space, and expressions evaluated at a point.
 *
 * Nothing here is fast. Every element is a number in a Float64Array, every point walks its expressions anew.
 */

import { evaluationOrder, operandPositions } from '@gradus/backend';
import type { DType, Expression, Kernel, Output } from '@gradus/backend';
import { convert, operate, reinterpret } from './operations.ts';

/** The elements of one block, and which of them the kernel wrote. */
export interface Cells {
  readonly values: Float64Array;
  readonly written: Uint8Array;
}

/** Coordinates of a point. */
export type Point = readonly number[];

/** Visits all points of an index space in row-major order. */
export function forEachPoint(sizes: readonly number[], visit: (point: Point) => void): void {
  if (sizes.includes(0)) return;
  const point = sizes.map(() => 0);
  for (;;) {
    visit(point);
    let axis = sizes.length - 1;
    while (axis >= 0 && (point[axis] ?? 0) + 1 === sizes[axis]) point[axis--] = 0;
    if (axis < 0) return;
    point[axis] = (point[axis] ?? 0) + 1;
  }
}

/** One operand: its block, and where its elements lie. */
export class View {
  readonly #cells: Cells;
  readonly #offset: number;
  /** Strides, or the length of an indexed operand. */
  readonly #rest: readonly number[];

  constructor(cells: Cells, offset: number, rest: readonly number[]) {
    this.#cells = cells;
    this.#offset = offset;
    this.#rest = rest;
  }

  /** Where the element of a point lies in its block. */
  address(point: Point): number {
    return this.#rest.reduce((at, stride, axis) => at + stride * (point[axis] ?? 0), this.#offset);
  }

  load(point: Point): number {
    return this.#cells.values[this.address(point)] ?? NaN;
  }

  store(point: Point, value: number): void {
    this.#put(this.address(point), value);
  }

  /** Is `position` within an indexed operand? */
  has(position: number): boolean {
    return position >= 0 && position < (this.#rest[0] ?? 0);
  }

  get(position: number): number {
    return this.#cells.values[this.#offset + position] ?? NaN;
  }

  set(position: number, value: number): void {
    this.#put(this.#offset + position, value);
  }

  #put(address: number, value: number): void {
    this.#cells.values[address] = value;
    this.#cells.written[address] = 1;
  }
}

/** A kernel with its memory, `dims` and scalars. */
export class Launch {
  readonly kernel: Kernel;
  readonly dims: Int32Array;
  readonly views: readonly View[];
  readonly #scalars: readonly number[];
  readonly #orders = new Map<readonly Expression[], readonly Expression[]>();
  readonly #values = new Map<Expression, number>();

  constructor(kernel: Kernel, memory: readonly Cells[], dims: Int32Array, scalars: readonly number[]) {
    const positions = operandPositions(kernel);
    this.kernel = kernel;
    this.dims = dims;
    this.views = memory.map((cells, i) => {
      const at = positions[i] ?? 0;
      return new View(cells, dims[at] ?? 0, [...dims.subarray(at + 1, positions[i + 1])]);
    });
    this.#scalars = scalars.map((value, i) => convert(value, 'float64', kernel.scalars[i] ?? 'float64'));
  }

  view(operand: number): View {
    const view = this.views[operand];
    if (view === undefined) throw new RangeError(`internal: no operand ${operand}`);
    return view;
  }

  /** Scalar argument number `index`, as its dtype holds it. */
  scalar(index: number): number {
    const value = this.#scalars[index];
    if (value === undefined) throw new RangeError(`internal: no scalar ${index}`);
    return value;
  }

  /** The dtype of an operand. */
  dtype(operand: number): DType {
    const found = this.kernel.operands[operand];
    if (found === undefined) throw new RangeError(`internal: no operand ${operand}`);
    return found.dtype;
  }

  /** The values of `roots` at a point. Pass the same array every time: its evaluation order is remembered. */
  evaluate(roots: readonly Expression[], point: Point, accumulators: readonly number[]): number[] {
    let order = this.#orders.get(roots);
    if (order === undefined) this.#orders.set(roots, (order = evaluationOrder(roots)));
    for (const e of order) this.#values.set(e, this.#value(e, point, accumulators));
    return roots.map((root) => this.#of(root));
  }

  /** Evaluates an epilogue, or the outputs of a map, and stores them: all loads of the point come before its stores. */
  finish(outputs: readonly Output[], roots: readonly Expression[], point: Point, accumulators: readonly number[]): void {
    const values = this.evaluate(roots, point, accumulators);
    outputs.forEach(({ operand }, i) => this.view(operand).store(point, values[i] ?? NaN));
  }

  #of(e: Expression): number {
    return this.#values.get(e) ?? NaN;
  }

  #value(e: Expression, point: Point, accumulators: readonly number[]): number {
    switch (e.op) {
      case 'constant':
        return e.value;
      case 'scalar':
        return this.#scalars[e.index] ?? NaN;
      case 'axis':
        return point[e.axis] ?? NaN;
      case 'load':
        return this.view(e.operand).load(point);
      case 'gather': {
        const view = this.view(e.operand);
        const position = this.#of(e.position);
        return view.has(position) ? view.get(position) : e.fill;
      }
      case 'accumulator':
        return accumulators[e.index] ?? NaN;
      case 'cast':
        return convert(this.#of(e.value), e.value.dtype, e.dtype);
      case 'bitcast':
        return reinterpret(this.#of(e.value), e.value.dtype, e.dtype);
      case 'where':
        return this.#of(e.condition) !== 0 ? this.#of(e.then) : this.#of(e.otherwise);
      default:
        return operate(e.op, e.args[0].dtype, this.#of(e.args[0]), e.args.length === 2 ? this.#of(e.args[1]) : NaN);
    }
  }
}
