/** What the launches of all passes are made with, and what they have in common: reading the picture, and packing weights. */

import { constant } from '@gradus/backend';
import type { ConvolutionKernel, MapKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { storedDType } from '../kernels/point.ts';
import type { MapPlanner } from '../kernels/prepare-map.ts';
import type { StoredDType } from '../lanes/elements.ts';
import { codeFor } from '../launch/code.ts';
import type { Draft } from '../launch/draft.ts';
import { Words } from '../launch/words.ts';
import { TILE_ROWS } from '../product/tile.ts';
import { frameWords, writeFrameCopy } from './frame-copy.ts';
import { isBare, volume } from './geometry.ts';
import type { FrameShape, Shape } from './geometry.ts';
import { writeWeights } from './passes.ts';
import { PANEL } from './patches.ts';
import type { Epilogue, ResultSpace } from './result.ts';

export const WORD_BYTES = 4;

/** One launch in the making. */
export interface Launching {
  readonly kernel: ConvolutionKernel;
  readonly toolchain: Toolchain;
  readonly epilogue: Epilogue;
  readonly shape: Shape;
  readonly space: ResultSpace;
  readonly draft: Draft;
  /** Plans {@link CLEAR}. */
  readonly clear: MapPlanner;
}

/** Zeros into the scratch, over any space: results that are sums of nothing. Operand 0 is not looked at. */
export const CLEAR: MapKernel = {
  kind: 'map',
  rank: 0,
  operands: [
    { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
    { dtype: 'float32', access: 'write', layout: 'strided', space: 'full' },
  ],
  scalars: [],
  outputs: [{ operand: 1, value: constant('float32', 0) }],
};

/** A picture as products read it: where it is, and bytes from plane to plane. */
export interface Picture {
  readonly place: (words: Words) => Words;
  readonly plane: number;
}

/**
 * A table filled up to whole panels with its first entry. Entries ascend, so four of them with a filling at their end never look like
 * neighbours in memory, which `patches.ts` tells by the distance from the first to the last.
 */
export function paddedTable(table: readonly number[]): number[] {
  const missing = Math.ceil(table.length / PANEL) * PANEL - table.length;
  return [...table, ...Array.from({ length: missing }, () => table[0] ?? 0)];
}

/** Bytes of an element of a float dtype. */
export function floatBytes(dtype: StoredDType): number {
  return dtype === 'float16' || dtype === 'bfloat16' ? 2 : WORD_BYTES;
}

/** The picture that windows move over: operand 0, framed unless it can be read where it is. */
export function pictureOf({ kernel, toolchain, draft, space }: Launching, frame: FrameShape, planes: number): Picture {
  const dtype = storedDType(kernel.operands[0]);
  const plane = WORD_BYTES * volume(frame.extent);
  const offset = space.offset(0);
  if (dtype === 'float32' && isBare(frame)) return { place: (words) => words.operand('picture', 0, offset), plane };
  const bytes = floatBytes(dtype);
  const target = draft.reserve(planes * plane);
  const { code, layout } = codeFor(toolchain, `frame ${dtype}`, (module, own) => writeFrameCopy(module, dtype, bytes, own));
  const words = frameWords(frame, bytes).operand('source', 0, offset).scratch('target', target);
  draft.add({ code, units: planes, words: words.inOrderOf(layout) });
  return { place: (own) => own.scratch('picture', target), plane };
}

/** Packs the weights of operand 1 that a table names, for `rows` rows a group; where they are in the scratch. */
export function packWeights(
  { kernel, toolchain, shape, space, draft }: Launching,
  weights: readonly number[],
  rows: number,
  rowStride: number,
): number {
  const dtype = storedDType(kernel.operands[1]);
  // Tables count in bytes of float32.
  const shift = floatBytes(dtype) === WORD_BYTES ? 0 : 1;
  const panels = Math.ceil(rows / TILE_ROWS);
  const target = draft.reserve(shape.groups * panels * TILE_ROWS * weights.length * WORD_BYTES);
  const { code, layout } = codeFor(toolchain, `weights ${dtype}`, (module, own) => writeWeights(module, dtype, shift, own));
  const words = new Words()
    .operand('source', 1, space.offset(1))
    .constant('groupBytes', (WORD_BYTES >> shift) * shape.filters * shape.channels * volume(kernel.window.size))
    .constant('rows', rows)
    .constant('rowStride', rowStride >> shift)
    .constant('k', weights.length)
    .table('weights', draft.tables.add(weights))
    .scratch('target', target)
    .constant('panels', panels);
  draft.add({ code, units: shape.groups * panels, words: words.inOrderOf(layout) });
  return target;
}
