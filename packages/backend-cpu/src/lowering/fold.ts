/**
 * Folds and scatters as expressions: one step, the identity and the finished value.
 *
 * A step is an ordinary expression over `accumulator(index)`, so that generated code and the interpreter need no rules of their own.
 * Sums and products of floats are accumulated in float64 and rounded once, at the end; everything else stays in its dtype.
 */

import { DTYPES, accumulator, apply, cast, isFloat } from '@gradus/backend';
import type { DType, Expression, Fold, FoldKind, Opcode, ScatterKernel } from '@gradus/backend';

const OPCODE_OF: { readonly [F in FoldKind]: Opcode } = { sum: 'add', prod: 'multiply', min: 'min', max: 'max' };

/** The dtype a fold accumulates in. */
export function accumulationDType({ fold, value }: Fold): DType {
  return isFloat(value.dtype) && (fold === 'sum' || fold === 'prod') ? 'float64' : value.dtype;
}

/** What `accumulator(index)` becomes when the fold meets its next value. */
export function foldStep(fold: Fold, index: number): Expression {
  const dtype = accumulationDType(fold);
  return apply(OPCODE_OF[fold.fold], accumulator(dtype, index), cast(fold.value, dtype));
}

/** What an empty fold of values of some dtype gives. */
export function foldIdentity({ fold, value }: { readonly fold: FoldKind; readonly value: { readonly dtype: DType } }): number {
  const { kind, min, max } = DTYPES[value.dtype];
  switch (fold) {
    case 'sum':
      return 0;
    case 'prod':
      return 1;
    case 'min':
      return kind === 'float' ? Infinity : max;
    case 'max':
      return kind === 'float' ? -Infinity : min;
    default:
      return fold satisfies never;
  }
}

/** The new element of a scatter's target, whose old one is `accumulator(0)`. */
export function scatterStep({ mode, value }: ScatterKernel): Expression {
  return mode === 'set' ? value : apply(mode, accumulator(value.dtype), value);
}
