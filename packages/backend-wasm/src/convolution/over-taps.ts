/** The gradient of the filter: gradients of the output, packed, times patches, summed over images and positions. */

import { storedDType } from '../kernels/point.ts';
import { codeFor } from '../launch/code.ts';
import { Words } from '../launch/words.ts';
import { writePack } from '../product/pack.ts';
import { equalParts } from '../product/gemm.ts';
import { TILE_ROWS, writeTile } from '../product/tile.ts';
import { forwardWindows, volume } from './geometry.ts';
import { WORD_BYTES, floatBytes, paddedTable, pictureOf } from './launching.ts';
import type { Launching } from './launching.ts';
import { writeOverTaps } from './passes.ts';
import { PANEL } from './patches.ts';
import type { ResultShape } from './result.ts';

/** Positions of a patch at once, and panels of taps of a unit: together they fill the better part of the workspace. */
const POSITION_BLOCK = 256;
const TAP_PANELS_PER_UNIT = 6;

/** Plans a pass over taps. */
export function planOverTaps(launching: Launching, result: ResultShape): void {
  const { kernel, toolchain, shape, space, draft, epilogue, clear } = launching;
  const [lattice] = forwardWindows(kernel, shape).lattices;
  const { frame } = forwardWindows(kernel, shape);
  if (lattice === undefined) return;
  const rowPanels = Math.ceil(shape.filters / TILE_ROWS);
  const k = lattice.positions.length;
  const taps = paddedTable(lattice.taps);
  const panels = taps.length / PANEL;
  const row = panels * PANEL * WORD_BYTES;
  const group = rowPanels * TILE_ROWS * row;
  const scratch = draft.reserve(shape.groups * group);
  const matrix = { scratch, outer: 0, group, row };
  if (shape.images * k === 0) {
    const cells = { size: (shape.groups * group) / WORD_BYTES, strides: [0, WORD_BYTES], name: null };
    draft.add(clear({ axes: [cells], offsets: [0, 0], lengths: [0, 0] }, (words) => words.scratch('address0', scratch).scratch('address1', scratch)));
    draft.add(epilogue.plan(space, result, matrix));
    return;
  }
  const picture = pictureOf(launching, frame, shape.images * shape.groups * shape.channels);
  const gradients = packGradients(launching, rowPanels, k);
  const panelsPerUnit = equalParts(panels, TAP_PANELS_PER_UNIT);
  const parts = Math.ceil(panels / panelsPerUnit);
  const aGroup = rowPanels * TILE_ROWS * k * WORD_BYTES;
  const words = picture
    .place(new Words())
    .constant('pictureImage', picture.plane * shape.channels * shape.groups)
    .constant('pictureGroup', picture.plane * shape.channels)
    .table('positions', draft.tables.add(lattice.positions))
    .table('taps', draft.tables.add(taps))
    .constant('k', k)
    .constant('kBlock', equalParts(k, POSITION_BLOCK))
    .constant('images', shape.images)
    .scratch('a', gradients)
    .constant('aImage', aGroup * shape.groups)
    .constant('aGroup', aGroup)
    .constant('rowPanels', rowPanels)
    .scratch('c', scratch)
    .constant('cGroup', group)
    .constant('rowBytes', row)
    .constant('panels', panels)
    .constant('panelsPerUnit', panelsPerUnit)
    .constant('parts', parts);
  const { code, layout } = codeFor(toolchain, 'convolution over taps', (module, own) => {
    writeOverTaps(module, writeTile(module, toolchain.features.relaxedSimd), own);
  });
  draft.add({ code, units: shape.groups * parts, words: words.inOrderOf(layout) });
  draft.add(epilogue.plan(space, result, matrix));
}

/** Packs the gradient of the output, `[images · groups]` matrices of filters by positions; where they are in the scratch. */
function packGradients({ kernel, toolchain, shape, space, draft }: Launching, panels: number, k: number): number {
  const dtype = storedDType(kernel.operands[1]);
  const bytes = floatBytes(dtype);
  const matrices = shape.images * shape.groups;
  const target = draft.reserve(matrices * panels * TILE_ROWS * k * WORD_BYTES);
  const { code, layout } = codeFor(toolchain, `pack ${dtype} k ${TILE_ROWS}`, (module, own) => writePack(module, TILE_ROWS, dtype, 'k', own));
  const offsets = Array.from({ length: matrices }, (_, i) => i * shape.filters * volume(shape.output) * bytes);
  const words = new Words()
    .operand('source', 1, space.offset(1))
    .table('offsets', draft.tables.add(offsets))
    .constant('rows', shape.filters)
    .constant('k', k)
    .constant('rowStride', k * bytes)
    .constant('kStride', bytes)
    .scratch('target', target)
    .constant('panels', panels)
    .constant('panelsPerUnit', panels)
    .constant('unitsPerBatch', 1);
  draft.add({ code, units: matrices, words: words.inOrderOf(layout) });
  return target;
}
