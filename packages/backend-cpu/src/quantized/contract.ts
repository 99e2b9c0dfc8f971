/**
 * `quantizedContract`: the blocked integer product over widened operands, tile by tile, each tile handed to the epilogue.
 *
 * With groups, the product is made for one group after the other; its int32 sums times their scales are added up in float32.
 */

import type { QuantizedContractKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { steps } from '../contract/offsets.ts';
import { BLOCK_COLUMNS, BLOCK_ROWS, padded } from '../contract/product.ts';
import type { Factor } from '../contract/strips.ts';
import { DenseOperands } from '../dense/operands.ts';
import { Epilogue, epilogueMap } from '../lowering/epilogue.ts';
import type { PrepareMap } from '../lowering/epilogue.ts';
import type { Workspace } from '../workspace.ts';
import { unpackHalves } from './unpack.ts';

/** One matrix, `[lines, k]`, as a factor: lines from `from` to `to`, columns from `kFrom` to `kTo`. */
function factor(elements: Int32Array, k: number, from: number, to: number, kFrom: number, kTo: number): Factor {
  return { elements, base: from * k + kFrom, outer: Int32Array.from(steps(to - from, k)), inner: Int32Array.from(steps(kTo - kFrom, 1)) };
}

/** The box of the result that a tile covers, and the distance between the tile's rows. */
interface Tile {
  readonly row: number;
  readonly rowTo: number;
  readonly column: number;
  readonly columnTo: number;
  readonly stride: number;
}

/** Scales of the rows of b: `[N, groups]`. */
interface Scales {
  readonly elements: TypedArray;
  readonly groups: number;
}

/** Adds the sums of one group, scaled, to what the groups before it gave. */
function addScaled(
  totals: Float64Array,
  sums: Int32Array,
  { row, rowTo, column, columnTo, stride }: Tile,
  { elements, groups }: Scales,
  group: number,
): void {
  for (let i = 0; i < rowTo - row; i++) {
    for (let j = 0; j < columnTo - column; j++) {
      const at = i * stride + j;
      const scale = elements[(column + j) * groups + group] as number;
      totals[at] = Math.fround((totals[at] as number) + Math.fround(Math.fround(sums[at] as number) * scale));
    }
  }
}

/** Code for a quantized product. */
export function prepareQuantizedContract(kernel: QuantizedContractKernel, workspace: Workspace, prepareMap: PrepareMap): KernelCode {
  const { integer, integerSums, floatSums } = workspace;
  const { group } = kernel;
  const [dtype, stored] = group === null ? (['int32', 'int32'] as const) : (['float32', 'float64'] as const);
  const map = epilogueMap(kernel, { rank: 2, dtype, stored, whole: false });
  const code = prepareMap(map);

  return (views, scalars, dims) => {
    const [m = 0, n = 0, k = 0] = dims;
    const run = new DenseOperands(kernel, views, dims);
    const a = Int32Array.from(run.raw(0));
    const b = kernel.bBits === 4 ? unpackHalves(run.raw(1), n, k) : Int32Array.from(run.raw(1));
    const epilogue = new Epilogue(kernel, map, code, views, scalars, dims);
    const groups = group === null ? 0 : Math.ceil(k / group);
    const scales: Scales = { elements: run.raw(2), groups };

    /** The int32 sums over k in `[kFrom, kTo)`. */
    const multiply = (sums: Int32Array, { row, rowTo, column, columnTo, stride }: Tile, kFrom: number, kTo: number): void => {
      sums.fill(0, 0, padded(rowTo - row) * stride);
      integer.add(sums, stride, factor(a, k, row, rowTo, kFrom, kTo), factor(b, k, column, columnTo, kFrom, kTo));
    };
    for (let column = 0; column < n; column += BLOCK_COLUMNS) {
      for (let row = 0; row < m; row += BLOCK_ROWS) {
        const [rowTo, columnTo] = [Math.min(m, row + BLOCK_ROWS), Math.min(n, column + BLOCK_COLUMNS)];
        const tile: Tile = { row, rowTo, column, columnTo, stride: padded(columnTo - column) };
        const size = padded(rowTo - row) * tile.stride;
        const sums = integerSums.get(size);
        let finished: TypedArray = sums;
        if (group === null) multiply(sums, tile, 0, k);
        else {
          const totals = floatSums.get(size).fill(0, 0, size);
          for (let g = 0; g < groups; g++) {
            multiply(sums, tile, g * group, Math.min(k, (g + 1) * group));
            addScaled(totals, sums, tile, scales, g);
          }
          finished = totals;
        }
        epilogue.apply(finished, [tile.stride, 1], [row, column], [rowTo - row, columnTo - column]);
      }
    }
  };
}
