/** Checks of level `optional`: products of quantized matrices. Whole numbers are exact; only scaled sums have a bound. */

import { accumulator, apply, cast, load, scalar } from '@gradus/backend';
import type { DType, Expression, QuantizedContractKernel } from '@gradus/backend';
import { accumulationBounds, buildCase, outputsOf } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import { denseSpecs } from '../cases/dense.ts';
import type { Case } from '../cases/case.ts';
import { random, seedOf } from '../cases/random.ts';
import { fractions } from '../cases/values.ts';
import { casesPlan, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

/** Bits of both operands, and the dtype of a. */
interface Format {
  readonly a: 'int8' | 'uint8';
  readonly aBits: 8 | 7;
  readonly bBits: 8 | 4;
}

const FORMATS: readonly Format[] = [
  { a: 'int8', aBits: 8, bBits: 8 },
  { a: 'uint8', aBits: 8, bBits: 8 },
  { a: 'int8', aBits: 7, bBits: 8 },
  { a: 'uint8', aBits: 7, bBits: 8 },
  { a: 'int8', aBits: 8, bBits: 4 },
  { a: 'uint8', aBits: 7, bBits: 4 },
];

function formatText({ a, aBits, bBits }: Format): string {
  return `${a}${aBits === 7 ? ' of 7 bits' : ''} by ${bBits} bits`;
}

/** M, N, K. */
const SIZES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 8, 16],
  [1, 33, 31],
  [31, 1, 33],
  [17, 9, 127],
  [5, 6, 64],
  [131, 139, 5],
  [2, 259, 17],
  [3, 5, 1025],
  [5, 6, 0],
  [0, 6, 5],
  [5, 0, 3],
];

const RULE = 'the accumulator is the int32 sum over k of a · b; 4-bit values are two a byte, the low half first, in two’s complement';
const GROUP_RULE = 'the accumulator is the float32 sum, over groups along K in ascending order, of int32 sums times scales';

interface Product {
  readonly name: string;
  readonly mnk: readonly [number, number, number];
  readonly group?: number;
  /** Elements of a; whole of its range by default. */
  readonly a?: readonly number[];
  readonly b?: readonly number[];
  readonly scales?: readonly number[];
  /** Operands after the dense ones and the values of those written; by default one that gets the accumulator. */
  readonly more?: readonly OperandSpec[];
  readonly outputs?: readonly Expression[];
  readonly scalars?: readonly (readonly [DType, number])[];
  readonly bounds?: ReadonlyMap<number, Float64Array>;
}

/** Whole numbers of a range; both of its ends are frequent. */
function wholes(count: number, low: number, high: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const kind = next();
    return kind < 0.1 ? low : kind < 0.2 ? high : low + Math.floor(next() * (high - low + 1));
  });
}

/** Powers of two: sums of small whole numbers times these are exact. */
function powers(count: number, seed: number): number[] {
  return wholes(count, -3, 3, seed).map((exponent, i) => (i % 3 === 0 ? -1 : 1) * 2 ** exponent);
}

function quantizedCase({ a: dtype, aBits, bBits }: Format, product: Product, terms: Terms): Case {
  const { name, mnk, group = null, scalars = [], bounds } = product;
  const [m, n, k] = mnk;
  const work = { kind: 'quantizedContract', aBits, bBits, group, outputs: [] } as const;
  const seed = seedOf(name);
  const low = dtype === 'uint8' || aBits === 7 ? 0 : -128;
  const values = {
    a: product.a ?? wholes(m * k, low, aBits === 7 ? 127 : low + 255, seed),
    b: product.b ?? (bBits === 8 ? wholes(n * k, -128, 127, seed + 1) : wholes(n * Math.ceil(k / 2), 0, 255, seed + 1)),
    ...(group === null ? {} : { scales: product.scales ?? powers(n * Math.ceil(k / group), seed + 2) }),
  };
  const to: DType = group === null ? 'int32' : 'float32';
  const more = (product.more ?? [{ dtype: to, access: 'write', layout: 'offset' }]).map((o): OperandSpec => ({ space: 'kept', ...o }));
  const dense = denseSpecs({ name, work, dtype, sizes: mnk, values }).map((operand): OperandSpec => ({ ...operand, space: 'full' }));
  const operands = [...dense, ...more];
  const outputs = outputsOf(operands, product.outputs ?? [accumulator(to)]);
  const spec = { name, rule: group === null ? RULE : GROUP_RULE, sizes: mnk, operands, scalars, ...(bounds === undefined ? {} : { bounds }) };
  return buildCase(spec, { full: [], kept: [m, n] }, terms.capabilities, (placed): QuantizedContractKernel => {
    return { ...work, operands: placed, scalars: scalars.map(([one]) => one), outputs };
  });
}

function available({ a, bBits }: Format, terms: Terms): boolean {
  return stores(terms, a, bBits === 4 ? 'uint8' : 'int8');
}

