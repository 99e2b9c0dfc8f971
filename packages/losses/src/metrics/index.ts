/** Metrics: how good, as people count it. Functions are of one batch; classes are of many, and can be merged across workers. */

export { accuracy } from './accuracy.ts';
export { AdaptiveCalibrationError, BrierScore, CalibrationError, NegativeLogLikelihood } from './calibration.ts';
export type { BinOptions } from './calibration.ts';
export { Accuracy, ConfusionMatrix, MeanIoU, PrecisionRecall } from './classification.ts';
export type { PrecisionRecallOptions, PrecisionRecallResult } from './classification.ts';
export { PrAuc, RocAuc } from './curves.ts';
export type { PrAucOptions } from './curves.ts';
export { brierScore, expectedCalibrationError, negativeLogLikelihood } from './probabilities.ts';
export { RegressionErrors } from './regression.ts';
export type { RegressionResult } from './regression.ts';
export { StreamingMetric } from './streaming.ts';
export type { MetricState } from './streaming.ts';
