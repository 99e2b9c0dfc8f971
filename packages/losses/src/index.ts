/** Losses: what training makes small. Shapes of predictions and targets must match exactly. */

export { bce, bceWithLogits } from './binary.ts';
export type { BceWithLogitsOptions } from './binary.ts';
export type { ElementwiseOptions } from './calculate.ts';
export { crossEntropy, nll } from './cross-entropy.ts';
export type { CrossEntropyOptions, NllOptions } from './cross-entropy.ts';
export type { LossOptions, Reduction } from './reduction.ts';
export { huber, l1, logCosh, mse, smoothL1 } from './regression.ts';
export type { HuberOptions, SmoothL1Options } from './regression.ts';
export { distillation, gaussianNll, klDiv, poissonNll } from './distributions.ts';
export type { DistillationOptions, GaussianNllOptions, KlDivOptions, PoissonNllOptions } from './distributions.ts';
export { cosineEmbedding, hingeEmbedding, marginRanking, softMargin, tripletMargin, tripletMarginWithDistance } from './margins.ts';
export type { MarginOptions, TripletDistanceOptions, TripletMarginOptions } from './margins.ts';
export { multiLabelMargin, multiLabelSoftMargin, multiMargin } from './multi-class-margins.ts';
export type { ClassWeightOptions, MultiMarginOptions } from './multi-class-margins.ts';
export { contrastive, infoNce, ntXent } from './contrastive.ts';
export type { ContrastiveOptions, TemperatureOptions } from './contrastive.ts';
export { ctc } from './ctc.ts';
export type { CtcOptions, Lengths } from './ctc.ts';
export { binaryFocal, focal } from './focal.ts';
export type { BinaryFocalOptions, FocalOptions } from './focal.ts';
export { dice, generalizedDice, tversky } from './overlap.ts';
export type { OverlapOptions, TverskyOptions } from './overlap.ts';
export { weighted } from './weighted.ts';