function sizeCases(format: Format, terms: Terms): Case[] {
  if (!available(format, terms)) return [];
  const [low, high] = [format.a === 'uint8' || format.aBits === 7 ? 0 : -128, format.aBits === 7 ? 127 : format.a === 'int8' ? 127 : 255];
  const many: readonly [number, number, number] = [2, 3, 4099];
  const all = (count: number, value: number): number[] => Array.from({ length: count }, () => value);
  const [most, least] = format.bBits === 8 ? [127, -128] : [0x77, 0x88];
  return [
    ...SIZES.map((mnk) => quantizedCase(format, { name: mnk.join('x'), mnk }, terms)),
    // What adds up in 16 bits, or in float32, is off here.
    quantizedCase(format, { name: `largest by largest / ${many.join('x')}`, mnk: many, a: all(2 * 4099, high), b: all(3 * 4099, most) }, terms),
    quantizedCase(format, { name: `largest by least / ${many.join('x')}`, mnk: many, a: all(2 * 4099, high), b: all(3 * 4099, least) }, terms),
    quantizedCase(format, { name: `least by least / ${many.join('x')}`, mnk: many, a: all(2 * 4099, low), b: all(3 * 4099, least) }, terms),
  ];
}

/** Groups that divide K and groups that do not; for 4 bits they are even. */
const GROUPS: readonly number[] = [2, 16, 32, 128];

function groupCases(format: Format, terms: Terms): Case[] {
  if (!available(format, terms)) return [];
  const groups = format.bBits === 8 ? [1, 5, ...GROUPS] : GROUPS;
  const exact = groups.flatMap((group) =>
    SIZES.map((mnk) => {
      const [m, n, k] = mnk;
      // Small numbers, so that no order of addition rounds.
      const a = wholes(m * k, format.a === 'int8' && format.aBits === 8 ? -7 : 0, 7, group);
      const b = format.bBits === 8 ? { b: wholes(n * k, -7, 7, group + 1) } : {};
      return quantizedCase(format, { name: `groups of ${group} / ${mnk.join('x')}`, mnk, group, a, ...b }, terms);
    }),
  );
  return [...exact, accuracyCase(format, terms)];
}

/** Scales that round: within the bound of adding up in float32. */
function accuracyCase(format: Format, terms: Terms): Case {
  const mnk = [5, 7, 999] as const;
  const group = 32;
  const scales = fractions('float32', 7 * Math.ceil(999 / group), 5);
  const product: Product = { name: `accuracy, groups of ${group} / ${mnk.join('x')}`, mnk, group, scales };
  const { a, aBits } = format;
  // The same with nothing negative bounds every partial sum.
  const magnitudes: Product = {
    ...product,
    a: Array.from({ length: 5 * 999 }, () => 255),
    b: Array.from({ length: 7 * 999 }, () => 127),
    scales: scales.map(Math.abs),
  };
  const largest = quantizedCase({ a: 'uint8', aBits: 8, bBits: 8 }, magnitudes, terms);
  const bounds = accumulationBounds(largest, 3, 'float32', 2 * Math.ceil(999 / group));
  return quantizedCase({ a, aBits, bBits: format.bBits }, { ...product, bounds }, terms);
}

function epilogueCases(terms: Terms): Case[] {
  const format: Format = { a: 'uint8', aBits: 8, bBits: 8 };
  if (!available(format, terms)) return [];
  const sum = accumulator('int32');
  const perColumn = (dtype: DType): OperandSpec => ({ dtype, layout: 'broadcast first' });
  const scaled = apply('multiply', cast(apply('subtract', sum, load('int32', 2)), 'float32'), load('float32', 3));
  const products: readonly Omit<Product, 'mnk'>[] = [
    {
      name: 'zero points and scales',
      more: [perColumn('int32'), perColumn('float32'), { dtype: 'float32', access: 'write' }],
      outputs: [scaled],
    },
    {
      name: 'a scalar, added in place, transposed',
      more: [{ dtype: 'float32', access: 'readWrite', layout: 'transposed' }],
      outputs: [apply('add', load('float32', 2), apply('multiply', cast(sum, 'float32'), scalar('float32', 0)))],
      scalars: [['float32', 0.5]],
    },
    {
      name: 'two outputs',
      more: [
        { dtype: 'int32', access: 'write', layout: 'reversed' },
        { dtype: 'int8', access: 'write' },
      ],
      outputs: [sum, cast(sum, 'int8')],
    },
    {
      name: 'groups',
      group: 16,
      more: [perColumn('float32'), { dtype: 'float32', access: 'write', layout: 'sliced' }],
      outputs: [apply('add', apply('multiply', accumulator('float32'), load('float32', 3)), load('float32', 3))],
    },
  ];
  return products.flatMap((product) =>
    (
      [
        [3, 5, 7],
        [33, 18, 20],
      ] as const
    ).map((mnk) => {
      const small = product.group === undefined ? {} : { a: wholes(mnk[0] * mnk[2], 0, 7, 1), b: wholes(mnk[1] * mnk[2], -7, 7, 2) };
      return quantizedCase(format, { ...product, ...small, name: `${product.name} / ${mnk.join('x')}`, mnk }, terms);
    }),
  );
}

export function quantizedPlans(): Plan[] {
  return [
    ...FORMATS.flatMap((format) => [
      casesPlan('optional', `quantizedContract / ${formatText(format)} / sizes`, (terms) => sizeCases(format, terms)),
      casesPlan('optional', `quantizedContract / ${formatText(format)} / groups`, (terms) => groupCases(format, terms)),
    ]),
    casesPlan('optional', 'quantizedContract / epilogue', epilogueCases),
  ];
}
