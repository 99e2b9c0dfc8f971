/** Checks of level `optional`: attention, forward and backward. */

import { ALL_DTYPES, isFloat } from '@gradus/backend';
import type { AttentionKernel, DType } from '@gradus/backend';
import { denseCase, resultOf } from '../cases/dense.ts';
import type { Case } from '../cases/case.ts';
import { random, seedOf } from '../cases/random.ts';
import { fractions } from '../cases/values.ts';
import { casesPlan, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { fastPathTolerance } from '../tolerances.ts';

type Pass = AttentionKernel['pass'];

/** One geometry. `heads` and `keyHeads` are 1 and T and S equal where nothing is said. */
interface Geometry {
  readonly b?: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  readonly T: number;
  readonly S?: number;
  readonly headDim: number;
}

const PLAIN: readonly Geometry[] = [
  { T: 1, headDim: 1 },
  { T: 3, S: 5, headDim: 1 },
  { b: 2, heads: 3, keyHeads: 3, T: 5, S: 3, headDim: 5 },
  { b: 2, heads: 2, keyHeads: 2, T: 31, S: 33, headDim: 8 },
  { T: 33, S: 127, headDim: 64 },
  { b: 1, heads: 2, keyHeads: 2, T: 127, S: 31, headDim: 5 },
  { b: 2, heads: 2, keyHeads: 2, T: 3, S: 0, headDim: 5 },
  { b: 2, heads: 2, keyHeads: 1, T: 0, S: 3, headDim: 5 },
  { b: 0, T: 3, headDim: 8 },
  { heads: 0, keyHeads: 0, T: 3, headDim: 8 },
];
const GROUPED: readonly Geometry[] = [
  { b: 2, heads: 4, keyHeads: 2, T: 5, S: 7, headDim: 5 },
  { b: 2, heads: 6, keyHeads: 2, T: 3, S: 4, headDim: 8 },
  { heads: 5, keyHeads: 1, T: 7, S: 3, headDim: 1 },
];
/** T below, above and equal to S. */
const MASKED: readonly Geometry[] = [
  { b: 2, heads: 2, keyHeads: 2, T: 5, S: 5, headDim: 5 },
  { b: 2, heads: 4, keyHeads: 2, T: 5, S: 9, headDim: 8 },
  { heads: 3, keyHeads: 1, T: 9, S: 5, headDim: 5 },
  { T: 33, S: 65, headDim: 8 },
  { T: 65, S: 33, headDim: 8 },
];

/** What is allowed, and where it is tried. */
interface Variant {
  readonly title: string;
  readonly causal: boolean;
  readonly mask: AttentionKernel['mask'];
  readonly geometries: readonly Geometry[];
  readonly rule: string;
}

const VARIANTS: readonly Variant[] = [
  {
    title: 'all keys',
    causal: false,
    mask: 'none',
    geometries: PLAIN,
    rule: 'y is the sum of values weighted by the softmax of scale · q · k, lse the log-sum-exp of those scores',
  },
  { title: 'grouped heads', causal: false, mask: 'none', geometries: GROUPED, rule: 'head h uses key head floor(h / (heads / keyHeads))' },
  { title: 'causal', causal: true, mask: 'none', geometries: MASKED, rule: 'causal allows key s for query t when s <= t' },
  {
    title: 'bool mask',
    causal: false,
    mask: 'bool',
    geometries: MASKED,
    rule: 'key s is allowed where the mask is true; a row with nothing allowed gives 0, an lse of -Infinity and no gradient',
  },
  { title: 'causal with a bool mask', causal: true, mask: 'bool', geometries: MASKED, rule: 'causality and the mask must both allow' },
  {
    title: 'additive mask',
    causal: false,
    mask: 'additive',
    geometries: MASKED,
    rule: 'an additive mask is added to the scaled scores; a row of -Infinity gives 0, an lse of -Infinity and no gradient',
  },
];

/** Errors of scores of about 1 go into the exponent; sums over keys or queries, and a few operations more. */
const UNITS = 64;

/** Every fifth row allows nothing, another everything; elsewhere some. */
function maskOf(mask: AttentionKernel['mask'], rows: number, S: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: rows * S }, (_, i) => {
    const row = Math.floor(i / Math.max(1, S)) % 5;
    const allowed = row === 1 ? false : row === 3 || next() < 0.6;
    if (mask === 'bool') return Number(allowed);
    return allowed ? 2 * next() - 1 : -Infinity;
  });
}

