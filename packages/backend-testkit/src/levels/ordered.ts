/** Checks of level `optional`: running folds, stable sorts and places of extremes. */

import { ALL_DTYPES, DTYPES, isFloat, wideFloat } from '@gradus/backend';
import type { DType, FoldKind, ScanKernel } from '@gradus/backend';
import { accumulationBounds } from '../cases/build.ts';
import { denseCase } from '../cases/dense.ts';
import type { DenseSpec } from '../cases/dense.ts';
import type { Case } from '../cases/case.ts';
import { random, seedOf } from '../cases/random.ts';
import { edgeValues, fractions, randomValues, wholeValues } from '../cases/values.ts';
import { casesPlan, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { fastPathTolerance } from '../tolerances.ts';

/** Rows and columns. */
const SIZES: readonly (readonly [number, number])[] = [
  [1, 1],
  [3, 1],
  [1, 3],
  [5, 5],
  [3, 31],
  [5, 33],
  [33, 2],
  [2, 127],
  [1, 1025],
  [0, 5],
  [5, 0],
];

const FOLDS: readonly FoldKind[] = ['sum', 'prod', 'min', 'max'];

/** Which of the row's elements a result folds. */
type Direction = Pick<ScanKernel, 'exclusive' | 'reverse'>;

const DIRECTIONS: readonly Direction[] = [
  { exclusive: false, reverse: false },
  { exclusive: true, reverse: false },
  { exclusive: false, reverse: true },
  { exclusive: true, reverse: true },
];

function directionText({ exclusive, reverse }: Direction): string {
  return `${exclusive ? 'exclusive' : 'inclusive'}${reverse ? ' in reverse' : ''}`;
}

const SCAN_RULE = 'result[i] is the fold of x[0..i], exclusive of x[0..i), in reverse of what follows; it is rounded where it is stored';
const EDGE_RULE = 'NaN wins a minimum or maximum from its place on; -0 is below 0; integers wrap';

/** Factors of 1, 2 and 1/2 with signs: products of them are exact. */
function factors(count: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, (_, i) => (i % 3 === 0 ? -1 : 1) * 2 ** (i % 2 === 0 ? Math.floor(next() * 2) : -Math.floor(next() * 2)));
}

/** What makes a case of one fold over one dtype. */
type Scan = (spec: Omit<DenseSpec, 'work' | 'dtype' | 'rule'> & { readonly rule?: string }, direction: Direction) => Case;

function scanCases(fold: FoldKind, dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype)) return [];
  const scan: Scan = (spec, direction) => {
    const name = `${directionText(direction)} / ${spec.name}`;
    return denseCase({ rule: SCAN_RULE, ...spec, name, work: { kind: 'scan', fold, ...direction }, dtype }, terms.capabilities);
  };
  const exact = fold === 'prod' && isFloat(dtype) ? factors : (count: number, seed: number): number[] => wholeValues(dtype, count, seed);
  return DIRECTIONS.flatMap((direction) => [
    ...SIZES.map((sizes) => scan({ name: sizes.join('x'), sizes, values: { x: exact(sizes[0] * sizes[1], seedOf(sizes.join())) } }, direction)),
    ...edgeCases(fold, dtype, terms, (spec) => scan(spec, direction)),
    ...(fold === 'sum' && isFloat(dtype) ? accuracyCases(dtype, (spec) => scan(spec, direction)) : []),
  ]);
}

/** Special values for minima and maxima, wrapping sums and products of integers. */
function edgeCases(fold: FoldKind, dtype: DType, terms: Terms, scan: (spec: Parameters<Scan>[0]) => Case): Case[] {
  const float = isFloat(dtype);
  if (float && (fold === 'sum' || fold === 'prod')) {
    // What comes before is as if these were not there.
    const rows = [1, Infinity, 2, -Infinity, 0.5, 2, 1, NaN, 0.5, 1, 2, 0, -1, -Infinity, 1];
    return [scan({ name: 'infinities and NaN / 3x5', sizes: [3, 5], values: { x: rows } })];
  }
  const x = float ? edgeValues(dtype, terms.capabilities.denormals, true) : randomValues(dtype, 99, seedOf(fold));
  const cases = [scan({ name: `edge values / 3x${x.length}`, rule: EDGE_RULE, sizes: [3, x.length], values: { x: [...x, ...x.toReversed()] } })];
  if (!float) return cases;
  const rows = [-0, 0, -0, 0, -0, 0, 1, NaN, 7, NaN, -1, 2, 5, -Infinity, Infinity];
  return [...cases, scan({ name: 'zeros and NaN / 5x3', rule: EDGE_RULE, sizes: [5, 3], values: { x: rows } })];
}

