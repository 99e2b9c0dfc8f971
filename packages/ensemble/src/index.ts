/** Several models as one: fusion, voting, deep ensembles, soups, and calibration. */

export { deepEnsemble } from './deep-ensemble.ts';
export type { DeepEnsembleOptions } from './deep-ensemble.ts';
export { FusedModel, fuse } from './fuse.ts';
export type { FuseOptions, Trainable } from './fuse.ts';
export { HardVote, hardVote } from './hard-vote.ts';
export type { HardVoteOptions } from './hard-vote.ts';
export type { Outputs } from './members.ts';
export { modelSoup } from './model-soup.ts';
export type { ModelSoup, ModelSoupOptions } from './model-soup.ts';
export { predictionOf } from './prediction.ts';
export type { Prediction } from './prediction.ts';
export { SoftVote, softVote } from './soft-vote.ts';
export type { SoftVoteOptions } from './soft-vote.ts';
export { TemperatureScaling, temperatureScaling } from './temperature-scaling.ts';
export type { Validation } from './weights.ts';
