/** Several tensors in one dtype. */

import { promote } from '../graph/promotion.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { toDType } from './convert.ts';

/** All in the dtype that they promote to; those that have it come back as they are. @throws DTypeError */
export function promoteAll(op: string, tensors: readonly Tensor[]): Tensor[] {
  const [first = 'bool', ...rest] = tensors.map((t) => nodeOf(t, op).dtype);
  const dtype = rest.reduce((common, each) => promote(op, common, each), first);
  return tensors.map((t) => toDType(t, dtype));
}
