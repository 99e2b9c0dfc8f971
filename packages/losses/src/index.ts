/** Losses: what training makes small. Shapes of predictions and targets must match exactly. */

export { bce, bceWithLogits } from './binary.ts';
export type { BceWithLogitsOptions } from './binary.ts';
export type { ElementwiseOptions } from './calculate.ts';
export { crossEntropy, nll } from './cross-entropy.ts';
export type { CrossEntropyOptions, NllOptions } from './cross-entropy.ts';
export type { LossOptions, Reduction } from './reduction.ts';
export { huber, l1, logCosh, mse, smoothL1 } from './regression.ts';
export type { HuberOptions, SmoothL1Options } from './regression.ts';
