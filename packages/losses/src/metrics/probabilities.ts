/**
 * How good predicted probabilities are. The first two are proper scores: on average, no other probabilities do better than the true ones.
 *
 * In all of them probabilities are `[N, C]`, or `[N, C, d…]` with classes at axis 1, and labels are class indices, shaped like them without
 * the class axis. Results are float32 of rank 0, without gradients.
 */

import {
  ArgumentError,
  abs,
  argmax,
  ceil,
  clamp,
  compose,
  div,
  equal,
  log,
  max,
  mean,
  mul,
  neg,
  noGrad,
  requireOptions,
  reshape,
  scatterAdd,
  showValue,
  square,
  sub,
  sum,
  toDType,
  where,
  zeros,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { isLabel, requireLabels } from './labels.ts';

/** The mean of -log p at the labels; infinite where one was held impossible. 0 is perfect. @throws ShapeError, DTypeError, IndexError */
export function negativeLogLikelihood(probabilities: Tensor, labels: Tensor): Tensor {
  requireLabels('negativeLogLikelihood', 'probabilities', probabilities, labels);
  return measured(() => {
    const p = toDType(probabilities, 'float32');
    return neg(mean(log(sum(where(isLabel('negativeLogLikelihood', p, labels), p, 0), { axis: 1 }))));
  });
}

/**
 * The mean over examples of Σ (p - y)² over the classes, y being 1 at the label: 0 is perfect, 2 the worst. Brier, "Verification of forecasts
 * expressed in terms of probability", 1950.
 *
 * @throws ShapeError, DTypeError, IndexError
 */
export function brierScore(probabilities: Tensor, labels: Tensor): Tensor {
  requireLabels('brierScore', 'probabilities', probabilities, labels);
  return measured(() => {
    const p = toDType(probabilities, 'float32');
    return mean(sum(square(sub(p, toDType(isLabel('brierScore', p, labels), 'float32'))), { axis: 1 }));
  });
}

/**
 * How far confidence is from accuracy: examples are put into `bins` equally wide bins `(i/bins, (i+1)/bins]` by their largest probability, and
 * |accuracy - mean confidence| of the bins is averaged by their numbers of examples. 0 is calibrated. Guo et al., "On Calibration of Modern
 * Neural Networks", 2017, which has 15 bins as well.
 *
 * @throws ShapeError; ArgumentError for bins below 1
 */
export function expectedCalibrationError(probabilities: Tensor, labels: Tensor, options: { readonly bins?: number } = {}): Tensor {
  requireOptions('expectedCalibrationError', options, '{ bins: 15 }');
  const { bins = 15 } = options;
  if (!Number.isSafeInteger(bins) || bins < 1)
    throw new ArgumentError({ op: 'expectedCalibrationError', expected: 'a whole number of at least 1 for bins', got: showValue(bins) });
  requireLabels('expectedCalibrationError', 'probabilities', probabilities, labels);
  return measured(() => {
    const p = toDType(probabilities, 'float32');
    const flat = (t: Tensor): Tensor => reshape(t, [labels.size]);
    const confidence = flat(max(p, { axis: 1 }));
    const right = flat(equal(argmax(p, { axis: 1 }), labels));
    const bin = toDType(clamp(sub(ceil(mul(confidence, bins)), 1), { min: 0, max: bins - 1 }), 'int32');
    const gaps = scatterAdd(zeros([bins], { device: p.device }), bin, sub(toDType(right, 'float32'), confidence), { axis: 0 });
    return div(sum(abs(gaps)), labels.size);
  });
}

const measured = (measure: () => Tensor): Tensor => compose(() => noGrad(measure));
