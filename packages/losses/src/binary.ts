/** Binary cross entropy: of probabilities, and of logits, which loses no digits. Targets are probabilities, mostly 0 or 1, shaped like the prediction. */

import { ShapeError, abs, add, lessEqual, log, logSigmoid, mul, neg, sub, toDType, where } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireTensors, showShape } from './arguments.ts';
import { elementwiseLoss } from './calculate.ts';
import type { ElementwiseOptions } from './calculate.ts';

/** Logarithms are at least this, as PyTorch has it, so that being sure and wrong costs 100. */
const LEAST_LOG = -100;
/** Whose logarithm that is. A device without numbers this small takes it for 0, which decides alike. */
const LEAST_PROBABILITY = /* @__PURE__ */ Math.exp(LEAST_LOG);

/** `log p`, from {@link LEAST_LOG}; NaN for p below 0. The gradient where it is cut off is 0. */
function logFrom(p: Tensor): Tensor {
  const vanishes = lessEqual(abs(p), LEAST_PROBABILITY);
  return where(vanishes, LEAST_LOG, log(where(vanishes, 1, p)));
}

/**
 * `-(t log p + (1 - t) log(1 - p))`, logarithms from -100 on. Where p is exactly 0 or 1 the gradient is 0: train on {@link bceWithLogits}.
 *
 * @param prediction probabilities; NaN comes of what lies outside [0, 1]
 * @throws ShapeError, ArgumentError
 */
export function bce(prediction: Tensor, target: Tensor, options: ElementwiseOptions = {}): Tensor {
  return elementwiseLoss('bce', prediction, target, options, (p, t) => neg(add(mul(t, logFrom(p)), mul(sub(1, t), logFrom(sub(1, p))))));
}

/** Options of {@link bceWithLogits}. */
export interface BceWithLogitsOptions extends ElementwiseOptions {
  /** What the loss of being 1 is multiplied by, so that rare positives count: any shape that broadcasts to the logits', `[C]` for one a class. */
  readonly posWeight?: Tensor;
}

/** Binary cross entropy of `sigmoid(logits)`: `(1 - t) x - (1 + (w - 1) t) log σ(x)`. @throws ShapeError, ArgumentError */
export function bceWithLogits(logits: Tensor, target: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  const { posWeight } = options;
  if (posWeight !== undefined) requireBroadcastsTo('bceWithLogits', 'posWeight', posWeight, logits);
  return elementwiseLoss('bceWithLogits', logits, target, options, (x, t) => bceOfLogits(x, t, posWeight));
}

/** The loss of each logit. */
export function bceOfLogits(x: Tensor, t: Tensor, posWeight?: Tensor): Tensor {
  const ofZeros = mul(sub(1, t), x);
  if (posWeight === undefined) return sub(ofZeros, logSigmoid(x));
  return sub(ofZeros, mul(add(mul(sub(toDType(posWeight, x.dtype), 1), t), 1), logSigmoid(x)));
}

/** @throws ShapeError */
function requireBroadcastsTo(op: string, name: string, given: Tensor, x: Tensor): void {
  requireTensors(op, given, x);
  const skipped = x.rank - given.rank;
  if (skipped >= 0 && given.shape.every((size, i) => size === 1 || size === x.shape[i + skipped])) return;
  throw new ShapeError({ op, expected: `${name} that broadcasts to ${showShape(x.shape)}`, got: showShape(given.shape) });
}
