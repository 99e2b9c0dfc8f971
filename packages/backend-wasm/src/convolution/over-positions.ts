/** The forward pass and the gradient of the input: weights times patches, lattice by lattice. */

import { load } from '@gradus/backend';
import type { MapKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { mapPlanner } from '../kernels/prepare-map.ts';
import type { MapPlanner } from '../kernels/prepare-map.ts';
import { codeFor } from '../launch/code.ts';
import { Words } from '../launch/words.ts';
import type { Axis } from '../lowering/loops.ts';
import { isPlain } from '../product/epilogue.ts';
import { equalParts } from '../product/gemm.ts';
import { TILE_COLUMNS, TILE_ROWS, writeTile } from '../product/tile.ts';
import { FEW_ROWS, writeFewRows } from './few-rows.ts';
import { forwardWindows, gradientWindows, rowMajor, volume } from './geometry.ts';
import type { Lattice, Windows } from './geometry.ts';
import { CLEAR, WORD_BYTES, packWeights, paddedTable, pictureOf } from './launching.ts';
import type { Launching, Picture } from './launching.ts';
import { writeOverPositions } from './passes.ts';
import { PANEL } from './patches.ts';
import type { Matrix, ResultShape } from './result.ts';

/** Taps of a patch at once: 12 KiB, beside a panel of weights in the first-level cache. */
const TAP_BLOCK = 384;
/** Panels of positions of a unit. */
const PANELS_PER_UNIT = 16;

/** Strides of an output that a product is written to, in bytes. */
interface DirectResult {
  readonly operand: number;
  readonly outer: number;
  readonly group: number;
  readonly row: number;
}

/** A copy within the scratch, over any space. */
const COPY: MapKernel = { ...CLEAR, outputs: [{ operand: 1, value: load('float32', 0) }] };

/** Plans passes over positions. */
export class OverPositions {
  readonly #copy: MapPlanner;

  constructor(toolchain: Toolchain) {
    this.#copy = mapPlanner(COPY, toolchain);
  }

  plan(launching: Launching, result: ResultShape): void {
    const { kernel, shape, space, draft, epilogue } = launching;
    const forward = kernel.pass === 'forward';
    const windows = forward ? forwardWindows(kernel, shape) : gradientWindows(kernel, shape);
    const picture = pictureOf(launching, windows.frame, shape.images * shape.groups * (forward ? shape.channels : shape.filters));
    const [first, ...others] = windows.lattices;
    const only = first !== undefined && others.length === 0 && first.taps.length > 0 ? first : null;
    const direct = only === null ? null : directResult(launching, result);
    if (only !== null && direct !== null) {
      multiply(launching, windows, only, result, picture, direct);
      return;
    }
    const matrix = only === null ? this.#assemble(launching, windows, result, picture) : multiply(launching, windows, only, result, picture, null);
    draft.add(epilogue.plan(space, result, matrix));
  }

  /** The products of all lattices, each copied to its places in one matrix. Positions that no tap meets get zeros. */
  #assemble(launching: Launching, windows: Windows, result: ResultShape, picture: Picture): Matrix {
    const { draft, clear } = launching;
    const row = volume(result.columns) * WORD_BYTES;
    const whole = { outer: result.groups * result.rows * row, group: result.rows * row, row };
    const dense: Matrix = { scratch: draft.reserve(result.outer * whole.outer), ...whole };
    const strides = rowMajor(result.columns);
    for (const lattice of windows.lattices) {
      const empty = lattice.taps.length === 0;
      const part = empty ? dense : multiply(launching, windows, lattice, result, picture, null);
      const sources = rowMajor(lattice.sizes);
      const axes: Axis[] = [
        { size: result.outer, strides: [part.outer, dense.outer], name: null },
        { size: result.groups, strides: [part.group, dense.group], name: null },
        { size: result.rows, strides: [part.row, dense.row], name: null },
        ...lattice.sizes.map((size, d) => ({
          size,
          strides: [WORD_BYTES * (sources[d] ?? 0), WORD_BYTES * (strides[d] ?? 0) * (lattice.steps[d] ?? 1)],
          name: null,
        })),
      ];
      const first = lattice.first.reduce((sum, cell, d) => sum + cell * (strides[d] ?? 0), 0) * WORD_BYTES;
      const place = (words: Words): void => {
        words.scratch('address0', part.scratch).scratch('address1', dense.scratch + first);
      };
      draft.add((empty ? clear : this.#copy)({ axes, offsets: [0, 0], lengths: [0, 0] }, place));
    }
    return dense;
  }
}

/** The only output, where the product may be written to it as it comes. */
function directResult({ kernel, space }: Launching, { rows, columns }: ResultShape): DirectResult | null {
  if (!isPlain(kernel, 'float32') || rows % TILE_ROWS !== 0 || volume(columns) % TILE_COLUMNS !== 0) return null;
  const operand = kernel.outputs[0]?.operand ?? 0;
  const [outer = 0, group = 0, row = 0, ...rest] = space.strides(operand);
  const dense = rowMajor(columns).every((stride, d) => columns[d] === 1 || rest[d] === stride * WORD_BYTES);
  return dense && row > 0 ? { operand, outer, group, row } : null;
}

/** The product for one lattice, into the scratch or straight into the output. */
function multiply(
  launching: Launching,
  windows: Windows,
  lattice: Lattice,
  result: ResultShape,
  picture: Picture,
  direct: DirectResult | null,
): Matrix {
  const { kernel, toolchain, shape, space, draft } = launching;
  const k = lattice.taps.length;
  const { rows } = result;
  const rowPanels = Math.ceil(rows / TILE_ROWS);
  const positions = paddedTable(lattice.positions);
  const panels = positions.length / PANEL;
  const row = direct?.row ?? panels * PANEL * WORD_BYTES;
  const group = direct?.group ?? rowPanels * TILE_ROWS * row;
  const outer = direct?.outer ?? shape.groups * group;
  const weights = packWeights(launching, lattice.weights, rows, windows.rowStride);
  const scratch = direct === null ? draft.reserve(shape.images * outer) : 0;
  const panelsPerUnit = equalParts(panels, PANELS_PER_UNIT);
  const parts = Math.ceil(panels / panelsPerUnit);
  const planes = kernel.pass === 'forward' ? shape.channels : shape.filters;
  const words = picture
    .place(new Words())
    .constant('pictureImage', picture.plane * planes * shape.groups)
    .constant('pictureGroup', picture.plane * planes)
    .table('positions', draft.tables.add(positions))
    .table('taps', draft.tables.add(lattice.taps))
    .constant('k', k)
    .constant('kBlock', equalParts(k, TAP_BLOCK))
    .scratch('a', weights)
    .constant('aGroup', rowPanels * TILE_ROWS * k * WORD_BYTES)
    .constant('rowPanels', rowPanels)
    .constant('rows', rows)
    .constant('cImage', outer)
    .constant('cGroup', group)
    .constant('rowBytes', row)
    .constant('panels', panels)
    .constant('panelsPerUnit', panelsPerUnit)
    .constant('parts', parts)
    .constant('groups', shape.groups);
  if (direct === null) words.scratch('c', scratch);
  else words.operand('c', direct.operand, space.offset(direct.operand));
  const { relaxedSimd } = toolchain.features;
  const few = rows <= FEW_ROWS;
  const { code, layout } = codeFor(toolchain, few ? 'convolution of few rows' : 'convolution over positions', (module, own) => {
    if (few) writeFewRows(module, relaxedSimd, own);
    else writeOverPositions(module, writeTile(module, relaxedSimd), own);
  });
  draft.add({ code, units: shape.images * shape.groups * parts, words: words.inOrderOf(layout) });
  return { scratch, outer, group, row };
}
