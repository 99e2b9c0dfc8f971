/** Checks of level `map`, part 3: where values come from. Constants, scalar arguments, axes, gathers, and `where`, for each dtype. */

import { ALL_DTYPES, DTYPES, apply, axisIndex, cast, constant, gather, isFloat, load, scalar, where } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { mapCase } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { seedOf } from '../cases/random.ts';
import { numberText } from '../cases/text.ts';
import { edgeValues, randomValues } from '../cases/values.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

/** Outputs of one kernel, so that it stays within the least maxBindings. */
const OUTPUTS = 3;

const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
const multiply = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
const int = (value: number): Expression => constant('int32', value);

function constantCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const values = edgeValues(dtype, terms.capabilities.denormals);
  const cases: Case[] = [];
  for (let i = 0; i < values.length; i += OUTPUTS) {
    const group = values.slice(i, i + OUTPUTS);
    const operands = group.map((): OperandSpec => ({ dtype, access: 'write', layout: 'offset' }));
    const outputs = group.map((value) => constant(dtype, value));
    cases.push(
      mapCase(
        { name: group.map(numberText).join(', '), rule: 'a constant has its value to the bit', sizes: [3], operands, outputs },
        terms.capabilities,
      ),
    );
  }
  return cases;
}

/** The same kernel again and again: a scalar's value must not become part of the code. */
function scalarCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const rule = "a scalar is a number converted to the scalar's dtype, and changes from run to run";
  const unrepresentable = isFloat(dtype) ? [0.1, 1 / 3, -2.7, 1e-3] : [];
  const alone = [...edgeValues(dtype, terms.capabilities.denormals), ...unrepresentable].map((value) =>
    mapCase(
      {
        name: `alone / ${numberText(value)}`,
        rule,
        sizes: [5],
        operands: [{ dtype, access: 'write' }],
        scalars: [[dtype, value]],
        outputs: [scalar(dtype, 0)],
      },
      terms.capabilities,
    ),
  );
  const combine = dtype === 'bool' ? 'xor' : 'subtract';
  const values = randomValues(dtype, 33, seedOf(dtype));
  const pairs = [0, 1, 2, 3].map((i) => {
    const [first = 0, second = 1] = randomValues(dtype, 2, i);
    const outputs = [apply(combine, scalar(dtype, 0), load(dtype, 0)), apply(combine, load(dtype, 0), scalar(dtype, 1))];
    const operands: OperandSpec[] = [
      { dtype, values },
      { dtype, access: 'write' },
      { dtype, access: 'write' },
    ];
    const scalars = [[dtype, first] as const, [dtype, second] as const];
    return mapCase({ name: `two / ${numberText(first)}, ${numberText(second)}`, rule, sizes: [33], operands, scalars, outputs }, terms.capabilities);
  });
  return [...alone, ...pairs];
}

/** Scalars of different dtypes in one kernel: where a backend packs them, each has its own place. */
function mixedScalarCases(terms: Terms): Case[] {
  const scalars = [
    ['bool', 1],
    ['float32', 0.7],
    ['int32', -(2 ** 31)],
    ['uint32', 2 ** 32 - 1],
    ['float32', -0.25],
  ] as const;
  const operands: OperandSpec[] = [
    { dtype: 'float32', access: 'write' },
    { dtype: 'int32', access: 'write' },
    { dtype: 'uint32', access: 'write' },
  ];
  const outputs = [where(scalar('bool', 0), scalar('float32', 1), scalar('float32', 4)), scalar('int32', 2), scalar('uint32', 3)];
  const rule = "scalars are passed after the blocks, in the order of the kernel's scalars";
  return [
    mapCase({ name: 'true', rule, sizes: [5], operands, scalars, outputs }, terms.capabilities),
    mapCase({ name: 'false', rule, sizes: [5], operands, scalars: [['bool', 0], ...scalars.slice(1)], outputs }, terms.capabilities),
  ];
}

function axisCases(terms: Terms): Case[] {
  const rule = 'axis(i) is the int32 coordinate of the point along axis i';
  return [[5], [3, 5], [33, 2], [2, 3, 4], [3, 1, 2, 5]].flatMap((sizes) => {
    const name = sizes.join('x');
    const axes = sizes.map((_, axis) => axisIndex(axis));
    const position = axes.reduce((sum: Expression, axis) => add(multiply(sum, int(10)), axis), int(0));
    const last: Expression = axes.at(-1) ?? int(0);
    const operands: OperandSpec[] = [
      { dtype: 'int32', access: 'write' },
      { dtype: 'float32', access: 'write', layout: 'transposed' },
      { dtype: 'uint8', access: 'write', layout: 'reversed' },
    ];
    const outputs = [position, cast(last, 'float32'), cast(apply('remainder', axes[0] ?? last, int(3)), 'uint8')];
    if (!stores(terms, 'uint8'))
      return [mapCase({ name, rule, sizes, operands: operands.slice(0, 2), outputs: outputs.slice(0, 2) }, terms.capabilities)];
    return [mapCase({ name, rule, sizes, operands, outputs }, terms.capabilities)];
  });
}

