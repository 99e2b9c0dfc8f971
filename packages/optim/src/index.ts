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
export { Adagrad } from './adagrad.ts';
export type { AdagradOptions } from './adagrad.ts';
export { Adadelta } from './adadelta.ts';
export type { AdadeltaOptions } from './adadelta.ts';
export { Adamax } from './adamax.ts';
export type { AdamaxOptions } from './adamax.ts';
export { ASGD } from './asgd.ts';
export type { ASGDOptions } from './asgd.ts';
export { Lion } from './lion.ts';
export type { LionOptions } from './lion.ts';
export { NAdam } from './nadam.ts';
export type { NAdamOptions } from './nadam.ts';
export { RAdam } from './radam.ts';
export type { RAdamOptions } from './radam.ts';
export { RMSprop } from './rmsprop.ts';
export type { RMSpropOptions } from './rmsprop.ts';
export { Rprop } from './rprop.ts';
export type { RpropOptions } from './rprop.ts';
export { LAMB } from './lamb.ts';
export type { LAMBOptions } from './lamb.ts';
export { LARS } from './lars.ts';
export type { LARSOptions } from './lars.ts';
export { Adafactor } from './adafactor.ts';
export type { AdafactorOptions } from './adafactor.ts';
export { Muon, orthogonalized } from './muon.ts';
export type { MuonOptions } from './muon.ts';
export { ScheduleFreeAdamW, ScheduleFreeSGD } from './schedule-free.ts';
export type { ScheduleFreeAdamWOptions, ScheduleFreeOptions, ScheduleFreeSGDOptions } from './schedule-free.ts';
export { ReduceOnPlateau, Scheduler } from './scheduler.ts';
export type { PlateauOptions, PlateauState, Schedules } from './scheduler.ts';
export {
  constant,
  cosine,
  cosineRestarts,
  cyclic,
  exponentialDecay,
  inverseSquareRoot,
  join,
  linear,
  multiStep,
  oneCycle,
  polynomial,
  scaledBy,
  scheduleFrom,
  stepDecay,
} from './schedules.ts';
export type { CyclicOptions, OneCycleOptions, Schedule, ScheduleData } from './schedules.ts';
