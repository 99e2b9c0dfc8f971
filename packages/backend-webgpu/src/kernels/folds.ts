/** Folds as WGSL: identities, one step, and the combination of two partial results. */

import { DTYPES, accumulator, apply, emit } from '@gradus/backend';
import type { Dialect, Fold, FoldKind, Opcode } from '@gradus/backend';
import { constant, typeOf } from '../wgsl/language.ts';

const OPCODE_OF: { readonly [F in FoldKind]: Opcode } = { sum: 'add', prod: 'multiply', min: 'min', max: 'max' };

/** What an empty fold gives. */
export function foldIdentity({ fold, value }: Fold): string {
  const { kind, min, max } = DTYPES[value.dtype];
  switch (fold) {
    case 'sum':
      return constant(0, value.dtype);
    case 'prod':
      return constant(1, value.dtype);
    case 'min':
      return constant(kind === 'float' ? Infinity : max, value.dtype);
    case 'max':
      return constant(kind === 'float' ? -Infinity : min, value.dtype);
    default:
      return fold satisfies never;
  }
}

/** The text of `a` and `b`, values of the fold's dtype, combined. */
export function combined({ fold, value }: Fold, a: string, b: string, dialect: Dialect): string {
  const [left, right] = [accumulator(value.dtype, 0), accumulator(value.dtype, 1)];
  const known = new Map([
    [left, a],
    [right, b],
  ]);
  const { statements } = emit([apply(OPCODE_OF[fold], left, right)], { ...dialect, declare: (_name, _dtype, text) => text }, { known });
  return statements[0] ?? '';
}

/** The declaration of a fold's partial result, at its identity. */
export function partial(fold: Fold, name: string): string {
  return `var ${name}: ${typeOf(fold.value.dtype)} = ${foldIdentity(fold)};`;
}
