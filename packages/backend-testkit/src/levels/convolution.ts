/** Checks of level `optional`: convolutions and their two gradients. Operands hold small whole numbers, so every order of addition is exact. */

import { accumulator, apply, constant, load } from '@gradus/backend';
import type { ConvolutionKernel, DType, Expression, Window } from '@gradus/backend';
import { buildCase, outputsOf } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';

/** One geometry: x is [n, c, ...input], the filter [o, c / groups, ...window.size]. */
export interface Geometry {
  readonly name: string;
  readonly n: number;
  readonly c: number;
  readonly o: number;
  readonly input: readonly number[];
  readonly size: readonly number[];
  readonly stride?: readonly number[];
  readonly dilation?: readonly number[];
  readonly padding?: readonly number[];
  /** Padding behind the last element. Default that before the first. */
  readonly after?: readonly number[];
  readonly groups?: number;
}

/** The geometry's window, and the output sizes that follow. */
export function windowOf(g: Geometry): { readonly window: Window; readonly output: readonly number[] } {
  const ones = g.size.map(() => 1);
  const { size, stride = ones, dilation = ones, padding = size.map(() => 0), after = padding } = g;
  const output = size.map((extent, axis) => {
    const reach = (extent - 1) * (dilation[axis] ?? 1) + 1;
    return Math.floor(((g.input[axis] ?? 0) + (padding[axis] ?? 0) + (after[axis] ?? 0) - reach) / (stride[axis] ?? 1)) + 1;
  });
  return { window: { size, stride, dilation, padding }, output };
}

const GEOMETRIES: Readonly<Record<'1d' | '2d' | '3d', readonly Geometry[]>> = {
  '1d': [
    { name: 'plain', n: 2, c: 3, o: 4, input: [11], size: [3] },
    { name: 'stride 2, padding 1', n: 2, c: 3, o: 5, input: [12], size: [3], stride: [2], padding: [1] },
    { name: 'dilation 2, groups 2', n: 1, c: 4, o: 6, input: [13], size: [3], dilation: [2], padding: [2], groups: 2 },
  ],
  '2d': [
    { name: 'plain 3x3', n: 2, c: 3, o: 4, input: [7, 9], size: [3, 3] },
    { name: 'padding 1', n: 2, c: 5, o: 9, input: [8, 8], size: [3, 3], padding: [1, 1] },
    { name: 'pointwise', n: 2, c: 7, o: 5, input: [5, 6], size: [1, 1] },
    { name: 'stride 2', n: 1, c: 3, o: 8, input: [9, 10], size: [3, 3], stride: [2, 2], padding: [1, 1] },
    { name: 'stride 2x1, 5x2 window', n: 2, c: 2, o: 3, input: [11, 7], size: [5, 2], stride: [2, 1], padding: [2, 0] },
    { name: 'dilation 2', n: 1, c: 3, o: 4, input: [9, 9], size: [3, 3], dilation: [2, 2], padding: [2, 2] },
    { name: 'groups 2', n: 2, c: 4, o: 6, input: [6, 5], size: [3, 3], padding: [1, 1], groups: 2 },
    { name: 'depthwise', n: 2, c: 5, o: 5, input: [6, 7], size: [3, 3], padding: [1, 1], groups: 5 },
    { name: 'depthwise, two filters each, stride 2', n: 1, c: 3, o: 6, input: [7, 7], size: [3, 3], stride: [2, 2], groups: 3 },
    { name: 'padding before and behind differ', n: 1, c: 2, o: 3, input: [6, 6], size: [4, 4], padding: [1, 1], after: [2, 2] },
    { name: 'a row of padding only', n: 1, c: 1, o: 2, input: [4, 4], size: [2, 2], padding: [2, 2] },
    { name: 'stride beyond the window', n: 1, c: 2, o: 2, input: [10, 11], size: [2, 2], stride: [3, 4] },
    { name: 'window as large as the input', n: 3, c: 4, o: 17, input: [5, 5], size: [5, 5] },
    { name: 'more channels', n: 1, c: 9, o: 17, input: [5, 5], size: [3, 3], padding: [1, 1] },
  ],
  '3d': [
    { name: 'plain', n: 1, c: 2, o: 3, input: [4, 5, 6], size: [2, 3, 2] },
    { name: 'stride 2, padding 1, groups 2', n: 2, c: 2, o: 4, input: [5, 4, 5], size: [3, 3, 3], stride: [2, 1, 2], padding: [1, 1, 1], groups: 2 },
  ],
};

