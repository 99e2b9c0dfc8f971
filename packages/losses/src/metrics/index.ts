/** Metrics: how good, as people count it. */

export { accuracy } from './accuracy.ts';
export { brierScore, expectedCalibrationError, negativeLogLikelihood } from './probabilities.ts';
