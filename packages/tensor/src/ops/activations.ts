/**
 * Smooth activations: SiLU and both forms of GELU. Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
 *
 * Each is a row, and so is its slope, so that they count as one op when kernels are fused and round once: 16-bit floats are calculated in
 * float32. The slope of the slope is a composition.
 */

import { apply } from '@gradus/backend';
import { ArgumentError } from '../errors.ts';
import type { GradientContext, OpRow } from '../graph/op.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { requireOptions } from './arguments.ts';
import { add, mul, neg, square, sub } from './arithmetic.ts';
import { number, recordFloat, recordUnary, unaryRow } from './elementwise.ts';
import { plus, roundedOnce, times } from './formulas.ts';
import type { Formula } from './formulas.ts';
import { exp, sigmoid, tanh } from './functions.ts';
import { inWideFloat } from './reduce.ts';

/** A function with its slope and the slope's slope, the last one in ops. */
function activation(name: string, value: Formula, slope: Formula, curvature: (x: Tensor) => Tensor): OpRow {
  const x0 = ({ inputs }: GradientContext): Tensor => inputs[0] as Tensor;
  const slopeRow = unaryRow(`${name} slope`, roundedOnce(slope), (g, c) => [mul(g, inWideFloat(name, x0(c), curvature))], 'inputs');
  return unaryRow(name, roundedOnce(value), (g, c) => [mul(g, recordUnary(slopeRow, x0(c)))], 'inputs');
}

/** `1 + exp(-x)`, one over the sigmoid. */
const inverseSigmoid: Formula = (x) => plus(apply('exp', apply('negate', x)), 1);

const SILU: OpRow = /* @__PURE__ */ activation(
  'silu',
  (x) => apply('divide', x, inverseSigmoid(x)),
  // s · (1 + x · (1 - s))
  (x) => {
    const s = apply('divide', number(x, 1), inverseSigmoid(x));
    return times(s, plus(times(x, apply('subtract', number(x, 1), s)), 1));
  },
  (x) => {
    const s = sigmoid(x);
    return mul(mul(s, sub(1, s)), add(mul(x, sub(1, mul(s, 2))), 2));
  },
);

const ONE_OVER_SQRT_TWO_PI = 1 / Math.sqrt(2 * Math.PI);

/** The normal distribution's cumulative function, Φ. */
const cumulative: Formula = (x) => times(plus(apply('erf', times(x, Math.SQRT1_2)), 1), 0.5);

const GELU: OpRow = /* @__PURE__ */ activation(
  'gelu',
  (x) => times(x, cumulative(x)),
  // Φ + x · φ
  (x) => plus(cumulative(x), times(times(x, ONE_OVER_SQRT_TWO_PI), apply('exp', times(times(x, x), -0.5)))),
  (x) => mul(mul(exp(mul(square(x), -0.5)), ONE_OVER_SQRT_TWO_PI), sub(2, square(x))),
);

const SQRT_TWO_OVER_PI = Math.sqrt(2 / Math.PI);
/** From the paper. */
const CUBIC = 0.044715;

/** tanh(u) with `u = √(2/π) · (x + 0.044715 · x³)`. */
const tanhPart: Formula = (x) => apply('tanh', times(plus(times(times(times(x, x), x), CUBIC), x), SQRT_TWO_OVER_PI));

const GELU_TANH: OpRow = /* @__PURE__ */ activation(
  'gelu tanh',
  (x) => times(times(x, 0.5), plus(tanhPart(x), 1)),
  // ½ · (1 + t) + ½ · x · (1 - t²) · u'
  (x) => {
    const t = tanhPart(x);
    const slopeOfU = times(plus(times(times(x, x), 3 * CUBIC), 1), SQRT_TWO_OVER_PI);
    const rest = apply('subtract', number(x, 1), times(t, t));
    return plus(times(plus(t, 1), 0.5), times(times(times(x, 0.5), rest), slopeOfU));
  },
  // (1 - t²) · (u' + ½ · x · u'' - x · t · u'²)
  (x) => {
    const squared = square(x);
    const t = tanh(mul(add(mul(mul(squared, x), CUBIC), x), SQRT_TWO_OVER_PI));
    const slopeOfU = mul(add(mul(squared, 3 * CUBIC), 1), SQRT_TWO_OVER_PI);
    const half = mul(squared, 3 * CUBIC * SQRT_TWO_OVER_PI);
    return mul(sub(1, square(t)), add(add(slopeOfU, half), neg(mul(mul(x, t), square(slopeOfU)))));
  },
);

/** `x · sigmoid(x)`, also called swish. Integers are calculated as float32. */
export function silu(x: Tensor): Tensor {
  return recordFloat(SILU, x);
}

/**
 * `x · Φ(x)`; with `approximate: 'tanh'` the tanh approximation, which is another function. Integers are calculated as float32.
 *
 * @throws ArgumentError for another approximation
 */
export function gelu(x: Tensor, options: { readonly approximate?: 'none' | 'tanh' } = {}): Tensor {
  requireOptions('gelu', options, "{ approximate: 'tanh' }");
  const { approximate = 'none' } = options;
  switch (approximate) {
    case 'none':
      return recordFloat(GELU, x);
    case 'tanh':
      return recordFloat(GELU_TANH, x);
    default:
      throw new ArgumentError({ op: 'gelu', expected: "approximate 'none' or 'tanh'", got: showValue(approximate satisfies never) });
  }
}