function attentionCase(variant: Variant, pass: Pass, dtype: DType, geometry: Geometry, terms: Terms): Case {
  const { causal, mask, rule } = variant;
  const { b = 1, heads = 1, keyHeads = 1, T, S = T, headDim } = geometry;
  const name = `${b}x${heads}${heads === keyHeads ? '' : `:${keyHeads}`}x${T}x${S}x${headDim}`;
  const [queries, keys] = [b * heads * T * headDim, b * keyHeads * S * headDim];
  const seed = seedOf(name);
  const values = {
    q: fractions(dtype, queries, seed, 2),
    k: fractions(dtype, keys, seed + 1, 2),
    v: fractions(dtype, keys, seed + 2),
    gradient: fractions(dtype, queries, seed + 3),
    ...(mask === 'none' ? {} : { mask: maskOf(mask, b * T, S, seed + 4) }),
  };
  const spec = { name, rule, dtype, sizes: [b, heads, keyHeads, T, S], values, tolerance: fastPathTolerance(dtype, UNITS) };
  const work = { kind: 'attention', headDim, causal, mask } as const;
  const scalars = [headDim === 8 ? 0.25 : 1 / Math.sqrt(headDim)];
  const forward = denseCase({ ...spec, scalars, work: { ...work, pass: 'forward' } }, terms.capabilities);
  if (pass === 'forward') return forward;
  const found = { y: resultOf(forward, 'y'), lse: resultOf(forward, 'lse') };
  return denseCase({ ...spec, scalars, work: { ...work, pass: 'backward' }, values: { ...values, ...found } }, terms.capabilities);
}

/** Scores far from 0, where only those who subtract the largest stay finite; and a NaN, which is its row's alone. */
function specialCases(dtype: DType, terms: Terms): Case[] {
  if (!stores(terms, dtype)) return [];
  const work = { kind: 'attention', pass: 'forward', headDim: 1, causal: false, mask: 'none' } as const;
  const spec = { work, dtype, sizes: [1, 1, 1, 3, 4], scalars: [1], tolerance: fastPathTolerance(dtype, UNITS) };
  const v = [1, 0.5, -0.5, -1];
  const large = { q: [100, -100, 0], k: [8, 4, 8, -8], v };
  const nan = { q: [1, NaN, -1], k: [0.5, 1, -0.5, -1], v };
  const infinite = { q: [1, -1, 0.5], k: [0.5, -Infinity, 1, -1], v };
  const rule = 'a row is the softmax of its scores: shifted, so that nothing overflows; a score of NaN or Infinity makes it NaN';
  return [
    denseCase({ ...spec, name: 'large scores', rule, values: large }, terms.capabilities),
    denseCase({ ...spec, name: 'a NaN', rule, values: nan }, terms.capabilities),
    denseCase({ ...spec, name: 'an infinite key', rule, values: infinite }, terms.capabilities),
  ];
}

export function attentionPlans(): Plan[] {
  return ALL_DTYPES.filter(isFloat).flatMap((dtype) => [
    ...(['forward', 'backward'] as const).flatMap((pass) =>
      VARIANTS.map((variant) =>
        casesPlan('optional', `attention / ${pass} / ${variant.title} / ${dtype}`, (terms) =>
          stores(terms, dtype) ? variant.geometries.map((geometry) => attentionCase(variant, pass, dtype, geometry, terms)) : [],
        ),
      ),
    ),
    casesPlan('optional', `attention / forward / special values / ${dtype}`, (terms) => specialCases(dtype, terms)),
  ]);
}
