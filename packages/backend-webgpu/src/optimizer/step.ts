/**
 * `optimizerStep` as WGSL: the map that it decomposes into, so that parameters, gradients and state are read and written once, and a step gives the
 * bits that its maps give.
 */

import { optimizerStepMap, optimizerStepMapDims } from '@gradus/backend';
import type { OptimizerStepKernel } from '@gradus/backend';
import { prepareMap } from '../kernels/map.ts';
import type { Planner } from '../launch/launch.ts';

/** Plans steps of optimizers. */
export function prepareOptimizerStep(kernel: OptimizerStepKernel): Planner {
  const plan = prepareMap(optimizerStepMap(kernel));
  return (dims) => plan(optimizerStepMapDims(dims));
}
