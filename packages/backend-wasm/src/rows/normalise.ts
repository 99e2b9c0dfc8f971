/**
 * Normalisations of rows, forward and backward: the formulas of `rows.ts` in the contract, as passes over a row.
 *
 * Rows of a usual length stay in the cache nearest to the processor, so that a second or third pass costs a fraction of the first.
 */

import type { RowwiseKernel } from '@gradus/backend';
import { f32, f64 } from '../assembler/instructions.ts';
import type { F32, F64 } from '../assembler/value.ts';
import { exp, log } from '../lanes/exponential.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { SPARE_SCALE, scaledExpOfNegative } from '../lanes/softmax.ts';
import type { Row, RowNumber } from './passes.ts';

/** Vectors side by side in passes of one sum that is cheap to compute, and of two or three. */
const CHEAP = 4;
const SEVERAL = 2;
/** And of exponentials, which need most of the registers. */
const POWERS = 2;

/** What a normalisation has besides its row. */
interface RowContext {
  readonly row: Row;
  /** The number of columns, as float64. */
  readonly columns: F64;
  /** Scalar 0 of the norms. */
  readonly eps: F32;
  /** Is what was stored exactly what was computed? */
  readonly exact: boolean;
}

/** The statements for one row. Operands are in the order of the kernel's. */
type RowFunction = (context: RowContext) => void;

const NONE = f64.const(0);

/** 1 / sqrt(squares / columns + eps) */
function inverseRoot({ row, columns, eps }: RowContext, squares: F64): F32 {
  const variance = f32.demoteF64(f64.div(squares, columns));
  return row.code.let(f32.div(f32.const(1), f32.sqrt(f32.add(variance, eps))));
}

function mean({ row, columns }: RowContext, operand: number): RowNumber {
  const sum = row.sum(CHEAP, (at) => at.load(operand));
  return row.number(f32.demoteF64(f64.div(sum, columns)));
}

const softmax: RowFunction = ({ row, exact }) => {
  const [x, y] = [0, 1];
  const top = row.number(row.largest(x, false));
  const sum = row.sum(POWERS, (at) => {
    const power = at.lanes.keepFloat(scaledExpOfNegative(at.lanes, at.lanes.f.sub(at.load(x), at.number(top))));
    if (exact) at.store(y, power);
    return power;
  });
  const scale = row.number(f32.demoteF64(f64.div(f64.const(1), sum)));
  row.store(y, SEVERAL, (at) => {
    const power = exact ? at.load(y) : scaledExpOfNegative(at.lanes, at.lanes.f.sub(at.load(x), at.number(top)));
    return at.lanes.f.mul(power, at.number(scale));
  });
};

/** log Σ exp(x - top) */
function logOfSum({ row }: RowContext, x: number, top: RowNumber): F32 {
  const sum = row.sum(POWERS, (at) => scaledExpOfNegative(at.lanes, at.lanes.f.sub(at.load(x), at.number(top))));
  return log(scalarLanes(row.code), f32.demoteF64(f64.mul(sum, f64.const(1 / SPARE_SCALE))));
}

const logSoftmax: RowFunction = (context) => {
  const { row } = context;
  const [x, y] = [0, 1];
  const top = row.number(row.largest(x, false));
  const normaliser = row.number(logOfSum(context, x, top));
  row.store(y, SEVERAL, (at) => at.lanes.f.sub(at.lanes.f.sub(at.load(x), at.number(top)), at.number(normaliser)));
};

const logSumExp: RowFunction = (context) => {
  const { row } = context;
  const [x, y] = [0, 1];
  const top = row.number(row.largest(x, false));
  const result = row.code.local('f32');
  row.code.if(
    f32.lt(f32.abs(top.one), f32.const(Infinity)),
    () => row.code.set(result, f32.add(top.one, logOfSum(context, x, top))),
    // An infinite result, unless there is a NaN, which the search for the largest has passed over.
    () => row.code.set(result, row.largest(x, true)),
  );
  row.storeOne(y, result);
};

const layerNorm: RowFunction = (context) => {
  const { row } = context;
  const [x, weight, bias, y] = [0, 1, 2, 3];
  const centre = mean(context, x);
  const squares = row.sum(CHEAP, (at) => {
    const distance = at.lanes.keepFloat(at.lanes.f.sub(at.load(x), at.number(centre)));
    return at.lanes.f.mul(distance, distance);
  });
  const scale = row.number(inverseRoot(context, squares));
  row.store(y, SEVERAL, (at) => {
    const { f } = at.lanes;
    const normal = f.mul(f.sub(at.load(x), at.number(centre)), at.number(scale));
    return f.add(f.mul(normal, at.load(weight)), at.load(bias));
  });
};

