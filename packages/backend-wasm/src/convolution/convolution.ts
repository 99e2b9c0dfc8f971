/**
 * `convolution` as implicit matrix products: patches are packed a panel at a time and never stored as a whole. Pictures stay as they are
 * ([N, C, ...]); in any number of dimensions, with any stride, dilation and padding, they are read through tables (`geometry.ts`).
 */

import type { ConvolutionKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { mapPlanner } from '../kernels/prepare-map.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { Draft } from '../launch/draft.ts';
import { shapeOf } from './geometry.ts';
import type { Shape } from './geometry.ts';
import { CLEAR } from './launching.ts';
import type { Launching } from './launching.ts';
import { OverPositions } from './over-positions.ts';
import { planOverTaps } from './over-taps.ts';
import { Epilogue, ResultSpace } from './result.ts';
import type { ResultShape } from './result.ts';

function resultShape({ pass, window }: ConvolutionKernel, { images, groups, channels, filters, input, output }: Shape): ResultShape {
  switch (pass) {
    case 'forward':
      return { outer: images, groups, rows: filters, columns: output };
    case 'inputGradient':
      return { outer: images, groups, rows: channels, columns: input };
    case 'filterGradient':
      return { outer: 1, groups, rows: filters, columns: [channels, ...window.size] };
    default:
      return pass satisfies never;
  }
}

/** Plans runs of a convolution. */
export function prepareConvolution(kernel: ConvolutionKernel, toolchain: Toolchain): Planner {
  const epilogue = new Epilogue(kernel, toolchain);
  const clear = mapPlanner(CLEAR, toolchain);
  const overPositions = new OverPositions(toolchain);
  return (dims) => {
    const shape = shapeOf(kernel, dims);
    const result = resultShape(kernel, shape);
    const launching: Launching = { kernel, toolchain, epilogue, shape, space: new ResultSpace(kernel, result, dims), draft: new Draft(), clear };
    if (kernel.pass === 'filterGradient') planOverTaps(launching, result);
    else overPositions.plan(launching, result);
    return launching.draft.finish();
  };
}
