/**
 * Checks of level `optional`: matrix products.
 *
 * Where the operands hold small whole numbers, every order of accumulation gives the same bits; only `accuracy` needs a bound, which grows with K.
 */

import { accumulator, apply, cast, constant, isFloat, load, scalar } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { accumulationBounds, buildCase, outputsOf } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { randomValues } from '../cases/values.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

/** What is multiplied, and in what it is added up. */
interface Types {
  readonly a: DType;
  readonly b: DType;
  readonly accumulate: DType;
}

const TYPES: readonly Types[] = [
  { a: 'float32', b: 'float32', accumulate: 'float32' },
  { a: 'float64', b: 'float64', accumulate: 'float64' },
  { a: 'float16', b: 'float16', accumulate: 'float32' },
  { a: 'bfloat16', b: 'bfloat16', accumulate: 'float32' },
  { a: 'float32', b: 'float16', accumulate: 'float32' },
  { a: 'int8', b: 'int8', accumulate: 'int32' },
  { a: 'uint8', b: 'int8', accumulate: 'int32' },
  { a: 'int32', b: 'int32', accumulate: 'int32' },
];

const RULE = 'accumulator(0) is the sum over k of a · b';

interface Product extends Types {
  readonly name: string;
  /** Batch axes. */
  readonly batch?: readonly number[];
  readonly mnk: readonly [number, number, number];
  /** Memory order of the axes of a and b, by letter: `mk`, `km`; batch axes are digits: `0mk`. Default row-major. */
  readonly orderA?: string;
  readonly orderB?: string;
  readonly values?: (dtype: DType, count: number, seed: number) => readonly number[];
  /** Operands after a and b, and the values of those written. Default one written operand that gets the accumulator. */
  readonly more?: readonly OperandSpec[];
  readonly outputs?: readonly Expression[];
  readonly scalars?: readonly (readonly [DType, number])[];
  readonly bounds?: ReadonlyMap<number, Float64Array>;
}

function contractCase(product: Product, terms: Terms): Case {
  const { name, a, b, accumulate, batch = [], mnk, values, scalars = [] } = product;
  const axes = (order: string): number[] =>
    order.split('').map((letter) => ('mnk'.includes(letter) ? batch.length + 'mnk'.indexOf(letter) : Number(letter)));
  const digits = batch.map((_, axis) => axis).join('');
  const sizes = [...batch, ...mnk];
  const count = sizes.reduce((x, y) => x * y, 1);
  const operand = (dtype: DType, order: string, seed: number): OperandSpec => ({
    dtype,
    layout: { axes: axes(order) },
    ...(values === undefined ? {} : { values: values(dtype, count, seed) }),
  });
  const more = (product.more ?? [{ dtype: accumulate, access: 'write', layout: 'offset' }]).map((o): OperandSpec => ({ space: 'kept', ...o }));
  const operands = [operand(a, product.orderA ?? `${digits}mk`, 1), operand(b, product.orderB ?? `${digits}kn`, 2), ...more];
  const outputs = outputsOf(operands, product.outputs ?? [accumulator(accumulate)]);
  const spec = { name, rule: RULE, sizes, operands, scalars, ...(product.bounds === undefined ? {} : { bounds: product.bounds }) };
  return buildCase(spec, { full: sizes, kept: sizes.slice(0, -1) }, terms.capabilities, (placed) => ({
    kind: 'contract',
    rank: sizes.length,
    accumulate,
    operands: placed,
    scalars: scalars.map(([dtype]) => dtype),
    outputs,
  }));
}

function available(types: Types, terms: Terms): boolean {
  return stores(terms, types.a, types.b) && computes(terms, types.accumulate) && terms.capabilities.dtypes[types.accumulate].accumulate;
}

const SIZES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [8, 1, 31],
  [1, 33, 9],
  [17, 33, 65],
  [33, 17, 5],
  [64, 64, 64],
  [131, 139, 5],
  [3, 5, 301],
  [5, 6, 0],
  [0, 6, 5],
];

function sizeCases(types: Types, terms: Terms): Case[] {
  if (!available(types, terms)) return [];
  return SIZES.map((mnk) => contractCase({ ...types, name: mnk.join('x'), mnk }, terms));
}

