/** Initial values, by PyTorch's formulas. Draws come from the generator that `manualSeed` seeds. */

import { uniform } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/**
 * Uniform in `±1/√fanIn`: what PyTorch's Linear and convolution layers start from, for weight and bias
 * (Kaiming uniform with a = √5; He et al., "Delving Deep into Rectifiers", 2015).
 */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  return uniform(shape, { low: -bound, high: bound });
}
