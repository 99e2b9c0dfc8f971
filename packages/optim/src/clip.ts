/** Clipping gradients. Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013. */

import { add, compose, div, minimum, mul, noGrad, sqrt, square, sum } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Optimizer } from './optimizer.ts';

/** PyTorch's guard against a norm of 0. */
const EPSILON = 1e-6;

/**
 * Scales all gradients so that their common Euclidean norm is at most `maxNorm`; one reduction over each arena.
 *
 * @returns the norm before clipping, of rank 0
 */
export function clipGradNorm(optimizer: Pick<Optimizer, 'arenas'>, maxNorm: number): Tensor {
  return noGrad(() =>
    compose(() => {
      const flats = optimizer.arenas.map((arena) => arena.gradients());
      const squares = flats.map((flat) => sum(square(flat)));
      const norm = sqrt(squares.reduce((a, b) => add(a, b)));
      const scale = minimum(div(maxNorm, add(norm, EPSILON)), 1);
      optimizer.arenas.forEach((arena, i) => {
        const flat = flats[i];
        if (flat !== undefined) arena.setGradients(mul(flat, scale.toDType(arena.dtype)));
      });
      return norm;
    }),
  );
}
