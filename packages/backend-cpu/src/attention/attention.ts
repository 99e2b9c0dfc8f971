/** `attention`: tile after tile, in float64, without the matrix of all scores. */

import type { AttentionKernel } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import type { Workspace } from '../workspace.ts';
import { attendBackward } from './backward.ts';
import { attendForward } from './forward.ts';

/** Code for either pass. */
export function prepareAttention(kernel: AttentionKernel, workspace: Workspace): KernelCode {
  const attend = kernel.pass === 'forward' ? attendForward : attendBackward;
  return (views, [scale = 1], dims) => attend(kernel, workspace, views, scale, dims);
}
