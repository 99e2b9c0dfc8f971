/** Losses: what training makes small. Shapes of predictions and targets must match exactly. */

export { crossEntropy } from './cross-entropy.ts';
export type { CrossEntropyOptions } from './cross-entropy.ts';
export { mse } from './mse.ts';
export type { Reduction } from './reduction.ts';
