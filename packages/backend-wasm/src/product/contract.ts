/**
 * `contract`: both operands are packed, multiplied tile by tile, and the epilogue reads the product. Where there is nothing to gain by packing
 * (vectors, small matrices, integers), it is the reduce that it decomposes to.
 */

import { apply, cast, load } from '@gradus/backend';
import type { ContractKernel, ReduceKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { storedDType } from '../kernels/point.ts';
import { prepareReduce } from '../kernels/prepare-reduce.ts';
import { codeFor } from '../launch/code.ts';
import { NOTHING } from '../launch/launch.ts';
import type { LaunchPlan, Phase } from '../launch/launch.ts';
import { Tables } from '../launch/tables.ts';
import { Words } from '../launch/words.ts';
import type { Axis } from '../lowering/loops.ts';
import { namedAxes, spaceOf } from '../lowering/space.ts';
import type { Space } from '../lowering/space.ts';
import { epiloguePlanner, isPlain } from './epilogue.ts';
import { blockingOf, writeMultiply } from './gemm.ts';
import type { Blocking } from './gemm.ts';
import { writePack } from './pack.ts';
import type { PackMode } from './pack.ts';
import { TILE_COLUMNS, TILE_ROWS, writeTile } from './tile.ts';

const WORD_BYTES = 4;
/** Products of fewer multiplications are not worth packing. */
const SMALLEST_PACKED = 8 * 8 * 8;
/** Elements that a unit of packing copies, about. */
const PACK_UNIT = 8192;

/** The reduce that a contraction stands for. */
function decomposed(kernel: ContractKernel): ReduceKernel {
  const [a, b] = kernel.operands;
  const factor = (operand: number): ReturnType<typeof cast> => cast(load(kernel.operands[operand]?.dtype ?? 'float32', operand), kernel.accumulate);
  return {
    kind: 'reduce',
    rank: kernel.rank,
    folded: 1,
    operands: [a, b, ...kernel.operands.slice(2)].flatMap((operand) => (operand === undefined ? [] : [operand])),
    scalars: kernel.scalars,
    folds: [{ fold: 'sum', value: apply('multiply', factor(0), factor(1)) }],
    outputs: kernel.outputs,
  };
}

/** A contraction of one run: batches of an m by k and a k by n matrix. */
interface Product {
  readonly batch: readonly Axis[];
  readonly m: Axis;
  readonly n: Axis;
  readonly k: Axis;
}

/** Reads batches, m, n and k off the axes; batches in which b stays the same become rows of a. */
function productOf({ axes }: Space): Product | null {
  const batch = axes.slice(0, -3);
  const [m, n, k] = axes.slice(-3);
  if (m === undefined || n === undefined || k === undefined) return null;
  let rows = m;
  while (batch.length > 0) {
    const outer = batch.at(-1);
    const joins =
      outer !== undefined && outer.name === null && rows.name === null && outer.strides.every((s, o) => s === (rows.strides[o] ?? 0) * rows.size);
    const single = outer !== undefined && outer.size === 1;
    if (!joins && !single) break;
    if (joins && !single) rows = { ...rows, size: rows.size * outer.size };
    batch.pop();
  }
  return { batch, m: rows, n, k };
}

/** The byte offset of an operand in every batch. */
function batchOffsets(batch: readonly Axis[], operand: number): number[] {
  let offsets = [0];
  for (const axis of batch) {
    const stride = axis.strides[operand] ?? 0;
    offsets = offsets.flatMap((offset) => Array.from({ length: axis.size }, (_, i) => offset + i * stride));
  }
  return offsets;
}

/** A matrix to pack: which operand, along which axis its rows lie, in panels of how many. */
interface Side {
  readonly operand: number;
  readonly rows: Axis;
  readonly width: number;
}

/** Plans the products of one kernel; its code is made when it is first needed. */
class ProductPlanner {
  readonly #kernel: ContractKernel;
  readonly #toolchain: Toolchain;
  readonly #epilogue: ReturnType<typeof epiloguePlanner>;

  constructor(kernel: ContractKernel, toolchain: Toolchain) {
    this.#kernel = kernel;
    this.#toolchain = toolchain;
    this.#epilogue = epiloguePlanner(kernel, kernel.rank - 1, 'float32', toolchain);
  }

  plan(space: Space, product: Product): LaunchPlan {
    const { batch, k } = product;
    // A product that is stored column by column is the transposed product stored row by row.
    const plain = isPlain(this.#kernel, 'float32');
    const written = this.#kernel.outputs[0]?.operand ?? 0;
    const swapped = plain && product.m.strides[written] === WORD_BYTES && product.n.strides[written] !== WORD_BYTES;
    const [rows, columns] = swapped ? [product.n, product.m] : [product.m, product.n];
    const a: Side = { operand: swapped ? 1 : 0, rows, width: TILE_ROWS };
    const b: Side = { operand: swapped ? 0 : 1, rows: columns, width: TILE_COLUMNS };
    const blocking = blockingOf(rows.size, columns.size, k.size);
    const batches = batch.reduce((count, axis) => count * axis.size, 1);
    const tables = new Tables();
    const packedA = this.#pack(space, a, product, blocking.rowPanels, 0, tables);
    const packedB = this.#pack(space, b, product, blocking.columnPanels, packedA.bytes, tables);
    const inPlace =
      plain &&
      rows.size % TILE_ROWS === 0 &&
      columns.size % TILE_COLUMNS === 0 &&
      columns.strides[written] === WORD_BYTES &&
      // Rows of c are addressed upward.
      (rows.strides[written] ?? 0) > 0;
    const matrix = packedA.bytes + packedB.bytes;
    const paddedColumns = blocking.columnPanels * TILE_COLUMNS;
    const matrixBytes = blocking.rowPanels * TILE_ROWS * paddedColumns * WORD_BYTES;
    const offsets = inPlace ? batchOffsets(batch, written) : Array.from({ length: batches }, (_, i) => i * matrixBytes);
    const words = new Words();
    words.scratch('a', 0).constant('aBatch', packedA.batchBytes);
    words.scratch('b', packedA.bytes).constant('bBatch', packedB.batchBytes);
    words.table('cOffsets', tables.add(offsets)).constant('k', k.size);
    if (inPlace) words.operand('c', written, space.offsets[written] ?? 0).constant('rowBytes', rows.strides[written] ?? 0);
    else words.scratch('c', matrix).constant('rowBytes', paddedColumns * WORD_BYTES);
    for (const [name, value] of Object.entries(blocking) as [keyof Blocking, number][]) words.constant(name, value);
    const multiplier = codeFor(this.#toolchain, 'multiply', (module, layout) => {
      writeMultiply(module, writeTile(module, this.#toolchain.features.relaxedSimd), layout);
    });
    const multiply: Phase = {
      code: multiplier.code,
      units: batches * blocking.rowParts * blocking.columnParts,
      words: words.inOrderOf(multiplier.layout),
    };
    const rowBytes = paddedColumns * WORD_BYTES;
    const strides = { m: swapped ? WORD_BYTES : rowBytes, n: swapped ? rowBytes : WORD_BYTES, batch: matrixBytes };
    const epilogue = inPlace ? null : this.#finish(space, product, matrix, strides);
    return {
      phases: [packedA.phase, packedB.phase, multiply, ...(epilogue === null ? [] : [epilogue])],
      scratchBytes: matrix + (inPlace ? 0 : batches * matrixBytes),
      table: tables.finish(),
    };
  }

  /** The phase that packs one side to `target` bytes in the scratch. An operand that is the same in all batches is packed once. */
  #pack(space: Space, side: Side, { batch, k }: Product, panels: number, target: number, tables: Tables): Packed {
    const { operand, rows, width } = side;
    const shared = batch.every((axis) => (axis.strides[operand] ?? 0) === 0);
    const offsets = shared ? [0] : batchOffsets(batch, operand);
    const bytes = this.#kernel.operands[operand] === undefined ? WORD_BYTES : elementBytes(this.#kernel, operand);
    const kStride = k.strides[operand] ?? 0;
    const rowStride = rows.strides[operand] ?? 0;
    const mode: PackMode = kStride === bytes ? 'k' : rowStride === bytes ? 'rows' : 'far';
    const panelElements = width * k.size;
    const panelsPerUnit = Math.max(1, Math.min(panels, Math.floor(PACK_UNIT / panelElements)));
    const unitsPerBatch = Math.ceil(panels / panelsPerUnit);
    const words = new Words()
      .operand('source', operand, space.offsets[operand] ?? 0)
      .table('offsets', tables.add(offsets))
      .constant('rows', rows.size)
      .constant('k', k.size)
      .constant('rowStride', rowStride)
      .constant('kStride', kStride)
      .scratch('target', target)
      .constant('panels', panels)
      .constant('panelsPerUnit', panelsPerUnit)
      .constant('unitsPerBatch', unitsPerBatch);
    const dtype = storedDType(this.#kernel.operands[operand]);
    const { code, layout } = codeFor(this.#toolchain, `pack ${dtype} ${mode} ${width}`, (module, own) => writePack(module, width, dtype, mode, own));
    const batchBytes = panels * panelElements * WORD_BYTES;
    return {
      phase: { code, units: offsets.length * unitsPerBatch, words: words.inOrderOf(layout) },
      bytes: offsets.length * batchBytes,
      batchBytes: shared ? 0 : batchBytes,
    };
  }

  /** The epilogue over a product of padded matrices in the scratch. */
  #finish(space: Space, { batch, m, n }: Product, matrix: number, own: MatrixStrides): Phase | null {
    let stride = own.batch;
    const strides = batch.toReversed().map((axis) => {
      const here = stride;
      stride *= axis.size;
      return here;
    });
    const axes = [...batch.map((axis, i) => withStride(axis, strides[batch.length - 1 - i] ?? 0)), withStride(m, own.m), withStride(n, own.n)];
    const extra = this.#kernel.operands.length;
    const kept: Space = { axes, offsets: space.offsets, lengths: space.lengths };
    return this.#epilogue(kept, (words) => words.scratch(`address${extra}`, matrix));
  }
}

/** Bytes from one row, column and matrix of the product to the next, as the kernel counts them. */
interface MatrixStrides {
  readonly m: number;
  readonly n: number;
  readonly batch: number;
}

interface Packed {
  readonly phase: Phase;
  readonly bytes: number;
  readonly batchBytes: number;
}

function elementBytes(kernel: ContractKernel, operand: number): number {
  const dtype = storedDType(kernel.operands[operand]);
  return dtype === 'float16' || dtype === 'bfloat16' ? 2 : WORD_BYTES;
}

/** An axis with the stride of one more operand. */
function withStride(axis: Axis, stride: number): Axis {
  return { ...axis, strides: [...axis.strides, stride] };
}

/** Plans runs of a contraction. */
export function prepareContract(kernel: ContractKernel, toolchain: Toolchain): Planner {
  const named = namedAxes(kernel.outputs.map((output) => output.value));
  const small = prepareReduce(decomposed(kernel), toolchain);
  const packs = toolchain.features.simd && kernel.accumulate === 'float32';
  let planner: ProductPlanner | null = null;
  return (dims) => {
    const space = spaceOf(kernel, dims, named);
    if (space.axes.slice(0, -1).some((axis) => axis.size === 0)) return NOTHING;
    const product = productOf(space);
    if (!packs || product === null) return small(dims);
    const { m, n, k } = product;
    if (m.size === 1 || n.size === 1 || k.size === 0 || m.size * n.size * k.size < SMALLEST_PACKED) return small(dims);
    planner ??= new ProductPlanner(kernel, toolchain);
    return planner.plan(space, product);
  };
}
