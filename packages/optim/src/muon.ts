/**
 * Muon: momentum, made orthogonal. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024; PyTorch's form, in the
 * parameter's dtype.
 */

import { ArgumentError, add, div, matmul, maximum, mul, requireOptions, sub, transpose } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { decayed } from './adamw.ts';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, running, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';
import { wholeNorm } from './trust.ts';

/** Options of {@link Muon}. */
export interface MuonOptions extends DirectionOptions {
  /** Learning rate, default 1e-3. */
  readonly lr: number;
  /** Share of the values that a step takes away, times the rate. Default 0.1. */
  readonly weightDecay: number;
  /** Default 0.95. */
  readonly momentum: number;
  /** Default true. */
  readonly nesterov: boolean;
  /** Newton-Schulz iterations, default 5. */
  readonly iterations: number;
  /**
   * What the rate is multiplied by in a matrix of r rows and c columns: `'original'`, the default, √max(1, r/c); `'matchRmsAdamW'` 0.2 √max(r, c),
   * so that rates of AdamW can be used.
   */
  readonly adjustRate: 'original' | 'matchRmsAdamW';
}

const DEFAULTS: MuonOptions = {
  ...DIRECTION_DEFAULTS,
  lr: 1e-3,
  weightDecay: 0.1,
  momentum: 0.95,
  nesterov: true,
  iterations: 5,
  adjustRate: 'original',
};

/** Of the quintic iteration, chosen by the author for a steep slope at 0. */
const [A, B, C] = [3.4445, -4.775, 2.0315];

/** The least norm that is divided by. */
const LEAST_NORM = 1e-7;

/** Steps with singular values near 1. For matrices only: give vectors, embeddings and the last layer to an optimizer of their own, such as AdamW. */
export class Muon extends ArenaOptimizer<MuonOptions> {
  /** Rate 1e-3 by default. @throws ArgumentError for parameters that are no matrices, a momentum outside [0, 1), a negative weight decay */
  constructor(parameters: Parameters<MuonOptions>, options: Partial<MuonOptions> = {}) {
    requireOptions('Muon', options, '{ lr: 0.001 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['momentumBuffer'],
        each: true,
        check: ({ momentum, weightDecay, iterations }) => {
          requireRange('Muon', 'from 0 up to, without, 1', { momentum });
          requireRange('Muon', 'at least 0', { weightDecay });
          requireRange('Muon', 'an integer of at least 1', { iterations });
        },
        checkMember: requireMatrix,
      },
    );
  }

  protected override update(run: Update<MuonOptions>): Updated {
    const { values, state, number, decide } = run;
    const g = turned(run);
    const buffer = running(run, state[0] ?? values, g, (o) => o.momentum);
    const direction = decide((o) => o.nesterov) ? running(run, buffer, g, (o) => o.momentum) : buffer;
    const [rows = 1, columns = 1] = values.shape;
    const rate = number(({ lr, adjustRate }) =>
      adjustRate === 'original' ? lr * Math.sqrt(Math.max(1, rows / columns)) : lr * 0.2 * Math.sqrt(Math.max(rows, columns)),
    );
    const move = orthogonalized(
      direction,
      decide((o) => o.iterations),
    );
    return { values: sub(decayed(run), mul(move, rate)), state: [buffer] };
  }
}

/**
 * A matrix, [r, c], with the singular vectors of `x` and singular values from about 0.7 to 1.2: Newton-Schulz iterations of an odd polynomial on `x`
 * divided by its norm.
 */
export function orthogonalized(x: Tensor, iterations = DEFAULTS.iterations): Tensor {
  const [rows = 1, columns = 1] = x.shape;
  const isTall = rows > columns;
  let y = div(isTall ? transpose(x) : x, maximum(wholeNorm(x), LEAST_NORM));
  for (let i = 0; i < iterations; i++) {
    const s = matmul(y, transpose(y));
    y = add(mul(y, A), matmul(add(mul(s, B), mul(matmul(s, s), C)), y));
  }
  return isTall ? transpose(y) : y;
}

function requireMatrix(name: string, dims: readonly number[]): void {
  if (dims.length === 2) return;
  throw new ArgumentError({
    op: 'Muon',
    expected: 'matrices',
    got: `${name} of shape [${String(dims)}]`,
    fix: 'give the others to another optimizer, such as AdamW.',
  });
}