/** Sums of many fractions, within the bound of sequential accumulation in float32 (float64 for float64). */
function accuracyCases(dtype: DType, scan: (spec: Parameters<Scan>[0]) => Case): Case[] {
  return (
    [
      [2, 1000],
      [1, 10_000],
    ] as const
  ).map((sizes) => {
    const x = fractions(dtype, sizes[0] * sizes[1], seedOf(sizes.join()), 5);
    const magnitudes = scan({ name: 'magnitudes', sizes, values: { x: x.map(Math.abs) } });
    const bounds = accumulationBounds(magnitudes, 1, wideFloat(dtype), sizes[1]);
    return scan({ name: `accuracy / ${sizes.join('x')}`, sizes, values: { x }, bounds, tolerance: { ulps: fastPathTolerance(dtype, 1).ulps } });
  });
}

const SORT_RULE = 'sorts are stable: equal elements, zeros and NaN among them, keep their order; NaN counts as the greatest';

/** Rows to be put in order or to be searched: ties, edge values, order and its reverse, one value all over. */
function rowsInOrder(dtype: DType, terms: Terms): { name: string; sizes: readonly [number, number]; x: readonly number[] }[] {
  const sized = SIZES.map((sizes) => ({
    name: `ties / ${sizes.join('x')}`,
    sizes,
    x: wholeValues(dtype, sizes[0] * sizes[1], seedOf(sizes.join()), 3),
  }));
  const edges = edgeValues(dtype, terms.capabilities.denormals, true);
  const last = edges.length - 1;
  const many = randomValues(dtype, 2 * 1500, 3);
  const rows = [
    {
      name: `edge values / 4x${edges.length}`,
      x: [edges, edges.toReversed(), edges.toSorted((a, b) => a - b), edges.map((_, i) => edges[i % 3] ?? 0)],
    },
    { name: `the extreme last / 2x${edges.length}`, x: [edges.map((_, i) => (i === last ? 1 : 0)), edges.map((_, i) => (i === last ? 0 : 1))] },
    { name: 'one value / 2x33', x: [Array.from({ length: 33 }, () => 1), Array.from({ length: 33 }, () => 0)] },
    { name: 'many / 2x1500', x: [many.slice(0, 1500), many.slice(1500)] },
  ];
  if (isFloat(dtype)) {
    const { epsilon } = DTYPES[dtype];
    const neighbours = [1, 1 + epsilon, 1 + 2 * epsilon, 1 + epsilon, 1];
    rows.push({ name: 'neighbours / 2x5', x: [neighbours, neighbours.map((value) => -value)] });
    rows.push({
      name: 'zeros / 2x5',
      x: [
        [-0, 0, -0, 0, -0],
        [0, -0, 0, -0, 0],
      ],
    });
    rows.push({
      name: 'NaN / 4x5',
      x: [
        [NaN, NaN, NaN, NaN, NaN],
        [1, NaN, Infinity, NaN, -Infinity],
        [NaN, 1, 2, 3, 4],
        [4, 3, 2, 1, NaN],
      ],
    });
    rows.push({
      name: 'infinities / 2x5',
      x: [
        [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
        [Infinity, 5, Infinity, -Infinity, 5],
      ],
    });
  }
  return [...sized, ...rows.map(({ name, x }) => ({ name, sizes: [x.length, x[0]?.length ?? 0] as const, x: x.flat() }))];
}

function sortCases(descending: boolean, dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype, 'int32')) return [];
  const work = { kind: 'sort', descending } as const;
  return rowsInOrder(dtype, terms).map(({ name, sizes, x }) =>
    denseCase({ name, rule: SORT_RULE, work, dtype, sizes, values: { x } }, terms.capabilities),
  );
}

const PLACE_RULE = 'the first NaN of a row wins, else the first of its largest (or smallest) elements; -0 and 0 are equal';

function argReduceCases(fold: 'min' | 'max', dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype, 'int32')) return [];
  const work = { kind: 'argReduce', fold } as const;
  return rowsInOrder(dtype, terms)
    .filter(({ sizes: [rows, columns] }) => rows === 0 || columns > 0)
    .map(({ name, sizes, x }) => denseCase({ name, rule: PLACE_RULE, work, dtype, sizes, values: { x } }, terms.capabilities));
}

export function orderedPlans(): Plan[] {
  const folded = ALL_DTYPES.filter((dtype) => dtype !== 'bool');
  const scans = FOLDS.flatMap((fold) =>
    folded.map((dtype) => casesPlan('optional', `scan / ${fold} / ${dtype}`, (terms) => scanCases(fold, dtype, terms))),
  );
  const sorts = [false, true].flatMap((descending) =>
    ALL_DTYPES.map((dtype) =>
      casesPlan('optional', `sort / ${descending ? 'descending' : 'ascending'} / ${dtype}`, (terms) => sortCases(descending, dtype, terms)),
    ),
  );
  const places = (['min', 'max'] as const).flatMap((fold) =>
    ALL_DTYPES.map((dtype) => casesPlan('optional', `argReduce / ${fold} / ${dtype}`, (terms) => argReduceCases(fold, dtype, terms))),
  );
  return [...scans, ...sorts, ...places];
}
