/**
 * Where the result of a convolution goes: straight into its operand where that can be, else into a matrix in the scratch that the epilogue reads.
 *
 * The kept space `[N, channels, ...]` is seen as `[N, groups, channels of a group, ...]`, since rows of the matrix are padded group by group.
 */

import { DTYPES, apply, axisIndex, operandPositions, rewrite, scalar } from '@gradus/backend';
import type { ConvolutionKernel, Expression, MapKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { mapPlanner } from '../kernels/prepare-map.ts';
import type { MapPlanner } from '../kernels/prepare-map.ts';
import type { Phase } from '../launch/launch.ts';
import type { Axis } from '../lowering/loops.ts';
import { namedAxes } from '../lowering/space.ts';
import { epilogueMap } from '../product/epilogue.ts';
import { rowMajor } from './geometry.ts';

const WORD_BYTES = 4;

/** A result in the scratch: bytes from one group, one row, one image (or, for filters, nothing) to the next; columns are dense and row-major. */
export interface Matrix {
  readonly scratch: number;
  readonly outer: number;
  readonly group: number;
  readonly row: number;
}

/** Sizes of a result: `[outer, groups, rows, ...columns]`. For the gradient of the filter, `outer` is 1. */
export interface ResultShape {
  readonly outer: number;
  readonly groups: number;
  readonly rows: number;
  readonly columns: readonly number[];
}

/** The epilogue's map: axis 0 of the kept space (which has groups and rows in one axis, for filters the first) is split in two. */
function splitMap(kernel: ConvolutionKernel): MapKernel {
  const rank = kernel.window.size.length + 2;
  const plain = epilogueMap(kernel, rank, 'float32');
  const filters = kernel.pass === 'filterGradient';
  const rows = kernel.scalars.length;
  const values = rewrite(
    plain.outputs.map((output) => output.value),
    (e): Expression | null => (e.op === 'axis' ? splitAxis(e.axis, filters, rows) : null),
  );
  return {
    ...plain,
    rank: filters ? rank + 2 : rank + 1,
    scalars: [...kernel.scalars, 'int32'],
    outputs: plain.outputs.map((output, i) => ({ ...output, value: values[i] ?? output.value })),
  };
}

/** The coordinate along an axis of the kept space, over `[outer, group, row, ...columns]`. Scalar number `rows` has the rows of a group. */
function splitAxis(axis: number, filters: boolean, rows: number): Expression {
  const channel = filters ? 0 : 1;
  if (axis === channel) return apply('add', apply('multiply', axisIndex(1), scalar('int32', rows)), axisIndex(2));
  if (axis < channel) return axisIndex(0);
  return axisIndex(filters ? axis + 2 : axis + 1);
}

/** Strides and offsets of the operands of one run over `[outer, group, row, ...columns]`. */
export class ResultSpace {
  readonly #kernel: ConvolutionKernel;
  readonly #shape: ResultShape;
  readonly #dims: Int32Array;
  readonly #positions: readonly number[];

  constructor(kernel: ConvolutionKernel, shape: ResultShape, dims: Int32Array) {
    this.#kernel = kernel;
    this.#shape = shape;
    this.#dims = dims;
    this.#positions = operandPositions(kernel);
  }

  offset(operand: number): number {
    const bytes = DTYPES[this.#kernel.operands[operand]?.dtype ?? 'float32'].bytes;
    return bytes * (this.#dims[this.#positions[operand] ?? 0] ?? 0);
  }

  length(operand: number): number {
    return this.#kernel.operands[operand]?.layout === 'indexed' ? (this.#dims[(this.#positions[operand] ?? 0) + 1] ?? 0) : 0;
  }

  /** Bytes along `[outer, group, row, ...columns]`; zeros for dense operands, which the epilogue does not see. */
  strides(operand: number): number[] {
    const { rows, columns } = this.#shape;
    const own = this.#kernel.operands[operand];
    const filters = this.#kernel.pass === 'filterGradient';
    if (own === undefined || own.layout === 'indexed' || own.space === 'full') return [0, 0, 0, ...columns.map(() => 0)];
    const start = (this.#positions[operand] ?? 0) + 1;
    const kept = [...this.#dims.subarray(start, this.#positions[operand + 1])].map((stride) => stride * DTYPES[own.dtype].bytes);
    const [outer, channel, ...rest] = filters ? [0, ...kept] : kept;
    return [outer ?? 0, (channel ?? 0) * rows, channel ?? 0, ...rest];
  }

  axes(named: ReadonlySet<number>, last: readonly number[]): Axis[] {
    const { outer, groups, rows, columns } = this.#shape;
    const strides = this.#kernel.operands.map((_, k) => this.strides(k));
    return [outer, groups, rows, ...columns].map((size, axis) => ({
      size,
      strides: [...strides.map((own) => own[axis] ?? 0), last[axis] ?? 0],
      name: named.has(axis) ? axis : null,
    }));
  }

  get operands(): number {
    return this.#kernel.operands.length;
  }
}

/** Plans epilogues of a convolution. */
export class Epilogue {
  readonly #map: MapKernel;
  readonly #plan: MapPlanner;
  readonly #named: ReadonlySet<number>;
  readonly #rowsScalar: number;

  constructor(kernel: ConvolutionKernel, toolchain: Toolchain) {
    this.#map = splitMap(kernel);
    this.#plan = mapPlanner(this.#map, toolchain);
    this.#named = namedAxes(this.#map.outputs.map((output) => output.value));
    this.#rowsScalar = kernel.scalars.length;
  }

  /** The phase that reads `matrix` and writes the outputs. */
  plan(space: ResultSpace, shape: ResultShape, matrix: Matrix): Phase | null {
    const columns = rowMajor(shape.columns).map((stride) => stride * WORD_BYTES);
    const axes = space.axes(this.#named, [matrix.outer, matrix.group, matrix.row, ...columns]);
    const count = space.operands;
    const each = Array.from({ length: count }, (_, k) => k);
    const kept = { axes, offsets: each.map((k) => space.offset(k)), lengths: each.map((k) => space.length(k)) };
    return this.#plan(kept, (words) => {
      words.scratch(`address${count}`, matrix.scratch).constant(`scalar${this.#rowsScalar}`, shape.rows);
    });
  }
}
