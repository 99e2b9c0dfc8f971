/** Losses of representations: what belongs together is to be near, all else far. */

import {
  add,
  arange,
  concatenate,
  div,
  equal,
  matmul,
  maximum,
  mul,
  norm,
  relu,
  requireOptions,
  square,
  sub,
  transpose,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireNumber, requireRank, requireSameShape } from './arguments.ts';
import { elementwiseLoss, inFloat32 } from './calculate.ts';
import { crossEntropy } from './cross-entropy.ts';
import type { LossOptions } from './reduction.ts';

/** Options of {@link contrastive}. */
export interface ContrastiveOptions extends LossOptions {
  /** How far what does not belong together should be at least, above 0. Default 1. */
  readonly margin?: number;
}

/**
 * `t d²/2 + (1 - t) max(0, margin - d)²/2`. Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006.
 *
 * @param distance of each pair @param target 1 where it belongs together, else 0, of the same shape
 * @throws ShapeError, ArgumentError
 */
export function contrastive(distance: Tensor, target: Tensor, options: ContrastiveOptions = {}): Tensor {
  const { margin = 1 } = options;
  requireNumber('contrastive', 'margin', margin, { above: 0 });
  return elementwiseLoss('contrastive', distance, target, options, (d, t) =>
    mul(add(mul(t, square(d)), mul(sub(1, t), square(relu(sub(margin, d))))), 0.5),
  );
}

/** Options of {@link ntXent} and {@link infoNce}. */
export interface TemperatureOptions extends LossOptions {
  /** What similarities are divided by, above 0. Default 0.5 of {@link ntXent}, 0.07 of {@link infoNce}. */
  readonly temperature?: number;
}

/** Lengths below this count as this. */
const LEAST_LENGTH = 1e-12;
const normalized = (x: Tensor): Tensor => div(x, maximum(norm(x, { axis: 1, keepDims: true }), LEAST_LENGTH));

/** @throws ShapeError, ArgumentError */
function requirePairs(op: string, a: Tensor, b: Tensor, options: TemperatureOptions, temperature: number): void {
  requireOptions(op, options, '{ temperature: 0.1 }');
  requireRank(op, 'embeddings', a, 2, '[N, D]');
  requireSameShape(op, a, b, 'both embeddings', 'b');
  requireNumber(op, 'temperature', temperature, { above: 0 });
}

/**
 * The normalized temperature-scaled cross entropy of SimCLR: each of the 2N views is to find its other view among the 2N - 1 others, by cosine.
 * The losses of `reduction: 'none'` are `[2N]`, first those of a. Chen and others, 2020.
 *
 * @param a `[N, D]` @param b `[N, D]`, the other views of the same examples
 * @throws ShapeError, ArgumentError
 */
export function ntXent(a: Tensor, b: Tensor, options: TemperatureOptions = {}): Tensor {
  const { temperature = 0.5, ...rest } = options;
  requirePairs('ntXent', a, b, options, temperature);
  const n = a.shape[0] ?? 0;
  return inFloat32([a, b], (x, y) => {
    const views = normalized(concatenate([x, y], { axis: 0 }));
    const similarities = div(matmul(views, transpose(views)), temperature);
    const own = arange(2 * n, { device: a.device });
    const others = where(equal(own.reshape([2 * n, 1]), own), -Infinity, similarities);
    const partners = concatenate([arange(n, 2 * n, 1, { device: a.device }), arange(n, { device: a.device })], { axis: 0 });
    return crossEntropy(others, partners, rest);
  });
}

/**
 * InfoNCE: each query is to find its key among all keys, by cosine; the keys of the others are the negatives. Van den Oord and others, 2018.
 *
 * @param query `[N, D]` @param key `[N, D]`, each query's own
 * @throws ShapeError, ArgumentError
 */
export function infoNce(query: Tensor, key: Tensor, options: TemperatureOptions = {}): Tensor {
  const { temperature = 0.07, ...rest } = options;
  requirePairs('infoNce', query, key, options, temperature);
  return inFloat32([query, key], (q, k) => {
    const similarities = div(matmul(normalized(q), transpose(normalized(k))), temperature);
    return crossEntropy(similarities, arange(query.shape[0] ?? 0, { device: query.device }), rest);
  });
}
