/** Optimizers: each step is one pass over all parameters, which lie in one flat block. */

export { Adam } from './adam.ts';
export type { AdamOptions, MomentOptions } from './adam.ts';
export { AdamW } from './adamw.ts';
export type { AdamWOptions } from './adamw.ts';
export type { Carried, ParameterState, StateLayout } from './block.ts';
export { clipGradNorm } from './clip.ts';
export type { DirectionOptions } from './direction.ts';
export { OptimizerGroup } from './groups.ts';
export type { NamedTensor, ParameterGroup, ParameterList, Parameters } from './groups.ts';
export { ArenaOptimizer } from './optimizer.ts';
export type { LoadStateOptions, Optimizer, OptimizerState, Settings, Update, Updated } from './optimizer.ts';
export { SGD } from './sgd.ts';
export type { SGDOptions } from './sgd.ts';
