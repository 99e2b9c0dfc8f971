/**
 * Adafactor. Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018; PyTorch's form, which bounds the variance from
 * below in place of adding to the squares.
 */

import { add, div, maximum, mean, mul, requireOptions, rsqrt, square, sub } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { decayed } from './adamw.ts';
import { requireRange } from './checks.ts';
import { DIRECTION_DEFAULTS, turned } from './direction.ts';
import type { DirectionOptions } from './direction.ts';
import type { Parameters } from './groups.ts';
import { ArenaOptimizer } from './optimizer.ts';
import type { Update, Updated } from './optimizer.ts';
import { scaled, wholeNorm } from './trust.ts';

/** Options of {@link Adafactor}. */
export interface AdafactorOptions extends DirectionOptions {
  /** The largest relative step, default 0.01. */
  readonly lr: number;
  /** The means take in `step ** beta2Decay` of the new squares. Default -0.8. */
  readonly beta2Decay: number;
  /** The least root of a variance (null: the precision of the dtype) and the least size of a parameter. Default [null, 1e-3]. */
  readonly eps: readonly [number | null, number];
  /** The largest root mean square of a step before the rate, default 1. */
  readonly clipThreshold: number;
}

const DEFAULTS: AdafactorOptions = { ...DIRECTION_DEFAULTS, lr: 0.01, beta2Decay: -0.8, eps: [null, 1e-3], clipThreshold: 1 };

/** The distance from 1 to the next number. */
const PRECISION: Readonly<Record<string, number>> = { float64: 2 ** -52, float32: 2 ** -23, float16: 2 ** -10 };

/** Steps divided by second moments of which only the means of rows and columns are kept; vectors keep theirs whole. */
export class Adafactor extends ArenaOptimizer<AdafactorOptions> {
  /** Rate 0.01 by default. @throws ArgumentError for a positive beta2Decay, a negative eps or weight decay, a threshold that is not above 0 */
  constructor(parameters: Parameters<AdafactorOptions>, options: Partial<AdafactorOptions> = {}) {
    requireOptions('Adafactor', options, '{ lr: 0.01 }');
    super(
      parameters,
      { ...DEFAULTS, ...options },
      {
        slots: () => ['rowVar', 'colVar', 'variance'],
        each: true,
        shape: slotShape,
        check: ({ beta2Decay, eps, clipThreshold, weightDecay }) => {
          requireRange('Adafactor', 'at least 0', { '-beta2Decay': -beta2Decay, 'eps[0]': eps[0] ?? 0, 'eps[1]': eps[1], weightDecay });
          requireRange('Adafactor', 'above 0', { clipThreshold });
        },
      },
    );
  }

  protected override update(run: Update<AdafactorOptions>): Updated {
    const { values, state, number } = run;
    const [row = values, column = values, whole = values] = state;
    const g = turned(run);
    const precision = PRECISION[values.dtype] ?? 0;
    const [kept, share] = [number((o) => 1 - o.step ** o.beta2Decay), number((o) => o.step ** o.beta2Decay)];
    const [floor, tiny] = [number((o) => o.eps[0] ?? precision), number((o) => (o.eps[0] ?? precision) ** 2)];
    const mixed = (old: Tensor, value: Tensor): Tensor => add(mul(old, kept), mul(value, share));
    const squares = square(g);
    const isFactored = values.rank > 1;
    const rows = isFactored ? mixed(row, mean(squares, { axis: -1, keepDims: true })) : row;
    const columns = isFactored ? mixed(column, mean(squares, { axis: -2, keepDims: true })) : column;
    const variance = isFactored ? div(mul(rows, columns), maximum(mean(rows, { axis: -2, keepDims: true }), floor)) : mixed(whole, squares);
    const direction = mul(rsqrt(maximum(variance, tiny)), g);
    const root = Math.sqrt(values.size);
    const threshold = number((o) => o.clipThreshold);
    const size = maximum(
      div(wholeNorm(values), root),
      number((o) => o.eps[1]),
    );
    const relative = mul(
      size,
      number((o) => Math.min(o.lr, 1 / Math.sqrt(o.step))),
    );
    const alpha = div(relative, maximum(div(div(wholeNorm(direction), root), threshold), 1));
    return { values: sub(decayed(run), scaled(direction, alpha)), state: [rows, columns, isFactored ? whole : variance] };
  }
}

/** Nothing is kept where it is not needed. */
function slotShape(slot: string, dims: readonly number[]): readonly number[] {
  const [rows = 1, columns = 1] = dims.slice(-2);
  if (dims.length < 2) return slot === 'variance' ? dims : [0];
  if (slot === 'variance') return [0];
  return [...dims.slice(0, -2), ...(slot === 'rowVar' ? [rows, 1] : [1, columns])];
}
