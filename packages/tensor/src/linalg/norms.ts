/** Norms of vectors and matrices, and what products of a matrix with itself give: powers, the exponential, the trace. */

import { ArgumentError, AxisError } from '../errors.ts';
import { withGradients } from '../graph/record.ts';
import { compose } from '../memory/scope.ts';
import { add, mul, sub } from '../ops/arithmetic.ts';
import { normalizeAxes, requireFloat, requireOptions } from '../ops/arguments.ts';
import type { Axes, ReduceOptions } from '../ops/arguments.ts';
import { expand, sum } from '../ops/expand.ts';
import { matmul } from '../ops/matmul.ts';
import { permute } from '../ops/movement.ts';
import { max, min } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { norm } from '../ops/vector-norm.ts';
import { dataSync } from '../read.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { svdvals } from './decompositions.ts';
import { matrixSizes, refuseUnreadable, squareSizes } from './host.ts';
import { inverse, solve } from './solve.ts';
import { diagonalOf, identityLike } from './structure.ts';

/** Options of {@link vectorNorm}. */
export interface VectorNormOptions extends ReduceOptions {
  /** Default 2. 0 counts what is not 0; ±Infinity are the largest and the smallest magnitude. */
  readonly order?: number;
}

/**
 * (Σ|x|ᵖ)^(1/p) along `axis` (all by default), p being `order`. The gradient at the zero vector is 0; largest magnitudes share theirs.
 *
 * @throws AxisError, DTypeError; ArgumentError for NaN as order; ShapeError for a largest or smallest magnitude of nothing
 */
export function vectorNorm(x: Tensor, options: VectorNormOptions = {}): Tensor {
  requireOptions('vectorNorm', options, '{ order: 1 }');
  requireFloat('vectorNorm', nodeOf(x, 'vectorNorm').dtype);
  const { order = 2, ...over } = options;
  return norm(x, { ...over, p: order });
}

/** Options of {@link matrixNorm}. */
export interface MatrixNormOptions {
  /**
   * Default `'frobenius'`. `'nuclear'` is the sum of singular values, ±2 the largest and the smallest; ±1 are the largest and the
   * smallest sum of a column's magnitudes, ±Infinity of a row's.
   */
  readonly order?: 'frobenius' | 'nuclear' | number;
  /** Rows and columns. Default the last two axes. */
  readonly axes?: readonly [number, number];
  /** Keep both axes with size 1. Default false. */
  readonly keepDims?: boolean;
}

/**
 * Norms of matrices. Those of singular values are calculated on the host, as `svd`.
 *
 * @throws AxisError, ShapeError, DTypeError, ArgumentError; with singular values SynchronousReadError, LinearAlgebraError and, in a compiled function, TraceError
 */
export function matrixNorm(a: Tensor, options: MatrixNormOptions = {}): Tensor {
  requireOptions('matrixNorm', options, '{ order: 2 }');
  matrixSizes('matrixNorm', a);
  const { order = 'frobenius', axes = [-2, -1], keepDims = false } = options;
  const { rank, dims } = nodeOf(a, 'matrixNorm').shape;
  const pair = normalizeAxes('matrixNorm', axes, rank);
  if (pair.length !== 2) throw new AxisError({ op: 'matrixNorm', expected: 'two axes', got: showValue(axes) });
  const rows = normalizeAxes('matrixNorm', axes[0], rank)[0] ?? 0;
  const columns = normalizeAxes('matrixNorm', axes[1], rank)[0] ?? 1;
  return compose(() => {
    const last = permute(a, [...dims.map((_, axis) => axis).filter((axis) => !pair.includes(axis)), rows, columns]);
    const found = normOfLast(last, order);
    return keepDims
      ? reshape(
          found,
          dims.map((size, axis) => (pair.includes(axis) ? 1 : size)),
        )
      : found;
  });
}

