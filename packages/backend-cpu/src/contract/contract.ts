/** `contract`: the matrix product of every batch, tile by tile, each tile handed to the epilogue. */

import { isFloat, operandPositions } from '@gradus/backend';
import type { ContractKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { Epilogue, epilogueMap } from '../lowering/epilogue.ts';
import type { PrepareMap } from '../lowering/epilogue.ts';
import type { Scratch } from '../memory/scratch.ts';
import type { Workspace } from '../workspace.ts';
import { decoded } from './decode.ts';
import type { Placed } from './decode.ts';
import { grid } from './offsets.ts';
import { BLOCK_COLUMNS, BLOCK_ROWS, padded } from './product.ts';
import type { Multiplier } from './product.ts';

/** Code for a contraction. */
export function prepareContract(kernel: ContractKernel, prepareMap: PrepareMap, { float, floatSums, integer, integerSums }: Workspace): KernelCode {
  return isFloat(kernel.accumulate)
    ? tiled(kernel, prepareMap, 'float64', float, floatSums)
    : tiled(kernel, prepareMap, 'int32', integer, integerSums);
}

function tiled<T extends Float64Array | Int32Array>(
  kernel: ContractKernel,
  prepareMap: PrepareMap,
  stored: 'float64' | 'int32',
  multiplier: Multiplier<T>,
  scratch: Scratch<T>,
): KernelCode {
  const { rank } = kernel;
  const [m, n, k] = [rank - 3, rank - 2, rank - 1];
  const map = epilogueMap(kernel, { rank: rank - 1, dtype: kernel.accumulate, stored, whole: false });
  const code = prepareMap(map);
  const positions = operandPositions(kernel);

  const place = (operand: 0 | 1, views: readonly TypedArray[], dims: Int32Array): Placed => {
    const at = positions[operand] ?? 0;
    const view = views[operand] ?? new Float64Array(0);
    const dtype = kernel.operands[operand]?.dtype ?? kernel.accumulate;
    return decoded(view, dtype, dims[at] ?? 0, dims.subarray(0, rank), dims.subarray(at + 1, at + 1 + rank));
  };

  return (views, scalars, dims) => {
    const [rows = 0, columns = 0, depth = 0] = dims.subarray(m, rank);
    const a = place(0, views, dims);
    const b = place(1, views, dims);
    const rowsOfA = grid([rows], [a.strides[m] ?? 0]);
    const depthOfA = grid([depth], [a.strides[k] ?? 0]);
    const columnsOfB = grid([columns], [b.strides[n] ?? 0]);
    const depthOfB = grid([depth], [b.strides[k] ?? 0]);
    const epilogue = new Epilogue(kernel, map, code, views, scalars, dims);
    const start = Array.from({ length: rank - 1 }, () => 0);
    const sizes = start.map(() => 1);
    const stride = padded(Math.min(columns, BLOCK_COLUMNS));
    const strides = start.map((_, axis) => (axis === m ? stride : axis === n ? 1 : 0));
    const tile = scratch.get(padded(Math.min(rows, BLOCK_ROWS)) * stride);

    const multiply = (baseOfA: number, baseOfB: number): void => {
      for (let column = 0; column < columns; column += BLOCK_COLUMNS) {
        const outerOfB = columnsOfB.subarray(column, column + BLOCK_COLUMNS);
        for (let row = 0; row < rows; row += BLOCK_ROWS) {
          const outerOfA = rowsOfA.subarray(row, row + BLOCK_ROWS);
          tile.fill(0, 0, padded(outerOfA.length) * stride);
          multiplier.add(
            tile,
            stride,
            { elements: a.elements, base: baseOfA, outer: outerOfA, inner: depthOfA },
            { elements: b.elements, base: baseOfB, outer: outerOfB, inner: depthOfB },
          );
          start[m] = row;
          start[n] = column;
          sizes[m] = outerOfA.length;
          sizes[n] = outerOfB.length;
          epilogue.apply(tile, strides, start, sizes);
        }
      }
    };
    const batches = (axis: number, baseOfA: number, baseOfB: number): void => {
      if (axis === m) {
        multiply(baseOfA, baseOfB);
        return;
      }
      const size = dims[axis] ?? 0;
      for (let i = 0; i < size; i++) {
        start[axis] = i;
        batches(axis + 1, baseOfA + i * (a.strides[axis] ?? 0), baseOfB + i * (b.strides[axis] ?? 0));
      }
    };
    batches(0, a.offset, b.offset);
  };
}
