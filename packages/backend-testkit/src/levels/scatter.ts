/** Checks of level `scatter`: each mode on each dtype, duplicates, positions outside, and where positions and values come from. */

import { ALL_DTYPES, apply, axisIndex, cast, constant, gather, load, scalar } from '@gradus/backend';
import type { DType, Expression, ScatterMode } from '@gradus/backend';
import { scatterCase } from '../cases/build.ts';
import type { OperandSpec, ScatterSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import type { LayoutName } from '../cases/layouts.ts';
import { random, seedOf } from '../cases/random.ts';
import { edgeValues, randomValues } from '../cases/values.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

const MODES: readonly ScatterMode[] = ['set', 'add', 'max'];
const ORDER = 'duplicates apply in source order: row-major order of the index space';
const OUTSIDE = 'positions outside [0, length) are skipped';

const int = (value: number): Expression => constant('int32', value);

/** Positions in and around `[0, length)`, many of them more than once. */
function positions(count: number, length: number, seed: number): number[] {
  const next = random(seed);
  const outside = [-1, length, length + 1, -length, 2 ** 31 - 1, -(2 ** 31)];
  return Array.from({ length: count }, () => (next() < 0.2 ? (outside[Math.floor(next() * outside.length)] ?? -1) : Math.floor(next() * length)));
}

/** Target, positions, values: operands 0, 1, 2. */
function byOperand(
  mode: ScatterMode,
  dtype: DType,
  sizes: readonly number[],
  length: number,
  more: {
    name: string;
    rule?: string;
    layout?: LayoutName;
    at?: readonly number[];
    values?: readonly number[];
    start?: readonly number[];
    deterministic?: boolean;
  },
): ScatterSpec {
  const count = sizes.reduce((a, b) => a * b, 1);
  const { name, rule = ORDER, layout = 'contiguous', deterministic = true } = more;
  const seed = seedOf(name);
  const operands: OperandSpec[] = [
    { dtype, access: 'readWrite', length, values: more.start ?? randomValues(dtype, length, seed) },
    { dtype: 'int32', layout, values: more.at ?? positions(count, length, seed + 1) },
    { dtype, layout, values: more.values ?? randomValues(dtype, count, seed + 2) },
  ];
  return { name, rule, sizes, mode, target: 0, position: load('int32', 1), value: load(dtype, 2), operands, deterministic };
}

function modeCases(mode: ScatterMode, dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype) || (mode !== 'set' && !computes(terms, dtype))) return [];
  const build = (spec: ScatterSpec): Case => scatterCase(spec, terms.capabilities);
  const spread = Array.from({ length: 33 }, (_, i) => (i * 7) % 41);
  const edges = edgeValues(dtype, terms.capabilities.denormals, true);
  return [
    build(byOperand(mode, dtype, [33], 41, { name: 'distinct positions / 33', rule: OUTSIDE, at: spread })),
    build(byOperand(mode, dtype, [127], 13, { name: 'duplicates and outside / 127' })),
    build(byOperand(mode, dtype, [5, 31], 13, { name: 'duplicates and outside, transposed / 5x31', layout: 'transposed' })),
    build(byOperand(mode, dtype, [4, 3, 7], 9, { name: 'duplicates and outside, reversed / 4x3x7', layout: 'reversed' })),
    build(byOperand(mode, dtype, [7], 5, { name: 'all on one element / 7', at: [3] })),
    build(byOperand(mode, dtype, [], 5, { name: 'one point / rank 0', at: [4] })),
    build(byOperand(mode, dtype, [0], 5, { name: 'no points / 0' })),
    build(byOperand(mode, dtype, [9], 0, { name: 'an empty target / 9', rule: OUTSIDE })),
    build(byOperand(mode, dtype, [33], 41, { name: 'distinct positions, any order / 33', at: spread, deterministic: false, rule: OUTSIDE })),
    // Every pair of edge values meets: the target starts as one, the other comes.
    build({
      ...byOperand(mode, dtype, [edges.length ** 2], edges.length ** 2, {
        name: `edge values / ${edges.length ** 2}`,
        rule: mode === 'max' ? 'max combines as the opcode does: NaN wins, 0 before -0' : 'add rounds or wraps to the dtype',
        start: edges.flatMap((a) => edges.map(() => a)),
        values: edges.flatMap(() => edges),
        at: Array.from({ length: edges.length ** 2 }, (_, i) => i),
      }),
    }),
  ];
}

/** Positions and values that are computed. */
function expressionCases(terms: Terms): Case[] {
  const target: OperandSpec = { dtype: 'float32', access: 'readWrite', length: 20 };
  const rule = 'position and value are expressions over the full space';
  const diagonal = apply('add', apply('multiply', axisIndex(0), int(4)), axisIndex(1));
  const specs: ScatterSpec[] = [
    {
      name: 'by axes / 5x4',
      rule,
      sizes: [5, 4],
      mode: 'set',
      target: 0,
      position: diagonal,
      value: cast(apply('subtract', axisIndex(0), axisIndex(1)), 'float32'),
      operands: [target],
    },
    {
      name: 'by axes, overlapping and outside / 7x5',
      rule,
      sizes: [7, 5],
      mode: 'add',
      target: 0,
      position: apply('subtract', diagonal, int(3)),
      value: load('float32', 1),
      operands: [target, { dtype: 'float32', layout: 'broadcast last' }],
    },
    {
      name: 'by a gather / 9',
      rule,
      sizes: [9],
      mode: 'add',
      target: 0,
      position: gather('int32', 1, axisIndex(0), -1),
      value: constant('float32', 1),
      operands: [target, { dtype: 'int32', length: 7, values: [19, 0, 3, 3, 20, 7, 3] }],
    },
    {
      name: 'a scaled value / 33',
      rule,
      sizes: [33],
      mode: 'add',
      target: 0,
      position: load('int32', 1),
      value: apply('multiply', load('float32', 2), scalar('float32', 0)),
      scalars: [['float32', -0.1]],
      operands: [target, { dtype: 'int32', values: positions(33, 20, 1) }, { dtype: 'float32', values: randomValues('float32', 33, 2) }],
    },
    {
      name: 'the target last / 5',
      rule,
      sizes: [5],
      mode: 'max',
      target: 1,
      position: axisIndex(0),
      value: load('float32', 0),
      operands: [{ dtype: 'float32', layout: 'sliced' }, target],
    },
    {
      name: 'integer sums in any order / 127',
      rule,
      sizes: [127],
      mode: 'add',
      target: 0,
      position: load('int32', 1),
      value: load('int32', 2),
      deterministic: false,
      operands: [
        { ...target, dtype: 'int32' },
        { dtype: 'int32', values: positions(127, 20, 3) },
        { dtype: 'int32', values: randomValues('int32', 127, 4) },
      ],
    },
    {
      name: 'twelve axes',
      rule,
      sizes: [2, 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 3],
      mode: 'set',
      target: 0,
      position: apply('add', axisIndex(11), apply('multiply', apply('add', axisIndex(0), axisIndex(7)), int(5))),
      value: load('float32', 1),
      operands: [target, { dtype: 'float32', layout: 'transposed' }],
    },
  ];
  return specs.map((spec) => scatterCase(spec, terms.capabilities));
}

export function scatterPlans(): Plan[] {
  return [
    ...MODES.flatMap((mode) =>
      ALL_DTYPES.filter((dtype) => mode === 'set' || dtype !== 'bool').map((dtype) =>
        casesPlan('scatter', `${mode} / ${dtype}`, (terms) => modeCases(mode, dtype, terms)),
      ),
    ),
    casesPlan('scatter', 'expressions', expressionCases),
  ];
}