function normOfLast(a: Tensor, order: NonNullable<MatrixNormOptions['order']>): Tensor {
  const sums = (axis: Axes): Tensor => vectorNorm(a, { order: 1, axis });
  switch (order) {
    case 'frobenius':
      return norm(a, { axis: [-2, -1] });
    case 'nuclear':
      return sum(svdvals(a), { axis: -1 });
    case 2:
      return max(svdvals(a), { axis: -1 });
    case -2:
      return min(svdvals(a), { axis: -1 });
    case 1:
      return max(sums(-2), { axis: -1 });
    case -1:
      return min(sums(-2), { axis: -1 });
    case Infinity:
      return max(sums(-1), { axis: -1 });
    case -Infinity:
      return min(sums(-1), { axis: -1 });
    default:
      throw new ArgumentError({
        op: 'matrixNorm',
        expected: "an order of 'frobenius', 'nuclear', ±1, ±2 or ±Infinity",
        got: showValue(order),
      });
  }
}

/** The sum of the main diagonal of `[..., m, n]`: `[...]`. @throws ShapeError, DTypeError */
export function trace(a: Tensor): Tensor {
  matrixSizes('trace', a);
  return compose(() => sum(diagonalOf(a), { axis: -1 }));
}

/**
 * A·A·…·A, `power` times, of `[..., n, n]`, by repeated squaring. 0 gives identities, negative powers those of the inverse.
 *
 * @throws ShapeError, DTypeError, ArgumentError unless `power` is whole; negative powers as `inverse`
 */
export function matrixPower(a: Tensor, power: number): Tensor {
  const { n, batch } = squareSizes('matrixPower', a);
  if (!Number.isSafeInteger(power)) throw new ArgumentError({ op: 'matrixPower', expected: 'a whole power', got: showValue(power) });
  return compose(() => {
    if (power === 0) return mul(expand(identityLike(a, n), [...batch, n, n]), 1);
    let factor = power < 0 ? inverse(a) : mul(a, 1);
    let product: Tensor | null = null;
    for (let left = Math.abs(power); left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) product = product === null ? factor : matmul(product, factor);
      if (left > 1) factor = matmul(factor, factor);
    }
    return product ?? factor;
  });
}

/** Coefficients of the numerator of the [13/13] Padé approximant of the exponential: (26 - k)!·13! / (26!·k!·(13 - k)!), scaled so that the last is 1. */
const PADE: readonly number[] = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600, 670442572800, 33522128640, 1323241920,
  40840800, 960960, 16380, 182, 1,
];
/** Up to this 1-norm the approximant is exact to float64 (Higham 2005, table 2.3). */
const PADE_REACH = 5.37;

/**
 * e to the power A of `[..., n, n]`: Σ Aᵏ / k!. Scaling and squaring with a Padé approximant (Higham, "The scaling and squaring method for
 * the matrix exponential revisited", 2005); how often to square is read off the norms on the host, gradients are those of the ops.
 *
 * @throws ShapeError, DTypeError, SynchronousReadError; ArgumentError for NaN or ∞; TraceError in a compiled function
 */
export function matrixExp(a: Tensor): Tensor {
  const { n } = squareSizes('matrixExp', a);
  const { runtime, shape } = nodeOf(a, 'matrixExp');
  refuseUnreadable('matrixExp', runtime.backend);
  if (shape.size === 0) return mul(a, 1);
  return compose(() => {
    const largest = withGradients(false, () => dataSync(max(matrixNorm(a, { order: 1 })))[0] ?? NaN);
    if (!Number.isFinite(largest)) throw new ArgumentError({ op: 'matrixExp', expected: 'finite numbers', got: 'NaN or ∞' });
    const squarings = Math.max(0, Math.ceil(Math.log2(largest / PADE_REACH)));
    const x = mul(a, 2 ** -squarings);
    const one = identityLike(a, n);
    const x2 = matmul(x, x);
    const x4 = matmul(x2, x2);
    const x6 = matmul(x4, x2);
    const last = PADE[0] ?? 1;
    const combine = (from: number): Tensor => {
      const term = (power: Tensor, k: number): Tensor => mul(power, (PADE[k + from] ?? 0) / last);
      const high = add(add(term(x6, 12), term(x4, 10)), term(x2, 8));
      const low = add(add(term(x6, 6), term(x4, 4)), add(term(x2, 2), term(one, 0)));
      return add(matmul(x6, high), low);
    };
    const odd = matmul(x, combine(1));
    const even = combine(0);
    let result = solve(sub(even, odd), add(even, odd));
    for (let i = 0; i < squarings; i++) result = matmul(result, result);
    return result;
  });
}
