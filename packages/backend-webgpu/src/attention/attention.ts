/** `attention` as WGSL: tile after tile, without the matrix of all scores. */

import type { AttentionKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import type { Planner } from '../launch/launch.ts';
import { prepareBackward } from './backward.ts';
import { prepareForward } from './forward.ts';

/** A function of WGSL has 8192 bytes for its variables, and that of the gradients of keys takes 4 for each dimension of both. */
export const MOST_HEAD_DIM = 1024;

/** Plans either pass. */
export function prepareAttention(kernel: AttentionKernel, toolchain: Toolchain): Planner {
  return kernel.pass === 'forward' ? prepareForward(kernel, toolchain) : prepareBackward(kernel, toolchain);
}
