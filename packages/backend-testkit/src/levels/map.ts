/** Checks of level `map`, part 4: kernels as a whole. Shared sub-expressions, several outputs, chains of rounding, many axes and operands. */

import { ALL_DTYPES, MAX_RANK, apply, axisIndex, cast, constant, gather, isFloat, load, where } from '@gradus/backend';
import type { DType, Expression, Kernel } from '@gradus/backend';
import { mapCase } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import { Case } from '../cases/case.ts';
import { alignmentOf } from '../cases/layouts.ts';
import { seedOf } from '../cases/random.ts';
import { randomValues } from '../cases/values.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const subtract = (a: Expression, b: Expression): Expression => apply('subtract', a, b);
const multiply = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
const int = (value: number): Expression => constant('int32', value);

/** Chains whose intermediate results need rounding or wrapping: the last one alone would give other numbers. */
function roundingCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const [a, b, c] = [load(dtype, 0), load(dtype, 1), load(dtype, 2)];
  const chains: Readonly<Record<string, Expression>> = {
    'a * b + c': add(multiply(a, b), c),
    'a * b - c': subtract(multiply(a, b), c),
    '(a + b) - a': subtract(add(a, b), a),
    'a / b * b': multiply(apply('divide', a, b), b),
    '(a + b) / 2': apply('divide', add(a, b), constant(dtype, 2)),
    '(a * b) * c': multiply(multiply(a, b), c),
    'a + b < a': where(apply('less', add(a, b), a), a, b),
    '(a * b) % c': apply('remainder', multiply(a, b), c),
    ...(isFloat(dtype) ? { 'sqrt(|a|) * sqrt(|a|)': multiply(apply('sqrt', apply('abs', a)), apply('sqrt', apply('abs', a))) } : {}),
  };
  const seed = seedOf(dtype);
  const operands = [0, 1, 2].map((i): OperandSpec => ({ dtype, values: randomValues(dtype, 500, seed + i) }));
  const rule = 'every operation of a chain rounds (or wraps) its own result; fused multiply-add only inside contractions';
  return Object.entries(chains).map(([name, value]) =>
    mapCase({ name: `${name} / 500`, rule, sizes: [500], operands: [...operands, { dtype, access: 'write' }], outputs: [value] }, terms.capabilities),
  );
}

/** A sum that is its own argument twice, twenty-four times: 16 million additions for whoever does not share. */
function sharedCases(terms: Terms): Case[] {
  const rule = 'a shared sub-expression is computed once';
  let doubled: Expression = load('int32', 0);
  for (let i = 0; i < 24; i++) doubled = add(doubled, doubled);
  const common = multiply(load('int32', 0), load('int32', 0));
  const operands: OperandSpec[] = [{ dtype: 'int32' }, { dtype: 'int32', access: 'write' }, { dtype: 'int32', access: 'write' }];
  return [
    mapCase({ name: 'doubled 24 times / 33', rule, sizes: [33], operands: operands.slice(0, 2), outputs: [doubled] }, terms.capabilities),
    mapCase(
      { name: 'between outputs / 33', rule, sizes: [33], operands, outputs: [add(common, int(1)), subtract(common, load('int32', 0))] },
      terms.capabilities,
    ),
  ];
}

function outputCases(terms: Terms): Case[] {
  const rule = 'a map stores every one of its outputs';
  const x = load('float32', 0);
  const small: DType = stores(terms, 'int8') ? 'int8' : 'int32';
  const operands: OperandSpec[] = [
    { dtype: 'float32', values: randomValues('float32', 200, 7) },
    { dtype: 'bool', access: 'write', layout: 'offset' },
    { dtype: small, access: 'write', layout: 'reversed' },
    { dtype: 'float32', access: 'write', layout: 'transposed' },
  ];
  const outputs = [apply('less', x, constant('float32', 0)), cast(x, small), multiply(x, constant('float32', 0.5))];
  const swap: OperandSpec[] = [
    { dtype: 'int32', access: 'readWrite' },
    { dtype: 'int32', access: 'readWrite', layout: 'transposed' },
    { dtype: 'int32', access: 'readWrite', layout: 'sliced' },
  ];
  const [a, b, c] = [load('int32', 0), load('int32', 1), load('int32', 2)];
  return [[5], [33], [5, 31]].flatMap((sizes) => [
    mapCase({ name: `of three dtypes and layouts / ${sizes.join('x')}`, rule, sizes, operands, outputs }, terms.capabilities),
    mapCase(
      {
        name: `three blocks change places / ${sizes.join('x')}`,
        rule: 'all loads of a point happen before its stores',
        sizes,
        operands: swap,
        outputs: [b, c, a],
      },
      terms.capabilities,
    ),
    mapCase(
      {
        name: `sum and product in place / ${sizes.join('x')}`,
        rule: 'all loads of a point happen before its stores',
        sizes,
        operands: swap,
        outputs: [add(a, b), multiply(a, b), subtract(a, c)],
      },
      terms.capabilities,
    ),
  ]);
}

