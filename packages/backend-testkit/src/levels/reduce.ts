/** Checks of level `reduce`, part 1: each fold on each dtype, over the layouts, over nothing and over very much. */

import { ALL_DTYPES, DTYPES, accumulator, apply, isFloat, load } from '@gradus/backend';
import type { DType, FoldKind } from '@gradus/backend';
import { accumulationBounds, reduceCase } from '../cases/build.ts';
import type { OperandSpec, ReduceSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import { READABLE, WRITABLE } from '../cases/layouts.ts';
import type { LayoutName } from '../cases/layouts.ts';
import { random, seedOf } from '../cases/random.ts';
import { edgeValues, randomValues, wholeValues } from '../cases/values.ts';
import { hold } from '../oracle/number.ts';
import { accumulates, casesPlan } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { accumulationError } from '../tolerances.ts';
import { epiloguePlans } from './epilogue.ts';

const FOLDS: readonly FoldKind[] = ['sum', 'prod', 'min', 'max'];

/** Sizes, and how many of the last axes are folded. */
const SHAPES: readonly (readonly [readonly number[], number])[] = [
  [[1], 1],
  [[3], 1],
  [[33], 1],
  [[127], 1],
  [[5, 31], 1],
  [[31, 5], 1],
  [[5, 31], 2],
  [[3, 4, 7], 1],
  [[3, 4, 7], 2],
  [[2, 3, 2, 3], 3],
];
/** More kept points than a backend is likely to keep accumulators for. */
const LAYOUT_SHAPES: typeof SHAPES = [
  [[3, 4, 7], 3],
  [[1033, 3], 1],
];
/** A product of more numbers than this overflows or loses its digits. */
const LONGEST_PRODUCT = 33;

const RULES: { readonly [F in FoldKind]: string } = {
  sum: 'sums are at least as accurate as sequential accumulation in blocks of 4096; integers wrap',
  prod: 'products are at least as accurate as sequential accumulation in blocks of 4096; integers wrap',
  min: 'a fold by min gives NaN when any value is NaN, and -0 before 0',
  max: 'a fold by max gives NaN when any value is NaN, and 0 before -0',
};
const EMPTY = "an empty fold gives its identity: 0, 1, the dtype's largest value (Inf for floats) and its smallest (-Inf)";

function shapeText(sizes: readonly number[], folded: number): string {
  return `${sizes.join('x') || 'rank 0'} folded ${folded}`;
}

/** One fold of one operand, straight into one output. */
function plainFold(
  fold: FoldKind,
  dtype: DType,
  sizes: readonly number[],
  folded: number,
  input: Omit<OperandSpec, 'dtype'>,
  about: { name: string; rule: string },
  output: LayoutName = 'offset',
): ReduceSpec {
  return {
    ...about,
    sizes,
    folded,
    folds: [{ fold, value: load(dtype, 0) }],
    operands: [
      { dtype, ...input },
      { dtype, access: 'write', layout: output },
    ],
    outputs: [accumulator(dtype)],
  };
}

/** Float sums and products get bounds from the sum or product of magnitudes; all else is exact. */
function bounded(spec: ReduceSpec, fold: FoldKind, dtype: DType, terms: Terms): Case {
  if (!isFloat(dtype) || fold === 'min' || fold === 'max') return reduceCase(spec, terms.capabilities);
  const count = spec.sizes.slice(spec.sizes.length - spec.folded).reduce((a, b) => a * b, 1);
  const magnitudes = reduceCase({ ...spec, folds: [{ fold, value: apply('abs', load(dtype, 0)) }] }, terms.capabilities);
  return reduceCase({ ...spec, bounds: accumulationBounds(magnitudes, 1, dtype, count) }, terms.capabilities);
}

/** Values whose fold stays within the dtype: factors near 1 for float products. */
function foldValues(fold: FoldKind, dtype: DType, count: number, seed: number): number[] {
  if (fold !== 'prod' || !isFloat(dtype)) return randomValues(dtype, count, seed);
  const next = random(seed);
  return Array.from({ length: count }, () => hold(dtype, (0.8 + next() * 0.45) * (next() < 0.5 ? -1 : 1)));
}

function foldCases(fold: FoldKind, dtype: DType, terms: Terms): Case[] {
  if (!accumulates(terms, dtype)) return [];
  const rule = RULES[fold];
  const cases: Case[] = [];
  for (const [sizes, folded] of SHAPES) {
    const count = sizes.slice(sizes.length - folded).reduce((a, b) => a * b, 1);
    if (fold === 'prod' && isFloat(dtype) && count > LONGEST_PRODUCT) continue;
    const values = foldValues(fold, dtype, 200, seedOf(fold) + count);
    cases.push(
      bounded(plainFold(fold, dtype, sizes, folded, { values }, { name: `random values / ${shapeText(sizes, folded)}`, rule }), fold, dtype, terms),
    );
  }
  for (const [sizes, folded] of [
    [[0], 1],
    [[3, 0], 1],
    [[2, 3, 0, 2], 2],
    [[0, 3], 1],
    [[0, 0], 1],
  ] as const)
    cases.push(
      reduceCase(plainFold(fold, dtype, sizes, folded, {}, { name: `nothing / ${shapeText(sizes, folded)}`, rule: EMPTY }), terms.capabilities),
    );
  for (const sizes of [[], [5], [3, 4]]) {
    const values = wholeValues(dtype, 12, 3);
    cases.push(
      reduceCase(
        plainFold(
          fold,
          dtype,
          sizes,
          0,
          { values },
          { name: `one value each / ${shapeText(sizes, 0)}`, rule: 'a fold over no axes folds one value' },
        ),
        terms.capabilities,
      ),
    );
  }
  // All pairs of edge values: one rounding, so exact on every backend; sums and products of more would depend on the order.
  const edges = edgeValues(dtype, terms.capabilities.denormals, true).filter((x) => fold === 'min' || fold === 'max' || !isFloat(dtype) || x !== 0);
  const pairs = edges.flatMap((a) => edges.flatMap((b) => [a, b]));
  const all = plainFold(fold, dtype, [pairs.length / 2, 2], 1, { values: pairs }, { name: `edge values / ${pairs.length / 2} pairs`, rule });
  cases.push(reduceCase(all, terms.capabilities));
  if (isFloat(dtype)) cases.push(...specialCases(fold, dtype, terms));
  return cases;
}

/** Rows of 37 with one NaN, or Inf, at each place in turn. */
function specialCases(fold: FoldKind, dtype: DType, terms: Terms): Case[] {
  const columns = 37;
  return [NaN, Infinity, -Infinity].map((special) => {
    const values = Array.from({ length: columns * columns }, (_, i) => (i % (columns + 1) === 0 ? special : 1));
    return reduceCase(
      plainFold(fold, dtype, [columns, columns], 1, { values }, { name: `one ${special} / 37x37 folded 1`, rule: RULES[fold] }),
      terms.capabilities,
    );
  });
}

/** Whole numbers, which add up exactly in every order. */
function layoutCases(layout: LayoutName, terms: Terms): Case[] {
  const dtypes = (['int32', 'float32', 'int8', 'uint8', 'float16'] as const).filter((dtype) => accumulates(terms, dtype));
  const rule = 'a reduce folds the last axes for each point of the first; operands are seen through their strides';
  return dtypes.flatMap((dtype) =>
    [...SHAPES, ...LAYOUT_SHAPES].flatMap(([sizes, folded]) => {
      const name = `${dtype} / ${shapeText(sizes, folded)}`;
      const output = WRITABLE.includes(layout) ? layout : 'contiguous';
      const values = wholeValues(dtype, 200, 5);
      return (['sum', 'max'] as const).map((fold) =>
        reduceCase(plainFold(fold, dtype, sizes, folded, { layout, values }, { name: `${fold} / ${name}`, rule }, output), terms.capabilities),
      );
    }),
  );
}

/** More elements than a block with one result has, guard elements and alignment included. */
const RESULT_ELEMENTS = 1024;

/** A million tenths: one after the other in float32 they make 100958. */
function millionTenths(terms: Terms): Case {
  const count = 1e6;
  const tenth = Math.fround(0.1);
  const bounds = new Map([[1, new Float64Array(RESULT_ELEMENTS).fill(count * tenth * accumulationError('float32', count))]]);
  const spec = plainFold('sum', 'float32', [count], 1, { values: [tenth] }, { name: 'a million tenths', rule: RULES.sum });
  return reduceCase({ ...spec, bounds }, terms.capabilities);
}

function longCases(terms: Terms): Case[] {
  const largest = Array.from({ length: 30011 }, (_, i) => (i === 30010 ? 2 : (i % 1000) / 1000));
  const several = plainFold(
    'sum',
    'float32',
    [2, 50021],
    1,
    { values: randomValues('float32', 2 * 50021, 11) },
    { name: 'random values / 2x50021', rule: RULES.sum },
  );
  const maximum = plainFold('max', 'float32', [30011], 1, { values: largest }, { name: 'the last is the largest / 30011', rule: RULES.max });
  const wrapping = plainFold('sum', 'int32', [100003], 1, { values: [DTYPES.int32.max, 12345, -7] }, { name: 'wrapping / 100003', rule: RULES.sum });
  return [
    millionTenths(terms),
    bounded(several, 'sum', 'float32', terms),
    reduceCase(maximum, terms.capabilities),
    reduceCase(wrapping, terms.capabilities),
  ];
}

/** The same long sum twice. */
async function repeatable(bench: Parameters<Plan['run']>[0]): Promise<void> {
  if (!bench.terms.capabilities.deterministic) return;
  const c = reduceCase(
    plainFold('sum', 'float32', [3, 20011], 1, { values: randomValues('float32', 3 * 20011, 13) }, { name: 'twice', rule: RULES.sum }),
    bench.terms.capabilities,
  );
  const input = bench.block(c.before[0] ?? new Uint8Array());
  const output = bench.block(c.before[1] ?? new Uint8Array());
  const runs: string[] = [];
  for (let i = 0; i < 3; i++) {
    bench.launch(c.kernel, [input, output], [...c.dims]);
    runs.push((await bench.backend.read(output, 0, output.byteLength)).join());
  }
  bench.equal(new Set(runs).size, 1, 'different results of three equal runs', 'with deterministic, equal inputs give equal bits, run after run');
}

export function reducePlans(): Plan[] {
  const numbers = ALL_DTYPES.filter((dtype) => dtype !== 'bool');
  return [
    ...FOLDS.flatMap((fold) => numbers.map((dtype) => casesPlan('reduce', `${fold} / ${dtype}`, (terms) => foldCases(fold, dtype, terms)))),
    ...[...WRITABLE, ...READABLE].map((layout) => casesPlan('reduce', `layout / ${layout}`, (terms) => layoutCases(layout, terms))),
    ...epiloguePlans(),
    casesPlan('reduce', 'long', longCases),
    { level: 'reduce', title: 'repeatable', run: repeatable },
  ];
}
