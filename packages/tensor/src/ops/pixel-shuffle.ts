/**
 * Channels to pixels and back, and channels among themselves.
 *
 * Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016;
 * Zhang et al., "ShuffleNet", 2018.
 */

import { ArgumentError, ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { apartFrom } from './own-handles.ts';
import { permute, transpose } from './movement.ts';
import { reshape } from './reshape.ts';

function requireWhole(op: string, what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new ArgumentError({ op, expected: `${what}: a whole number of at least 1`, got: showValue(value) });
}

/** The axes before the last three, and those. @throws ShapeError */
function imageOf(op: string, x: Tensor): { batch: readonly number[]; c: number; h: number; w: number } {
  const { dims } = nodeOf(x, op).shape;
  if (dims.length < 3) throw new ShapeError({ op, expected: 'x of rank 3 at least, [..., C, H, W]', got: showDims(dims) });
  const [c = 0, h = 0, w = 0] = dims.slice(-3);
  return { batch: dims.slice(0, -3), c, h, w };
}

const fromLast = (count: number, order: readonly number[]): number[] => [
  ...Array.from({ length: count }, (_, i) => i),
  ...order.map((i) => count + i),
];

/**
 * Each group of factor² channels becomes a factor × factor block of pixels.
 *
 * @param x `[..., C·factor², H, W]`
 * @returns `[..., C, H·factor, W·factor]`
 * @throws ShapeError, ArgumentError
 */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  requireWhole('pixelShuffle', 'factor', factor);
  const { batch, c, h, w } = imageOf('pixelShuffle', x);
  if (c % factor ** 2 !== 0) throw new ShapeError({ op: 'pixelShuffle', expected: `channels that ${factor}² divides`, got: `${c} channels` });
  const parts = reshape(x, [...batch, c / factor ** 2, factor, factor, h, w]);
  const blocks = permute(parts, fromLast(batch.length, [0, 3, 1, 4, 2]));
  return apartFrom(x, reshape(blocks, [...batch, c / factor ** 2, h * factor, w * factor]));
}

/**
 * Undoes {@link pixelShuffle}: each factor × factor block of pixels becomes factor² channels.
 *
 * @param x `[..., C, H·factor, W·factor]`
 * @returns `[..., C·factor², H, W]`
 * @throws ShapeError, ArgumentError
 */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  requireWhole('pixelUnshuffle', 'factor', factor);
  const { batch, c, h, w } = imageOf('pixelUnshuffle', x);
  if (h % factor !== 0 || w % factor !== 0)
    throw new ShapeError({ op: 'pixelUnshuffle', expected: `height and width that ${factor} divides`, got: `${h} × ${w}` });
  const parts = reshape(x, [...batch, c, h / factor, factor, w / factor, factor]);
  const channels = permute(parts, fromLast(batch.length, [0, 2, 4, 1, 3]));
  return apartFrom(x, reshape(channels, [...batch, c * factor ** 2, h / factor, w / factor]));
}

/** Channels of x `[N, C, …]` as C/groups groups of one channel from each of `groups`: i·C/groups + j goes to j·groups + i. @throws ShapeError, ArgumentError */
export function channelShuffle(x: Tensor, groups: number): Tensor {
  requireWhole('channelShuffle', 'groups', groups);
  const { dims } = nodeOf(x, 'channelShuffle').shape;
  const [n = 0, c = 0, ...rest] = dims;
  if (dims.length < 3 || c % groups !== 0)
    throw new ShapeError({
      op: 'channelShuffle',
      expected: `x [N, C, …] of rank 3 at least, with channels that ${groups} divides`,
      got: showDims(dims),
    });
  return apartFrom(x, reshape(transpose(reshape(x, [n, groups, c / groups, ...rest]), 1, 2), dims));
}
