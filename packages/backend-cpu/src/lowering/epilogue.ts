/**
 * Epilogues of fast paths as maps: finished accumulators go into a buffer, and an ordinary `map` kernel over a box of the kept space
 * reads them from there as one more operand. So generated code and the interpreter need nothing more for them.
 *
 * Words used here:
 * - **box**: the part of the kept space that one call covers, with a start and a size for every axis.
 * - **buffer**: the extra, last operand of the map: accumulators, strided over the box.
 */

import { apply, axisIndex, cast, load, operandPositions, rewrite, scalar } from '@gradus/backend';
import type { ContractKernel, ConvolutionKernel, DType, MapKernel, Operand, PoolKernel, QuantizedContractKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { denseStrides } from '../contract/offsets.ts';

/** Makes code for a map. */
export type PrepareMap = (kernel: MapKernel) => KernelCode;

/** The fast paths with an epilogue. */
export type FastKernel = ContractKernel | ConvolutionKernel | PoolKernel | QuantizedContractKernel;

/** How a fast path's accumulators become what the epilogue sees. */
export interface Accumulation {
  /** Axes of the kept space. */
  readonly rank: number;
  /** The dtype of `accumulator(0)`. */
  readonly dtype: DType;
  /** The dtype they have in the buffer: wider, or equal. */
  readonly stored: 'float64' | 'int32';
  /** Do boxes cover every axis but the first ones of size 1 wholly? Then dense operands are dense over a box too. */
  readonly whole: boolean;
}

/** An operand of the fast path as one of the map: kept ones range over the box; inputs over the full space are not read any more. */
function overBox(operand: Operand, whole: boolean): Operand {
  if (operand.layout === 'indexed') return operand;
  if (operand.space === 'full') return { ...operand, layout: 'indexed' };
  return { ...operand, space: 'full', layout: whole ? operand.layout : 'strided' };
}

/** The map that applies the epilogue of `kernel`: its operands and the buffer; its scalars and where the box starts. */
export function epilogueMap(kernel: FastKernel, { rank, dtype, stored, whole }: Accumulation): MapKernel {
  const buffer = kernel.operands.length;
  const firstStart = kernel.scalars.length;
  const values = rewrite(
    kernel.outputs.map((output) => output.value),
    (e) => {
      if (e.op === 'accumulator') return cast(load(stored, buffer), dtype);
      return e.op === 'axis' ? apply('add', axisIndex(e.axis), scalar('int32', firstStart + e.axis)) : null;
    },
  );
  return {
    kind: 'map',
    rank,
    operands: [
      ...kernel.operands.map((operand) => overBox(operand, whole)),
      { dtype: stored, access: 'read', layout: whole ? 'contiguous' : 'strided', space: 'full' },
    ],
    scalars: [...kernel.scalars, ...Array.from({ length: rank }, (): DType => 'int32')],
    outputs: kernel.outputs.map((output, i) => ({ ...output, value: values[i] ?? output.value })),
  };
}

/** Stands for the buffer between boxes. */
const EMPTY = new Float64Array(0);

/** Runs a fast path's epilogue, box by box. Make one for each run. */
export class Epilogue {
  readonly #code: KernelCode;
  readonly #views: TypedArray[];
  readonly #scalars: number[];
  readonly #dims: Int32Array;
  /** For each kept operand: where its offset is in the map's dims, its strides and its offset in the run's. */
  readonly #frames: readonly { readonly at: number; readonly offset: number; readonly strides: Int32Array }[];
  readonly #rank: number;
  readonly #bufferAt: number;
  readonly #firstStart: number;

  constructor(kernel: FastKernel, map: MapKernel, code: KernelCode, views: readonly TypedArray[], scalars: readonly number[], dims: Int32Array) {
    const { rank } = map;
    const from = operandPositions(kernel);
    const to = operandPositions(map);
    this.#code = code;
    this.#rank = rank;
    this.#views = [...views, EMPTY];
    this.#scalars = [...scalars, ...Array.from({ length: rank }, () => 0)];
    this.#firstStart = scalars.length;
    this.#bufferAt = to[kernel.operands.length] ?? 0;
    this.#dims = new Int32Array(to.at(-1) ?? 0);
    const frames: { at: number; offset: number; strides: Int32Array }[] = [];
    kernel.operands.forEach((operand, k) => {
      const source = from[k] ?? 0;
      const at = to[k] ?? 0;
      if (operand.layout === 'indexed') this.#dims.set(dims.subarray(source, source + 2), at);
      else if (operand.space === 'kept') {
        const strides = dims.slice(source + 1, source + 1 + rank);
        this.#dims.set(strides, at + 1);
        frames.push({ at, offset: dims[source] ?? 0, strides });
      }
    });
    this.#frames = frames;
  }

  /** Applies the epilogue to the box of `sizes` at `start`, whose accumulators lie in `buffer` with the given strides. */
  apply(buffer: TypedArray, strides: readonly number[], start: readonly number[], sizes: readonly number[]): void {
    const dims = this.#dims;
    for (let axis = 0; axis < this.#rank; axis++) {
      dims[axis] = sizes[axis] ?? 0;
      dims[this.#bufferAt + 1 + axis] = strides[axis] ?? 0;
      this.#scalars[this.#firstStart + axis] = start[axis] ?? 0;
    }
    for (const frame of this.#frames) {
      let { offset } = frame;
      for (let axis = 0; axis < this.#rank; axis++) offset += (start[axis] ?? 0) * (frame.strides[axis] ?? 0);
      dims[frame.at] = offset;
    }
    this.#views[this.#views.length - 1] = buffer;
    this.#code(this.#views, this.#scalars, dims);
  }

  /** Applies the epilogue to a box whose accumulators lie in `buffer` row-major. */
  applyDense(buffer: TypedArray, start: readonly number[], sizes: readonly number[]): void {
    this.apply(buffer, denseStrides(sizes), start, sizes);
  }
}
