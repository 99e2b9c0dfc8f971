/** Names of dtypes as callers without types write them: checked where they come in, before anything is looked up by them. */

import { ALL_DTYPES, isDType } from '@gradus/backend';
import type { Backend, DType } from '@gradus/backend';
import { DTypeError } from './errors.ts';
import { showValue } from './values.ts';

/** What other libraries call our dtypes, and what comes nearest to those that we have not. */
const OTHER_NAMES: { readonly [name: string]: DType } = {
  float: 'float32',
  double: 'float64',
  half: 'float16',
  int: 'int32',
  int64: 'int32',
  long: 'int32',
  byte: 'uint8',
  boolean: 'bool',
};

/** @throws DTypeError naming `op` and the dtypes there are, unless `dtype` is one of them */
export function requireDType(op: string, dtype: DType): void {
  if (typeof dtype === 'string' && isDType(dtype)) return;
  const meant = nameMeant(dtype);
  throw new DTypeError({
    op,
    expected: `a dtype: ${ALL_DTYPES.join(', ')}`,
    got: showValue(dtype),
    ...(meant !== undefined && { fix: `use '${meant}'.` }),
  });
}

function nameMeant(given: unknown): DType | undefined {
  if (typeof given !== 'string') return undefined;
  const lower = given.toLowerCase();
  if (isDType(lower)) return lower;
  return Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : undefined;
}

/** @throws DTypeError naming `op` for a dtype that there is not, or that the device cannot store */
export function requireStorable(op: string, dtype: DType, backend: Backend): void {
  requireDType(op, dtype);
  if (backend.capabilities.dtypes[dtype].store) return;
  throw new DTypeError({ op, expected: `a dtype that ${backend.name} stores`, got: dtype, fix: 'use float32, or another device.' });
}
