/** Temperature scaling: making a classifier as sure as it is right. Guo et al., "On Calibration of Modern Neural Networks", 2017. */

import { crossEntropy } from '@gradus/losses';
import { Module } from '@gradus/nn';
import type { Buffer } from '@gradus/nn';
import { ArgumentError, div, evaluate, full, grad, less, mul, noGrad, scope, showValue, sqrt, tensor, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** Temperatures are looked for from its inverse to this. Beyond, the logits of all practical networks are nothing, or all. */
const HOTTEST = 100;

/** Halvings of the logarithm of that range: what remains is below the precision of float32. */
const HALVINGS = 27;

/** Divides logits by a temperature above 0, which never changes which is largest. The temperature is a buffer: it is saved, and not trained. */
export class TemperatureScaling extends Module {
  /** Rank 0. Above 1, predictions become less sure. */
  readonly temperature: Buffer;

  /** @throws ArgumentError unless the temperature is above 0 */
  constructor(temperature: number | Tensor = 1) {
    super();
    if (typeof temperature === 'number' && !(temperature > 0 && Number.isFinite(temperature)))
      throw new ArgumentError({ op: 'TemperatureScaling', expected: 'a temperature above 0', got: showValue(temperature) });
    this.temperature = this.buffer(typeof temperature === 'number' ? tensor(temperature, { dtype: 'float32' }) : temperature);
  }

  /** `logits / temperature`, of any shape. */
  forward(logits: Tensor): Tensor {
    return div(logits, this.temperature);
  }
}

/**
 * The temperature from 0.01 to 100 under which held-out labels are likeliest. Fit it on data that the model was not trained on, and of an
 * ensemble after averaging: on the log of the mean.
 *
 * Where every label has the largest logit the loss falls to 0 with the temperature, and it stops where the slope is 0 to float32.
 *
 * The cross entropy is convex in the inverse temperature, so its slope, which is halved in on, has one zero at most.
 *
 * @param logits `[N, C]`, or `[N, C, d…]` with classes at axis 1
 * @param labels class indices, shaped like the logits without the class axis
 * @throws ShapeError, DTypeError, IndexError as `crossEntropy` does
 */
export function temperatureScaling(logits: Tensor, labels: Tensor): TemperatureScaling {
  const held = scope(() => {
    const slope = grad((inverse) => crossEntropy(mul(logits.detach(), inverse), labels));
    let [low, high]: [Tensor, Tensor] = [full([], 1 / HOTTEST, { device: logits.device }), full([], HOTTEST, { device: logits.device })];
    for (let i = 0; i < HALVINGS; i++) {
      const middle = sqrt(mul(low, high));
      const isBelow = less(slope(middle), 0);
      [low, high] = noGrad(() => [where(isBelow, middle, low), where(isBelow, high, middle)]);
      evaluate(low, high);
    }
    return div(1, sqrt(mul(low, high)));
  });
  return new TemperatureScaling(held);
}
