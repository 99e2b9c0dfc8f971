/** Optimizers: each step is one pass over all parameters, which lie in one flat block. */

export { Adam } from './adam.ts';
export type { AdamOptions } from './adam.ts';
export { AdamW } from './adamw.ts';
export type { AdamWOptions } from './adamw.ts';
export { clipGradNorm } from './clip.ts';
export { ArenaOptimizer, OptimizerGroup } from './optimizer.ts';
export type { ArenaState, Optimizer, ParameterGroup, Parameters, Settings, Update, Updated } from './optimizer.ts';
export { SGD } from './sgd.ts';
export type { SGDOptions } from './sgd.ts';
