/** Softmax and its relatives. */

import type { OpRow } from '../graph/op.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { abs, add, div, less, mul, sub, where } from './arithmetic.ts';
import { normalizeAxis, requireOptions } from './arguments.ts';
import type { Operand, ReduceOptions } from './arguments.ts';
import { detach } from './convert.ts';
import { reduction, sum } from './expand.ts';
import { throughComposition } from './fast-path.ts';
import { exp, log } from './functions.ts';
import { countOf, inWideFloat, max } from './reduce.ts';
import { reshape, unsqueeze } from './reshape.ts';
import { recordRowwise, rowwiseRow, runsRowwise } from './rowwise.ts';

const LAST = { axis: -1, keepDims: true } as const;

const SOFTMAX: OpRow = /* @__PURE__ */ rowwiseRow('softmax', 'forward', 1, (g, { output }) => [softmaxGradient(output, g)], 'output');
const SOFTMAX_BACKWARD: OpRow = /* @__PURE__ */ rowwiseRow(
  'softmax',
  'backward',
  2,
  /* @__PURE__ */ throughComposition(2, (y, g) => composedSoftmaxGradient(y, g)),
  'inputs',
);

const composedSoftmaxGradient = (y: Tensor, g: Tensor): Tensor => mul(y, sub(g, sum(mul(g, y), LAST)));

function softmaxGradient(y: Tensor, g: Tensor): Tensor {
  return runsRowwise(y, 'softmax', 'backward', 2) ? recordRowwise(SOFTMAX_BACKWARD, [y, g], y.shape) : composedSoftmaxGradient(y, g);
}

const LOG_SOFTMAX: OpRow = /* @__PURE__ */ rowwiseRow('logSoftmax', 'forward', 1, (g, { output }) => [logSoftmaxGradient(output, g)], 'output');
const LOG_SOFTMAX_BACKWARD: OpRow = /* @__PURE__ */ rowwiseRow(
  'logSoftmax',
  'backward',
  2,
  /* @__PURE__ */ throughComposition(2, (y, g) => composedLogSoftmaxGradient(y, g)),
  'inputs',
);

const composedLogSoftmaxGradient = (y: Tensor, g: Tensor): Tensor => sub(g, mul(exp(y), sum(g, LAST)));

function logSoftmaxGradient(y: Tensor, g: Tensor): Tensor {
  return runsRowwise(y, 'logSoftmax', 'backward', 2) ? recordRowwise(LOG_SOFTMAX_BACKWARD, [y, g], y.shape) : composedLogSoftmaxGradient(y, g);
}

const LOG_SUM_EXP: OpRow = /* @__PURE__ */ rowwiseRow(
  'logSumExp',
  'forward',
  1,
  (g, { inputs: [x], output }) => [x === undefined ? null : logSumExpGradient(x, output, g)],
  'both',
);
const LOG_SUM_EXP_BACKWARD: OpRow = /* @__PURE__ */ rowwiseRow(
  'logSumExp',
  'backward',
  3,
  /* @__PURE__ */ throughComposition(3, (x, y, g) => composedLogSumExpGradient(x, y, g)),
  'inputs',
);

const composedLogSumExpGradient = (x: Tensor, y: Tensor, g: Tensor): Tensor => mul(unsqueeze(g, -1), exp(sub(x, unsqueeze(y, -1))));

function logSumExpGradient(x: Tensor, y: Tensor, g: Tensor): Tensor {
  const claimed = runsRowwise(x, 'logSumExp', 'backward', 3);
  return claimed ? recordRowwise(LOG_SUM_EXP_BACKWARD, [x, y, g], x.shape) : composedLogSumExpGradient(x, y, g);
}

/** The maximum for shifting by: without gradient, and 0 in place of infinities, whose difference would be NaN. Of nothing: 0. */
export function shiftOf(x: Tensor, axis: ReduceOptions): Operand {
  if (countOf('max', x, axis) === 0) return 0;
  const top = detach(max(x, { ...axis, keepDims: true }));
  return where(less(abs(top), Infinity), top, 0);
}

/** The maximum as it is, for softmax: a row with Infinity, or of -Infinity alone, becomes NaN, as PyTorch's does. Of nothing: 0. */
function topOf(x: Tensor, axis: ReduceOptions): Operand {
  return countOf('max', x, axis) === 0 ? 0 : detach(max(x, { ...axis, keepDims: true }));
}

const isLast = (axis: number, x: Tensor): boolean => axis === nodeOf(x, 'axis').shape.rank - 1;

/** `log Σ exp(x)` along `axis` (all by default), shifted by the maximum so that nothing overflows; -Infinity for none. @throws AxisError */
export function logSumExp(x: Tensor, options: ReduceOptions = {}): Tensor {
  return inWideFloat('logSumExp', x, (wide) => {
    const { shape } = reduction('logSumExp', nodeOf(wide, 'logSumExp').shape, options);
    const axis = typeof options.axis === 'number' ? normalizeAxis('logSumExp', options.axis, nodeOf(wide, 'logSumExp').shape.rank) : -1;
    if (isLast(axis, wide) && runsRowwise(wide, 'logSumExp', 'forward', 1))
      return reshape(recordRowwise(LOG_SUM_EXP, [wide], nodeOf(wide, 'logSumExp').shape.dims.slice(0, -1)), shape.dims);
    const shift = shiftOf(wide, options);
    const total = log(sum(exp(sub(wide, shift)), { ...options, keepDims: true }));
    return reshape(add(total, shift), shape.dims);
  });
}

/** `exp(x) / Σ exp(x)` along `axis` (default the last). @throws AxisError */
export function softmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  requireOptions('softmax', options, '{ axis: 1 }');
  const axis = normalizeAxis('softmax', options.axis ?? -1, nodeOf(x, 'softmax').shape.rank);
  return inWideFloat('softmax', x, (wide) => {
    if (isLast(axis, wide) && runsRowwise(wide, 'softmax', 'forward', 1)) return recordRowwise(SOFTMAX, [wide], wide.shape);
    const powers = exp(sub(wide, topOf(wide, { axis })));
    return div(powers, sum(powers, { axis, keepDims: true }));
  });
}

/** `x - log Σ exp(x)` along `axis` (default the last). @throws AxisError */
export function logSoftmax(x: Tensor, options: { readonly axis?: number } = {}): Tensor {
  requireOptions('logSoftmax', options, '{ axis: 1 }');
  const axis = normalizeAxis('logSoftmax', options.axis ?? -1, nodeOf(x, 'logSoftmax').shape.rank);
  return inWideFloat('logSoftmax', x, (wide) => {
    if (isLast(axis, wide) && runsRowwise(wide, 'logSoftmax', 'forward', 1)) return recordRowwise(LOG_SOFTMAX, [wide], wide.shape);
    const shifted = sub(wide, topOf(wide, { axis }));
    return sub(shifted, log(sum(exp(shifted), { axis, keepDims: true })));
  });
}