const POSITIONS = [0, 3, 1, -1, 6, 7, 8, 100, -2, -100, 2 ** 31 - 1, -(2 ** 31), 5, 6, 2, 0];

/** Gathers from 7 elements, at positions inside and outside. */
function gatherCases(dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype)) return [];
  const rule = 'a gather gives its fill where the position is outside [0, length)';
  const fill = dtype === 'bool' ? 1 : dtype === 'uint8' ? 200 : isFloat(dtype) ? -0.5 : DTYPES[dtype].min < 0 ? -7 : 9;
  const from: OperandSpec = { dtype, length: 7, values: dtype === 'bool' ? [0, 0, 1, 0, 0, 1, 0] : [11, 12, 13, 14, 15, 16, 17] };
  const positions: OperandSpec = { dtype: 'int32', values: POSITIONS };
  const out: OperandSpec = { dtype, access: 'write', layout: 'offset' };
  const gathered = (position: Expression, withFill = fill): Expression => gather(dtype, 0, position, withFill);
  const cases = [
    mapCase(
      { name: 'by an operand / 16', rule, sizes: [16], operands: [from, positions, out], outputs: [gathered(load('int32', 1))] },
      terms.capabilities,
    ),
    mapCase(
      { name: 'default fill / 16', rule, sizes: [16], operands: [from, positions, out], outputs: [gather(dtype, 0, load('int32', 1))] },
      terms.capabilities,
    ),
    mapCase(
      {
        name: 'by axes / 4x5',
        rule,
        sizes: [4, 5],
        operands: [from, out],
        outputs: [gathered(apply('subtract', multiply(axisIndex(0), axisIndex(1)), int(2)))],
      },
      terms.capabilities,
    ),
    mapCase(
      { name: 'from nothing / 3', rule, sizes: [3], operands: [{ ...from, length: 0 }, out], outputs: [gathered(axisIndex(0))] },
      terms.capabilities,
    ),
    mapCase({ name: 'at a constant / 3', rule, sizes: [3], operands: [from, out], outputs: [gathered(int(6))] }, terms.capabilities),
    mapCase(
      { name: 'at a scalar / 3', rule, sizes: [3], operands: [from, out], scalars: [['int32', 7]], outputs: [gathered(scalar('int32', 0))] },
      terms.capabilities,
    ),
    mapCase({ name: 'within / 2x7', rule, sizes: [2, 7], operands: [from, out], outputs: [gathered(axisIndex(1))] }, terms.capabilities),
  ];
  // Positions from a gather, and two gathers of one operand with different fills.
  const table: OperandSpec = { dtype: 'int32', length: 5, values: [6, -1, 0, 7, 3] };
  const nested = gathered(gather('int32', 1, axisIndex(0), 2));
  cases.push(
    mapCase(
      {
        name: 'by a gather / 7',
        rule,
        sizes: [7],
        operands: [from, table, out, { ...out }],
        outputs: [nested, gather(dtype, 0, gather('int32', 1, axisIndex(0), -1), 0)],
      },
      terms.capabilities,
    ),
  );
  return cases;
}

function whereCases(dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const rule = 'where gives then where the condition is true, else otherwise';
  const values = [...edgeValues(dtype, terms.capabilities.denormals), ...randomValues(dtype, 60, 1)];
  const condition: OperandSpec = { dtype: 'bool', values: randomValues('bool', 165, 2) };
  return (['contiguous', 'transposed', 'broadcast first'] as const).map((layout) => {
    const operands: OperandSpec[] = [
      { ...condition, layout },
      { dtype, values },
      { dtype, values: values.toReversed() },
      { dtype, access: 'write' },
    ];
    return mapCase(
      { name: `${layout} / 5x33`, rule, sizes: [5, 33], operands, outputs: [where(load('bool', 0), load(dtype, 1), load(dtype, 2))] },
      terms.capabilities,
    );
  });
}

export function sourcePlans(): Plan[] {
  const each = (title: string, build: (dtype: DType, terms: Terms) => Case[]): Plan[] =>
    ALL_DTYPES.map((dtype) => casesPlan('map', `${title} / ${dtype}`, (terms) => build(dtype, terms)));
  return [
    ...each('constant', constantCases),
    ...each('scalar', scalarCases),
    casesPlan('map', 'scalars of several dtypes', mixedScalarCases),
    casesPlan('map', 'axis', axisCases),
    ...each('gather', gatherCases),
    ...each('where', whereCases),
  ];
}
