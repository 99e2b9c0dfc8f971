/**
 * Checks of level `map`, part 2: operands in every layout, of every dtype, in awkward sizes.
 *
 * Elements that lie around and between those of an operand must survive; packed dtypes make that hard, as a word holds several elements.
 */

import { ALL_DTYPES, apply, constant, load, where } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { mapCase } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { READABLE, WRITABLE } from '../cases/layouts.ts';
import type { LayoutName } from '../cases/layouts.ts';
import { seedOf } from '../cases/random.ts';
import { edgeValues, randomValues } from '../cases/values.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

/** Empty, rank 0, shorter and longer than any vector, and of several axes. */
const SHAPES: readonly (readonly number[])[] = [[], [0], [2, 0, 3], [1], [3], [5], [31], [33], [127], [3, 5], [5, 31], [4, 3, 7], [2, 3, 2, 5]];
const TAILS: readonly (readonly number[])[] = [[], [0], [1], [3], [5], [31], [33], [127], [1021]];

const RULE = 'an operand is seen through its offset and strides; layouts are contiguous, broadcast or strided';
const TAIL_RULE = 'a map visits each point of its index space once, and no other';

/** Edge values, then random ones: whatever an element may hold. */
function anyValues(dtype: DType, terms: Terms): number[] {
  return [...edgeValues(dtype, terms.capabilities.denormals), ...randomValues(dtype, 300, seedOf(dtype))];
}

/** Some operation on two arguments that every number dtype has; exclusive or for bool. */
function combine(dtype: DType, a: Expression, b: Expression): Expression {
  return apply(dtype === 'bool' ? 'xor' : 'add', a, b);
}

function layoutCases(layout: LayoutName, dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype)) return [];
  const values = anyValues(dtype, terms);
  const cases: Case[] = [];
  for (const sizes of SHAPES) {
    const size = sizes.join('x') || 'rank 0';
    const input: OperandSpec = { dtype, layout, values };
    const copy = (name: string, operands: readonly OperandSpec[]): Case =>
      mapCase({ name: `${name} / ${size}`, rule: RULE, sizes, operands, outputs: [load(dtype, 0)] }, terms.capabilities);
    cases.push(copy('read', [input, { dtype, access: 'write' }]));
    if (!WRITABLE.includes(layout)) continue;
    cases.push(
      copy('write', [
        { dtype, values },
        { dtype, access: 'write', layout },
      ]),
    );
    cases.push(copy('read and write', [input, { dtype, access: 'write', layout }]));
  }
  if (!computes(terms, dtype)) return cases;
  for (const sizes of [[33], [5, 31], [4, 3, 7]]) {
    const operands: OperandSpec[] = [
      { dtype, layout, values },
      { dtype, layout: 'offset', values: values.toReversed() },
      { dtype, access: 'write' },
    ];
    const outputs = [combine(dtype, load(dtype, 0), load(dtype, 1))];
    cases.push(mapCase({ name: `with a second operand / ${sizes.join('x')}`, rule: RULE, sizes, operands, outputs }, terms.capabilities));
  }
  return cases;
}

function tailCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const values = randomValues(dtype, 1100, seedOf(dtype) + 1);
  const [a, b] = [load(dtype, 0), load(dtype, 1)];
  return TAILS.flatMap((sizes) =>
    (['contiguous', 'offset'] as const).map((layout) => {
      const operands: OperandSpec[] = [
        { dtype, layout, values },
        { dtype, layout, values: values.toReversed() },
        { dtype, access: 'write', layout },
        { dtype: 'bool', access: 'write', layout },
      ];
      const outputs = [combine(dtype, a, b), apply('less', a, b)];
      return mapCase({ name: `${layout} / ${sizes.join('x') || 'rank 0'}`, rule: TAIL_RULE, sizes, operands, outputs }, terms.capabilities);
    }),
  );
}

/** x = f(x), over one readWrite operand. */
function inPlaceCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const values = randomValues(dtype, 300, seedOf(dtype) + 2);
  const own = load(dtype, 0);
  const one = constant(dtype, 1);
  return WRITABLE.flatMap((layout) =>
    [[33], [5, 31]].map((sizes) => {
      const operands: OperandSpec[] = [
        { dtype, access: 'readWrite', layout, values },
        { dtype: 'bool', layout: 'broadcast last', values: [1, 0, 1] },
      ];
      const outputs = [where(load('bool', 1), combine(dtype, own, one), own)];
      return mapCase(
        { name: `${layout} / ${sizes.join('x')}`, rule: 'a readWrite operand reads its own element before writing it', sizes, operands, outputs },
        terms.capabilities,
      );
    }),
  );
}

export function layoutPlans(): Plan[] {
  return [
    ...[...WRITABLE, ...READABLE].flatMap((layout) =>
      ALL_DTYPES.map((dtype) => casesPlan('map', `layout / ${layout} / ${dtype}`, (terms) => layoutCases(layout, dtype, terms))),
    ),
    ...ALL_DTYPES.map((dtype) => casesPlan('map', `tails / ${dtype}`, (terms) => tailCases(dtype, terms))),
    ...ALL_DTYPES.map((dtype) => casesPlan('map', `in place / ${dtype}`, (terms) => inPlaceCases(dtype, terms))),
  ];
}