function manyAxesCases(terms: Terms): Case[] {
  const rule = `an index space has up to ${MAX_RANK} axes`;
  const cases: Case[] = [];
  for (const rank of [5, 6, 7, 8, 10, MAX_RANK]) {
    const sizes = Array.from({ length: rank }, (_, axis) => (axis % 4 === 1 || axis === rank - 1 ? 3 : axis % 2 === 0 ? 2 : 1));
    const weighted = sizes.reduce((sum: Expression, _, axis) => add(sum, multiply(axisIndex(axis), int(axis + 1))), load('int32', 0));
    for (const layout of ['transposed', 'broadcast last', 'sliced'] as const) {
      const operands: OperandSpec[] = [
        { dtype: 'int32', layout },
        { dtype: 'int32', access: 'write', layout: 'reversed' },
      ];
      cases.push(mapCase({ name: `${layout} / rank ${rank}`, rule, sizes, operands, outputs: [weighted] }, terms.capabilities));
    }
  }
  return cases;
}

/** As many operands as the device binds (up to 16). */
function manyOperandsCases(terms: Terms): Case[] {
  const count = Math.min(terms.capabilities.maxBindings, 16);
  const inputs = Array.from({ length: count - 1 }, (_, i): OperandSpec => ({ dtype: 'int32', layout: i % 2 === 0 ? 'contiguous' : 'transposed' }));
  const value = inputs.reduce((sum: Expression, _, i) => add(multiply(sum, int(3)), load('int32', i)), int(0));
  const rule = 'a kernel may have maxBindings operands';
  return [
    mapCase(
      { name: `${count} operands / 3x11`, rule, sizes: [3, 11], operands: [...inputs, { dtype: 'int32', access: 'write' }], outputs: [value] },
      terms.capabilities,
    ),
  ];
}

/** Two operands in one block. */
function oneBlockCases(terms: Terms): Case[] {
  const size = 33;
  const align = alignmentOf('int32', terms.capabilities);
  const apart = Math.ceil(size / align) * align;
  const values = Float64Array.from({ length: apart + size + 5 }, (_, i) => i * i);
  const kernel: Kernel = {
    kind: 'map',
    rank: 1,
    scalars: [],
    operands: (['read', 'read', 'write'] as const).map((access) => ({ dtype: 'int32', access, layout: 'contiguous', space: 'full' })),
    outputs: [{ operand: 2, value: subtract(load('int32', 1), load('int32', 0)) }],
  };
  const blank = new Float64Array(size);
  const image = (elements: Float64Array): { dtype: DType; values: Float64Array } => ({ dtype: 'int32', values: elements });
  const common = { kernel, scalars: [], rule: 'read ranges of one block may overlap' };
  const cases = [
    new Case({
      ...common,
      name: 'read twice',
      dims: Int32Array.of(size, 0, 1, align, 1, 0, 1),
      blocks: [image(values), image(blank)],
      bindings: [0, 0, 1],
    }),
  ];
  if (!terms.capabilities.subBufferAliasing) return cases;
  const rule = 'with subBufferAliasing one kernel may write one range of a block and read another';
  cases.push(
    new Case({
      ...common,
      rule,
      name: 'read and written',
      dims: Int32Array.of(size, 0, 1, 0, 1, apart, 1),
      blocks: [image(values)],
      bindings: [0, 0, 0],
    }),
  );
  return cases;
}

/** Kernels like those that a core makes of a model. */
function mixedCases(terms: Terms): Case[] {
  const rule = 'an expression may mix all that it is made of';
  const cases: Case[] = [];
  if (stores(terms, 'uint8')) {
    const pixel = multiply(subtract(cast(load('uint8', 0), 'float32'), load('float32', 1)), load('float32', 2));
    const values = Array.from({ length: 120 }, (_, i) => (i * 37) % 256);
    const operands: OperandSpec[] = [
      { dtype: 'uint8', layout: 'transposed', values },
      { dtype: 'float32', layout: 'broadcast last', values: [127.5, 100, 3] },
      { dtype: 'float32', layout: 'broadcast', values: [1 / 255] },
      { dtype: 'float32', access: 'write' },
    ];
    cases.push(mapCase({ name: 'normalised pixels / 3x40', rule, sizes: [3, 40], operands, outputs: [pixel] }, terms.capabilities));
  }
  const cell = add(multiply(apply('divide', axisIndex(1), int(2)), int(4)), apply('remainder', axisIndex(1), int(4)));
  const inside = apply('and', apply('lessEqual', int(3), cell), apply('less', cell, int(12)));
  const taken = where(inside, gather('float32', 0, subtract(cell, int(3)), -1), load('float32', 1));
  cases.push(
    mapCase(
      {
        name: 'guarded gather / 2x17',
        rule,
        sizes: [2, 17],
        operands: [
          { dtype: 'float32', length: 9 },
          { dtype: 'float32', layout: 'broadcast first' },
          { dtype: 'float32', access: 'write' },
        ],
        outputs: [taken],
      },
      terms.capabilities,
    ),
  );
  return cases;
}

export function mapPlans(): Plan[] {
  return [
    ...ALL_DTYPES.filter((dtype) => dtype !== 'bool').map((dtype) => casesPlan('map', `rounding / ${dtype}`, (terms) => roundingCases(dtype, terms))),
    casesPlan('map', 'shared sub-expressions', sharedCases),
    casesPlan('map', 'several outputs', outputCases),
    casesPlan('map', 'many axes', manyAxesCases),
    casesPlan('map', 'many operands', manyOperandsCases),
    casesPlan('map', 'one block', oneBlockCases),
    casesPlan('map', 'mixed', mixedCases),
  ];
}
