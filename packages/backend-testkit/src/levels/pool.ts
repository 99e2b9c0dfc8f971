/** Checks of level `optional`: pooling, forward and backward. */

import { accumulator, apply, constant, load } from '@gradus/backend';
import type { DType, PoolKernel } from '@gradus/backend';
import { buildCase, outputsOf } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { wholeValues } from '../cases/values.ts';
import { casesPlan, computes } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { windowOf } from './convolution.ts';
import type { Geometry } from './convolution.ts';

/** `c` channels; `o` plays no part in pooling. */
const GEOMETRIES: readonly Geometry[] = [
  { name: '1d, 2 by 2', n: 2, c: 3, o: 0, input: [11], size: [2], stride: [2] },
  { name: '2d, 2x2 by 2', n: 2, c: 3, o: 0, input: [8, 9], size: [2, 2], stride: [2, 2] },
  { name: '2d, 3x3 by 2, padding 1', n: 2, c: 2, o: 0, input: [9, 8], size: [3, 3], stride: [2, 2], padding: [1, 1] },
  { name: '2d, overlapping 3x2 by 1', n: 1, c: 4, o: 0, input: [7, 6], size: [3, 2], stride: [1, 1] },
  { name: '2d, dilation 2', n: 1, c: 2, o: 0, input: [9, 9], size: [3, 3], stride: [1, 2], dilation: [2, 2] },
  { name: '2d, past the end', n: 1, c: 2, o: 0, input: [7, 7], size: [2, 2], stride: [2, 2], after: [1, 1] },
  { name: '2d, all of it', n: 2, c: 5, o: 0, input: [5, 7], size: [5, 7] },
  { name: '3d, 2x2x2 by 2', n: 1, c: 2, o: 0, input: [4, 5, 6], size: [2, 2, 2], stride: [2, 2, 2] },
];

const RULES: { readonly [M in PoolKernel['mode']]: string } = {
  max: 'the first NaN of a window wins its maximum, else the first largest element; cells outside the input never win',
  average: 'the sum of the window times 1 / divisor: its size, or with countPadding false the number of its cells inside',
};

interface Pooling {
  readonly mode: PoolKernel['mode'];
  readonly pass: PoolKernel['pass'];
  readonly countPadding?: boolean;
  readonly special?: number;
  readonly epilogue?: boolean;
  readonly types: Types;
}

/** A maximum of `x` selects values of `y`, which is the result's dtype; an average has one dtype. */
interface Types {
  readonly x: DType;
  readonly y: DType;
}

function poolCase(g: Geometry, { mode, pass, countPadding = false, special, epilogue = false, types }: Pooling, terms: Terms): Case {
  const { window, output } = windowOf(g);
  const x = [g.n, g.c, ...g.input];
  const y = [g.n, g.c, ...output];
  const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  // A few different numbers make ties frequent; one special value among them.
  const plain = wholeValues(types.x, count(x), 21, 3);
  const values = special === undefined ? plain : plain.map((value, i) => (i % 7 === 3 ? special : value));
  const dense = (dtype: DType, shape: readonly number[]): OperandSpec => ({ dtype, space: 'full', length: count(shape) });
  const other = dense(types.y, pass === 'forward' ? x : y);
  const inputs = mode === 'max' ? [{ ...dense(types.x, x), values }, other] : [other];
  const result: OperandSpec = epilogue
    ? { dtype: types.y, access: 'readWrite', layout: 'transposed' }
    : { dtype: types.y, access: 'write', layout: 'offset' };
  const operands: OperandSpec[] = [...inputs, { ...result, space: 'kept' }];
  const sum = accumulator(types.y);
  const added = apply('add', load(types.y, inputs.length), apply('multiply', sum, constant(types.y, 2)));
  const outputs = outputsOf(operands, [epilogue ? added : sum]);
  const name = `${g.name}${countPadding ? ', countPadding' : ''}${special === undefined ? '' : `, some ${special}`}${epilogue ? ', epilogue' : ''}`;
  const spec = {
    name,
    rule: RULES[mode],
    sizes: [g.n, g.c, ...g.input, ...output],
    operands,
    tolerance: { ulps: mode === 'average' ? AVERAGE_ULPS : 0, absolute: mode === 'average' ? AVERAGE_ABSOLUTE : 0 },
  };
  return buildCase(spec, { full: [], kept: pass === 'forward' ? y : x }, terms.capabilities, (placed) => ({
    kind: 'pool',
    mode,
    pass,
    window,
    countPadding,
    operands: placed,
    scalars: [],
    outputs,
  }));
}

/** An average rounds its divisor's reciprocal, the product and, backward, the sum of a few. */
const AVERAGE_ULPS = 4;
const AVERAGE_ABSOLUTE = 2 ** -20;

function poolCases(pooling: Pooling, terms: Terms): Case[] {
  if (!computes(terms, pooling.types.x, pooling.types.y)) return [];
  const cases = GEOMETRIES.map((g) => poolCase(g, pooling, terms));
  if (pooling.mode === 'average') cases.push(...GEOMETRIES.map((g) => poolCase(g, { ...pooling, countPadding: true }, terms)));
  else for (const special of [NaN, -Infinity]) cases.push(...GEOMETRIES.slice(1, 4).map((g) => poolCase(g, { ...pooling, special }, terms)));
  return [...cases, ...GEOMETRIES.slice(1, 3).map((g) => poolCase(g, { ...pooling, epilogue: true }, terms))];
}

const TYPES: { readonly [M in PoolKernel['mode']]: readonly Types[] } = {
  max: [
    { x: 'float32', y: 'float32' },
    { x: 'float64', y: 'float64' },
    { x: 'float32', y: 'int32' },
  ],
  average: [
    { x: 'float32', y: 'float32' },
    { x: 'float64', y: 'float64' },
  ],
};

export function poolPlans(): Plan[] {
  return (['max', 'average'] as const).flatMap((mode) =>
    (['forward', 'backward'] as const).flatMap((pass) =>
      TYPES[mode].map((types) => {
        const title = `pool / ${mode} / ${pass} / ${types.x}${types.x === types.y ? '' : ` selecting ${types.y}`}`;
        return casesPlan('optional', title, (terms) => poolCases({ mode, pass, types }, terms));
      }),
    ),
  );
}
