/** Checks of level `reduce`, part 2: what is folded, and what the epilogue makes of it. All numbers are whole, so that results are exact. */

import { ALL_DTYPES, MAX_RANK, accumulator, apply, axisIndex, cast, constant, gather, load, scalar, where } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { reduceCase } from '../cases/build.ts';
import type { OperandSpec, ReduceSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { randomValues, wholeValues } from '../cases/values.ts';
import { accumulates, casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const subtract = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
const multiply = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
const int = (value: number): Expression => constant('int32', value);
const x = load('float32', 0);
const [first, second, third] = [accumulator('float32', 0), accumulator('float32', 1), accumulator('float32', 2)];

/** A case for each of a few shapes. */
function shaped(
  spec: Omit<ReduceSpec, 'sizes' | 'folded'>,
  terms: Terms,
  shapes: readonly (readonly [readonly number[], number])[] = [
    [[5, 31], 1],
    [[3, 4, 8], 2],
    [[33], 1],
  ],
): Case[] {
  return shapes.map(([sizes, folded]) =>
    reduceCase({ ...spec, name: `${spec.name} / ${sizes.join('x')} folded ${folded}`, sizes, folded }, terms.capabilities),
  );
}

const written = (dtype: DType, more: Partial<OperandSpec> = {}): OperandSpec => ({ dtype, access: 'write', ...more });

function severalFolds(terms: Terms): Case[] {
  const rule = 'the epilogue sees every fold, by its number';
  const folds = [
    { fold: 'sum', value: x },
    { fold: 'sum', value: multiply(x, x) },
    { fold: 'max', value: x },
  ] as const;
  const spread = subtract(multiply(second, constant('float32', 4)), multiply(first, first));
  return [
    ...shaped(
      { name: 'sum, sum of squares, maximum', rule, folds, operands: [{ dtype: 'float32' }, written('float32')], outputs: [add(spread, third)] },
      terms,
    ),
    ...shaped(
      {
        name: 'one output each',
        rule,
        folds,
        operands: [{ dtype: 'float32', layout: 'transposed' }, written('float32'), written('float32', { layout: 'reversed' }), written('float32')],
        outputs: [third, first, second],
      },
      terms,
    ),
    ...shaped(
      {
        name: 'folds of two dtypes and all kinds',
        rule,
        folds: [
          { fold: 'min', value: x },
          { fold: 'sum', value: cast(apply('less', x, constant('float32', 0)), 'int32') },
          { fold: 'prod', value: where(apply('less', x, constant('float32', 3)), constant('int32', 1), int(-3)) },
        ],
        operands: [{ dtype: 'float32' }, written('float32'), written('int32'), written('int32')],
        outputs: [first, accumulator('int32', 1), accumulator('int32', 2)],
      },
      terms,
    ),
  ];
}

function epilogues(terms: Terms): Case[] {
  const folds = [{ fold: 'sum', value: x }] as const;
  const input: OperandSpec = { dtype: 'float32' };
  const rule = 'the epilogue is evaluated for each kept point, over accumulators and operands of the kept space';
  const cases = [
    ...shaped(
      {
        name: 'bias and relu',
        rule,
        folds,
        operands: [input, { dtype: 'float32', space: 'kept', layout: 'offset' }, written('float32')],
        outputs: [apply('max', add(first, load('float32', 1)), constant('float32', 0))],
      },
      terms,
    ),
    ...shaped(
      {
        name: 'a scalar',
        rule,
        folds,
        operands: [input, written('float32')],
        scalars: [['float32', 0.25]],
        outputs: [multiply(first, scalar('float32', 0))],
      },
      terms,
    ),
    ...shaped(
      {
        name: 'added in place',
        rule,
        folds,
        operands: [input, { dtype: 'float32', access: 'readWrite', layout: 'offset' }],
        outputs: [add(first, load('float32', 1))],
      },
      terms,
    ),
    ...shaped(
      { name: 'kept axes', rule, folds, operands: [input, written('float32')], outputs: [add(first, cast(axisIndex(0), 'float32'))] },
      terms,
      [
        [[5, 31], 1],
        [[3, 4, 8], 2],
      ],
    ),
    ...shaped(
      {
        name: 'a gather',
        rule,
        folds,
        operands: [input, { dtype: 'float32', length: 3 }, written('float32')],
        outputs: [add(first, gather('float32', 1, axisIndex(0), 100))],
      },
      terms,
      [[[5, 31], 1]],
    ),
    ...shaped({ name: 'no accumulator', rule, folds, operands: [input, written('float32')], outputs: [constant('float32', 7)] }, terms),
    ...shaped(
      {
        name: 'to bool and int32',
        rule,
        folds,
        operands: [input, written('bool', { layout: 'offset' }), written('int32')],
        outputs: [apply('less', constant('float32', 0), first), cast(first, 'int32')],
      },
      terms,
    ),
  ];
  if (stores(terms, 'uint8'))
    cases.push(
      ...shaped(
        { name: 'to uint8', rule, folds, operands: [input, written('uint8', { layout: 'sliced' })], outputs: [cast(apply('abs', first), 'uint8')] },
        terms,
      ),
    );
  return cases;
}

function foldedExpressions(terms: Terms): Case[] {
  const rule = 'the folded value is any expression over the full space';
  const row = axisIndex(1);
  const cases = [
    ...shaped(
      {
        name: 'product of two operands',
        rule,
        folds: [{ fold: 'sum', value: multiply(x, load('float32', 1)) }],
        operands: [{ dtype: 'float32', layout: 'broadcast first' }, { dtype: 'float32', layout: 'transposed' }, written('float32')],
        outputs: [first],
      },
      terms,
    ),
    // The column of the largest element: what a core makes of argMax.
    ...shaped(
      {
        name: 'position of a value',
        rule,
        folds: [{ fold: 'max', value: where(apply('equal', x, load('float32', 1)), row, int(-1)) }],
        operands: [{ dtype: 'float32' }, { dtype: 'float32', layout: { axes: [0] }, values: [2, 3] }, written('int32')],
        outputs: [accumulator('int32')],
      },
      terms,
      [[[5, 31], 1]],
    ),
    // A convolution of a row by three taps, padded by one.
    ...shaped(
      {
        name: 'gathered window',
        rule,
        folds: [{ fold: 'sum', value: multiply(gather('float32', 0, subtract(add(axisIndex(0), row), int(1))), load('float32', 1)) }],
        operands: [{ dtype: 'float32', length: 31 }, { dtype: 'float32', layout: 'broadcast first' }, written('float32')],
        outputs: [first],
      },
      terms,
      [[[31, 3], 1]],
    ),
    ...shaped(
      {
        name: 'a scalar threshold',
        rule,
        folds: [{ fold: 'sum', value: cast(apply('less', scalar('float32', 0), x), 'int32') }],
        operands: [{ dtype: 'float32' }, written('int32')],
        scalars: [['float32', 1.5]],
        outputs: [accumulator('int32')],
      },
      terms,
    ),
  ];
  for (const dtype of ['int8', 'uint8', 'float16', 'bfloat16', 'bool'] as const)
    if (stores(terms, dtype))
      cases.push(
        ...shaped(
          {
            name: `${dtype} in float32`,
            rule,
            folds: [{ fold: 'sum', value: cast(load(dtype, 0), 'float32') }],
            operands: [{ dtype, values: wholeValues(dtype, 160, 9) }, written('float32')],
            outputs: [first],
          },
          terms,
        ),
      );
  return cases;
}

/** Two values: one rounding in every order. What the epilogue then subtracts shows whether the accumulator was rounded. */
function roundedAccumulator(dtype: DType, terms: Terms): Case[] {
  if (!accumulates(terms, dtype) || !computes(terms, dtype)) return [];
  const rule = 'each accumulator is rounded to its dtype before the epilogue sees it';
  const values = randomValues(dtype, 400, 17);
  const heads = values.filter((_, i) => i % 2 === 0);
  return (['sum', 'prod'] as const).map((fold) =>
    reduceCase(
      {
        name: `${fold} / 200x2 folded 1`,
        rule,
        sizes: [200, 2],
        folded: 1,
        folds: [{ fold, value: load(dtype, 0) }],
        operands: [{ dtype, values }, { dtype, space: 'kept', values: heads }, written(dtype)],
        outputs: [apply(fold === 'sum' ? 'subtract' : 'add', accumulator(dtype), load(dtype, 1))],
      },
      terms.capabilities,
    ),
  );
}

function manyAxes(terms: Terms): Case[] {
  const rule = `an index space has up to ${MAX_RANK} axes, any number of them folded`;
  return [5, 8, MAX_RANK].flatMap((rank) =>
    [1, 3, rank - 1, rank].map((count) => {
      const sizes = Array.from({ length: rank }, (_, axis) => (axis % 5 === 1 || axis === rank - 1 ? 3 : axis % 2 === 0 ? 2 : 1));
      const operands: OperandSpec[] = [{ dtype: 'int32', layout: 'permuted' }, written('int32')];
      const folds = [{ fold: 'sum', value: multiply(load('int32', 0), add(axisIndex(rank - 1), int(1))) }] as const;
      return reduceCase(
        { name: `rank ${rank} folded ${count}`, rule, sizes, folded: count, folds, operands, outputs: [accumulator('int32')] },
        terms.capabilities,
      );
    }),
  );
}

export function epiloguePlans(): Plan[] {
  const numbers = ALL_DTYPES.filter((dtype) => dtype !== 'bool');
  return [
    casesPlan('reduce', 'several folds', severalFolds),
    casesPlan('reduce', 'epilogue', epilogues),
    casesPlan('reduce', 'folded expressions', foldedExpressions),
    ...numbers.map((dtype) => casesPlan('reduce', `accumulator / ${dtype}`, (terms) => roundedAccumulator(dtype, terms))),
    casesPlan('reduce', 'many axes', manyAxes),
  ];
}