const PASSES = ['forward', 'inputGradient', 'filterGradient'] as const;
type Pass = ConvolutionKernel['pass'];

const RULE = 'a convolution is the cross-correlation of x and filter; its gradients are those of that sum';

/** Shapes of the operands of a pass and of its result. */
function shapesOf(g: Geometry, pass: Pass, output: readonly number[]): readonly [readonly number[], readonly number[], readonly number[]] {
  const x = [g.n, g.c, ...g.input];
  const filter = [g.o, g.c / (g.groups ?? 1), ...g.size];
  const y = [g.n, g.o, ...output];
  return pass === 'forward' ? [x, filter, y] : pass === 'inputGradient' ? [y, filter, x] : [x, y, filter];
}

interface Epilogue {
  readonly operands: readonly OperandSpec[];
  readonly outputs: readonly Expression[];
}

function convolutionCase(g: Geometry, pass: Pass, dtype: DType, accumulate: DType, terms: Terms, epilogue?: Epilogue): Case {
  const { window, output } = windowOf(g);
  const [first, second, result] = shapesOf(g, pass, output);
  const dense = (shape: readonly number[]): OperandSpec => ({ dtype, space: 'full', length: shape.reduce((a, b) => a * b, 1) });
  const { operands: more, outputs } = epilogue ?? {
    operands: [{ dtype: accumulate, access: 'write', layout: 'offset' } as const],
    outputs: [accumulator(accumulate)],
  };
  const operands = [dense(first), dense(second), ...more.map((o): OperandSpec => ({ space: 'kept', ...o }))];
  const spec = { name: g.name, rule: RULE, sizes: [g.n, g.c, g.o, ...g.input, ...output], operands };
  const values = outputsOf(operands, outputs);
  return buildCase(spec, { full: [], kept: result }, terms.capabilities, (placed) => ({
    kind: 'convolution',
    pass,
    window,
    groups: g.groups ?? 1,
    accumulate,
    operands: placed,
    scalars: [],
    outputs: values,
  }));
}

function epilogueCases(pass: Pass, terms: Terms): Case[] {
  const sum = accumulator('float32');
  const result: OperandSpec = { dtype: 'float32', access: 'write' };
  return GEOMETRIES['2d'].slice(0, 4).flatMap((g) => [
    convolutionCase({ ...g, name: `bias and relu, ${g.name}` }, pass, 'float32', 'float32', terms, {
      operands: [
        { dtype: 'float32', layout: { axes: [1] } },
        { ...result, layout: 'transposed' },
      ],
      outputs: [apply('max', apply('add', sum, load('float32', 2)), constant('float32', 0))],
    }),
    convolutionCase({ ...g, name: `added in place, ${g.name}` }, pass, 'float32', 'float32', terms, {
      operands: [
        { ...result, access: 'readWrite' },
        { dtype: 'bool', access: 'write' },
      ],
      outputs: [apply('add', sum, load('float32', 2)), apply('less', sum, constant('float32', 0))],
    }),
  ]);
}

const TYPES: readonly (readonly [DType, DType])[] = [
  ['float32', 'float32'],
  ['float64', 'float64'],
  ['float16', 'float32'],
  ['int8', 'int32'],
];

export function convolutionPlans(): Plan[] {
  const plans = PASSES.flatMap((pass) =>
    (['1d', '2d', '3d'] as const).flatMap((axes) =>
      TYPES.map(([dtype, accumulate]) =>
        casesPlan('optional', `convolution / ${pass} / ${axes} / ${dtype}`, (terms) =>
          stores(terms, dtype) && computes(terms, accumulate) ? GEOMETRIES[axes].map((g) => convolutionCase(g, pass, dtype, accumulate, terms)) : [],
        ),
      ),
    ),
  );
  return [...plans, ...PASSES.map((pass) => casesPlan('optional', `convolution / ${pass} / epilogue`, (terms) => epilogueCases(pass, terms)))];
}