function orderCases(types: Types, terms: Terms): Case[] {
  if (!available(types, terms)) return [];
  const cases: Case[] = [];
  for (const mnk of [
    [5, 7, 9],
    [18, 20, 33],
  ] as const) {
    for (const orderA of ['mk', 'km'])
      for (const orderB of ['kn', 'nk'])
        cases.push(contractCase({ ...types, name: `a ${orderA}, b ${orderB} / ${mnk.join('x')}`, mnk, orderA, orderB }, terms));
    cases.push(contractCase({ ...types, name: `the same row of a for every m / ${mnk.join('x')}`, mnk, orderA: 'k' }, terms));
  }
  for (const [orderA, orderB] of [
    ['0mk', '0kn'],
    ['0mk', 'kn'],
    ['mk', '0nk'],
    ['m0k', 'k0n'],
    ['0km', '0nk'],
  ] as const)
    cases.push(contractCase({ ...types, name: `batch of 3, a ${orderA}, b ${orderB}`, batch: [3], mnk: [5, 6, 7], orderA, orderB }, terms));
  cases.push(
    contractCase({ ...types, name: 'two batch axes, each broadcast once', batch: [2, 3], mnk: [4, 5, 6], orderA: '0mk', orderB: '1kn' }, terms),
  );
  return cases;
}

function epilogueCases(terms: Terms): Case[] {
  const types: Types = { a: 'float32', b: 'float32', accumulate: 'float32' };
  if (!available(types, terms)) return [];
  const sum = accumulator('float32');
  const relu = (e: Expression): Expression => apply('max', e, constant('float32', 0));
  const bias: OperandSpec = { dtype: 'float32', layout: 'broadcast first' };
  const result: OperandSpec = { dtype: 'float32', access: 'write' };
  const products: Omit<Product, keyof Types | 'mnk' | 'name'>[] = [
    { more: [bias, result], outputs: [relu(apply('add', sum, load('float32', 2)))] },
    { more: [result], outputs: [apply('multiply', sum, scalar('float32', 0))], scalars: [['float32', 0.5]] },
    { more: [{ ...result, access: 'readWrite' }], outputs: [apply('add', sum, load('float32', 2))] },
    {
      more: [
        { ...result, layout: 'transposed' },
        { dtype: 'bool', access: 'write' },
      ],
      outputs: [sum, apply('less', sum, constant('float32', 0))],
    },
    { more: [{ dtype: 'int32', access: 'write', layout: 'reversed' }], outputs: [cast(sum, 'int32')] },
    { more: [{ ...result, layout: 'transposed' }], outputs: [sum] },
  ];
  const names = ['bias and relu', 'a scalar', 'added in place', 'two outputs', 'cast to int32', 'stored column by column'];
  return products.flatMap((product, i) =>
    (
      [
        [5, 7, 9],
        [18, 33, 20],
      ] as const
    ).map((mnk) => contractCase({ ...types, ...product, mnk, name: `${names[i]} / ${mnk.join('x')}` }, terms)),
  );
}

function accuracyCases(types: Types, terms: Terms): Case[] {
  if (!available(types, terms) || !isFloat(types.accumulate)) return [];
  return (
    [
      [3, 5, 7],
      [5, 6, 1000],
    ] as const
  ).map((mnk) => {
    const product: Product = { ...types, name: mnk.join('x'), mnk, values: randomValues };
    const magnitudes = contractCase({ ...product, values: (dtype, count, seed) => randomValues(dtype, count, seed).map(Math.abs) }, terms);
    // One more rounding than a sum has: that of the products.
    return contractCase({ ...product, bounds: accumulationBounds(magnitudes, 2, types.accumulate, mnk[2] + 1) }, terms);
  });
}

export function contractPlans(): Plan[] {
  const each = (title: string, build: (types: Types, terms: Terms) => Case[]): Plan[] =>
    TYPES.map((types) => casesPlan('optional', `contract / ${types.a} by ${types.b} / ${title}`, (terms) => build(types, terms)));
  return [
    ...each('sizes', sizeCases),
    ...each('transposes and batches', orderCases),
    ...each('accuracy', accuracyCases),
    casesPlan('optional', 'contract / epilogue', epilogueCases),
  ];
}