const rmsNorm: RowFunction = (context) => {
  const { row } = context;
  const [x, weight, y] = [0, 1, 2];
  const squares = row.sum(CHEAP, (at) => {
    const value = at.load(x);
    return at.lanes.f.mul(value, value);
  });
  const scale = row.number(inverseRoot(context, squares));
  row.store(y, SEVERAL, (at) => at.lanes.f.mul(at.lanes.f.mul(at.load(x), at.number(scale)), at.load(weight)));
};

const softmaxGradient: RowFunction = ({ row }) => {
  const [y, gradient, result] = [0, 1, 2];
  const along = row.number(f32.demoteF64(row.sum(CHEAP, (at) => at.lanes.f.mul(at.load(gradient), at.load(y)))));
  row.store(result, SEVERAL, (at) => at.lanes.f.mul(at.load(y), at.lanes.f.sub(at.load(gradient), at.number(along))));
};

const logSoftmaxGradient: RowFunction = ({ row }) => {
  const [y, gradient, result] = [0, 1, 2];
  const sum = row.number(f32.demoteF64(row.sum(CHEAP, (at) => at.load(gradient))));
  row.store(result, SEVERAL, (at) => at.lanes.f.sub(at.load(gradient), at.lanes.f.mul(exp(at.lanes, at.load(y)), at.number(sum))));
};

const logSumExpGradient: RowFunction = ({ row }) => {
  const [x, y, gradient, result] = [0, 1, 2, 3];
  const shift = row.number(row.loadOne(y));
  const weight = row.number(row.loadOne(gradient));
  row.store(result, SEVERAL, (at) => at.lanes.f.mul(at.number(weight), exp(at.lanes, at.lanes.f.sub(at.load(x), at.number(shift)))));
};

const layerNormGradient: RowFunction = (context) => {
  const { row, columns } = context;
  const [x, weight, gradient, result] = [0, 1, 2, 3];
  const centre = mean(context, x);
  const [squares = NONE, sum = NONE, along = NONE] = row.sums(3, SEVERAL, (at) => {
    const { f } = at.lanes;
    const distance = at.lanes.keepFloat(f.sub(at.load(x), at.number(centre)));
    const h = at.lanes.keepFloat(f.mul(at.load(gradient), at.load(weight)));
    return [f.mul(distance, distance), h, f.mul(h, distance)];
  });
  const root = inverseRoot(context, squares);
  const scale = row.number(root);
  const meanOfH = row.number(f32.demoteF64(f64.div(sum, columns)));
  // n is distance · r: one r of Σ h · n / C, and one of the n that it is multiplied by.
  const slope = row.number(f32.mul(f32.mul(f32.demoteF64(f64.div(along, columns)), root), root));
  row.store(result, SEVERAL, (at) => {
    const { f } = at.lanes;
    const h = f.mul(at.load(gradient), at.load(weight));
    const distance = f.sub(at.load(x), at.number(centre));
    return f.mul(at.number(scale), f.sub(f.sub(h, at.number(meanOfH)), f.mul(distance, at.number(slope))));
  });
};

const rmsNormGradient: RowFunction = (context) => {
  const { row, columns } = context;
  const [x, weight, gradient, result] = [0, 1, 2, 3];
  const [squares = NONE, along = NONE] = row.sums(2, SEVERAL, (at) => {
    const { f } = at.lanes;
    const value = at.load(x);
    return [f.mul(value, value), f.mul(f.mul(at.load(gradient), at.load(weight)), value)];
  });
  const root = inverseRoot(context, squares);
  const scale = row.number(root);
  const slope = row.number(f32.mul(f32.mul(f32.demoteF64(f64.div(along, columns)), root), root));
  row.store(result, SEVERAL, (at) => {
    const { f } = at.lanes;
    const h = f.mul(at.load(gradient), at.load(weight));
    return f.mul(at.number(scale), f.sub(h, f.mul(at.load(x), at.number(slope))));
  });
};

/** Every normalisation. */
export const NORMALISATIONS: { readonly [P in RowwiseKernel['pass']]: { readonly [F in RowwiseKernel['function']]: RowFunction } } = {
  forward: { softmax, logSoftmax, logSumExp, layerNorm, rmsNorm },
  backward: {
    softmax: softmaxGradient,
    logSoftmax: logSoftmaxGradient,
    logSumExp: logSumExpGradient,
    layerNorm: layerNormGradient,
    rmsNorm: rmsNormGradient,
  },
};
