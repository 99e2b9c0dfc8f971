/** Optional kernel: one pass of an optimizer. Rules and their order of operations are those of `@gradus/optim`, which follow PyTorch's. */

import type { KernelBase } from './kernel.ts';

/**
 * One step of an optimizer over a flat arena. Size in `dims`: `n`; all operands are dense `[n]` (see `optional.ts`), of one dtype, float32 or
 * float64, and so are the scalars.
 *
 * Operands: parameters p (readWrite), gradients g, then the state (readWrite). Steps are counted by t, from 1; what is the same for all
 * elements is calculated in float64 by the caller, and rounded when it is passed.
 * | algorithm | state | scalars |
 * |---|---|---|
 * | sgd | none | lr, weightDecay |
 * | sgd with `momentum` | buffer b | lr, weightDecay, momentum, share: `1 - dampening`, in the first step 1 |
 * | adam | moments m, v | rate: `lr / (1 - beta1^t)`, weightDecay, beta1, `1 - beta1`, beta2, `1 - beta2`, root: `sqrt(1 - beta2^t)`, eps |
 * | adamw | moments m, v | those of adam, but in place of weightDecay keep: `1 - lr · weightDecay` |
 *
 * Operations in the order written; each rounds to the dtype and nothing is fused, so that a step equals its decomposition into maps to the bit.
 * ```
 * sgd, adam:  g = weightDecay == 0 ? g : g + p · weightDecay
 * adamw:      p = p · keep
 *
 * sgd:        p = p - g · lr
 * momentum:   b = b · momentum + g · share
 *             p = p - (nesterov ? g + b · momentum : b) · lr
 *
 * adam(w):    m = m · beta1 + g · (1 - beta1)
 *             v = v · beta2 + (g · g) · (1 - beta2)
 *             p = p - (m · rate) / (sqrt(v) / root + eps)
 * ```
 */
export interface OptimizerStepKernel extends KernelBase {
  readonly kind: 'optimizerStep';
  readonly algorithm: 'sgd' | 'adam' | 'adamw';
  /** Only sgd may have it; the moments of adam are no option. */
  readonly momentum: boolean;
  /** Only with `momentum`. */
  readonly nesterov: boolean;
}
