/** Finishing: expressions made over a space that is still open become expressions of the final kernel. */

import { apply, axisIndex, constant, load, rewrite, scalar } from '@gradus/backend';
import type { Expression } from '@gradus/backend';
import { POSITION_BASE } from './express.ts';
import type { Scalar } from './express.ts';
import type { Space } from './space.ts';
import type { View } from './view.ts';

/** What is decided about a kernel when its expressions are finished. */
export interface Finish {
  /** The operand that an access became. */
  readonly operandOf: (access: number) => number;
  /** Views whose positions are asked for, over the old axes. */
  readonly positions: readonly View[];
  readonly space: Space;
  /** The kernel's scalars; strides and offsets of positions are added. */
  readonly scalars: Scalar[];
}

/** Renumbers operands and spells positions out over the final axes. */
export function finish(roots: readonly Expression[], { operandOf, positions, space, scalars }: Finish): Expression[] {
  const spelled = new Map<number, Expression>();
  return rewrite(roots, (e) => {
    if (e.op === 'load') return load(e.dtype, operandOf(e.operand));
    if (e.op === 'gather') return { ...e, operand: operandOf(e.operand) };
    if (e.op !== 'axis') return null;
    const index = e.axis - POSITION_BASE;
    const known = spelled.get(index) ?? spell(positions[index], space, scalars);
    spelled.set(index, known);
    return known;
  });
}

/** Σ axis · stride + offset, as an int32; strides of 1 and offsets of 0 cost nothing. */
function spell(view: View | undefined, space: Space, scalars: Scalar[]): Expression {
  let sum: Expression | null = view === undefined || view.offset === 0 ? null : sizeArgument(view.offset, scalars);
  space.axes.forEach((old, axis) => {
    const stride = view?.strides[old] ?? 0;
    if (stride === 0) return;
    const term = stride === 1 ? axisIndex(axis) : apply('multiply', axisIndex(axis), sizeArgument(stride, scalars));
    sum = sum === null ? term : apply('add', sum, term);
  });
  return sum ?? constant('int32', 0);
}

function sizeArgument(value: number, scalars: Scalar[]): Expression {
  let index = scalars.findIndex((s) => 'value' in s.source && s.source.value === value && s.dtype === 'int32');
  if (index < 0) index = scalars.push({ dtype: 'int32', source: { value } }) - 1;
  return scalar('int32', index);
}
