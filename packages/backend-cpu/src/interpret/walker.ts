/** Walks an index space in row-major order and keeps every operand's element index. */

import { axesOf, operandPositions } from '@gradus/backend';
import type { Kernel, TypedArray } from '@gradus/backend';

import type { Point } from './evaluate.ts';

/** How a kernel's operands lie in its `dims`; the same for every run. */
export class Walker {
  readonly #kernel: Kernel;
  readonly #positions: readonly number[];
  readonly #axes: readonly number[];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#positions = operandPositions(kernel);
    this.#axes = kernel.operands.map((operand) => (operand.layout === 'indexed' ? 0 : axesOf(kernel, operand.space)));
  }

  /** The first point of a run. */
  start(views: readonly TypedArray[], scalars: readonly number[], dims: Int32Array, rank: number, accumulators: number): Point {
    const offsets = this.#kernel.operands.map((_, k) => dims[this.#positions[k] ?? 0] ?? 0);
    const lengths = this.#kernel.operands.map((operand, k) => (operand.layout === 'indexed' ? (dims[(this.#positions[k] ?? 0) + 1] ?? 0) : 0));
    return {
      views,
      scalars,
      pointers: Int32Array.from(offsets),
      lengths: Int32Array.from(lengths),
      coordinates: new Int32Array(rank),
      accumulators: new Float64Array(accumulators),
    };
  }

  /** Calls `visit` at every point that differs from `point` in axes `from` to `to`, and leaves it as it was. */
  walk(point: Point, dims: Int32Array, from: number, to: number, visit: () => void): void {
    if (from === to) {
      visit();
      return;
    }
    const size = dims[from] ?? 0;
    for (let i = 0; i < size; i++) {
      point.coordinates[from] = i;
      this.walk(point, dims, from + 1, to, visit);
      this.#move(point, dims, from, 1);
    }
    point.coordinates[from] = 0;
    this.#move(point, dims, from, -size);
  }

  #move(point: Point, dims: Int32Array, axis: number, steps: number): void {
    for (let k = 0; k < this.#axes.length; k++) {
      if (axis >= (this.#axes[k] ?? 0)) continue;
      const stride = dims[(this.#positions[k] ?? 0) + 1 + axis] ?? 0;
      point.pointers[k] = (point.pointers[k] ?? 0) + steps * stride;
    }
  }
}
