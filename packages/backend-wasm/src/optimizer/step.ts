/** `optimizerStep`: the map that it decomposes into, so that parameters, gradients and state are read and written once. */

import { optimizerStepMap, optimizerStepMapDims } from '@gradus/backend';
import type { OptimizerStepKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { prepareMap } from '../kernels/prepare-map.ts';
import type { Planner } from '../kernels/prepare-map.ts';

/** Plans runs of an optimizer's step. */
export function prepareOptimizerStep(kernel: OptimizerStepKernel, toolchain: Toolchain): Planner {
  const plan = prepareMap(optimizerStepMap(kernel), toolchain);
  return (dims) => plan(optimizerStepMapDims(dims));
}
