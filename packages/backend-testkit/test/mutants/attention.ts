/** Mutants of attention: a plain version of both passes, with one mistake at a time. */

import type { AttentionKernel } from '@gradus/backend';
import type { Mutant } from './mutant.ts';
import { mistaking } from './perturbing.ts';
import type { Launched } from './perturbing.ts';

type Numbers = readonly number[];

/** The pair of a query and a key, and the sizes. */
interface Pair {
  readonly b: number;
  readonly h: number;
  readonly t: number;
  readonly s: number;
  readonly T: number;
  readonly S: number;
  readonly heads: number;
  readonly keyHeads: number;
}

/** What is done in another way; nothing: the right results. */
interface Mistakes {
  /** Where causality allows a key; `allowed` also sees what the mask says. */
  readonly causal?: (pair: Pair) => boolean;
  readonly both?: (causal: boolean, mask: boolean) => boolean;
  readonly keyHead?: (pair: Pair) => number;
  readonly maskAt?: (pair: Pair) => number;
  readonly score?: (product: number, scale: number, added: number, headDim: number) => number;
  /** What a score is where a key is not allowed. */
  readonly forbidden?: number;
  /** What is subtracted from the scores of a row. */
  readonly shift?: (scores: Numbers) => number;
  /** The same for one key, where it is not the same for all. */
  readonly shiftOf?: (scores: Numbers, s: number) => number;
  readonly sum?: (powers: Numbers) => number;
  readonly lse?: (shift: number, sum: number) => number;
  readonly keys?: (S: number) => number;
  readonly dimensions?: (headDim: number) => number;
  /** What is subtracted in the gradient of scores. */
  readonly along?: (along: number, p: Numbers, slopes: Numbers) => number;
  readonly p?: (score: number, lse: number) => number;
  readonly scales?: { readonly q: (scale: number) => number; readonly k: (scale: number) => number };
  /** Does this head add to the gradients of its key head? */
  readonly adds?: (pair: Pair) => boolean;
  /** What every operation is rounded by; not at all by default. */
  readonly round?: (x: number) => number;
}

type Round = (x: number) => number;

const exactly: Round = (x) => x;

function dot(a: Numbers, b: Numbers, round: Round, length = a.length): number {
  return a.slice(0, length).reduce((total, x, d) => round(total + round(x * (b[d] ?? NaN))), 0);
}

const rightKeyHead = ({ h, heads, keyHeads }: Pair): number => Math.floor((h * keyHeads) / heads);
const rightMask = ({ b, t, s, T, S }: Pair): number => (b * T + t) * S + s;

/** Reads vectors and scores of a launch. */
class Plain {
  readonly sizes: Omit<Pair, 'h' | 't' | 's'>;
  readonly headDim: number;
  readonly scale: number;
  readonly #launched: Launched<'attention'>;
  readonly #mistakes: Mistakes;

  constructor(launched: Launched<'attention'>, mistakes: Mistakes) {
    const [b = 0, heads = 0, keyHeads = 0, T = 0, S = 0] = launched.sizes;
    this.sizes = { b, heads, keyHeads, T, S };
    this.headDim = launched.kernel.headDim;
    this.scale = launched.scalars[0] ?? NaN;
    this.#launched = launched;
    this.#mistakes = mistakes;
  }

  vector(name: string, row: number): Numbers {
    return Array.from((this.#launched.before[name] ?? new Float64Array()).subarray(row * this.headDim, (row + 1) * this.headDim));
  }

  query(name: string, { b, h, t, heads, T }: Pair): Numbers {
    return this.vector(name, (b * heads + h) * T + t);
  }

  keyRow(pair: Pair): number {
    const { keyHead = rightKeyHead } = this.#mistakes;
    return (pair.b * pair.keyHeads + keyHead(pair)) * pair.S + pair.s;
  }

  score(pair: Pair): number {
    const { causal = ({ t, s }) => s <= t, both = (a, b) => a && b, forbidden = -Infinity, maskAt = rightMask } = this.#mistakes;
    const { round = exactly, dimensions = (n) => n } = this.#mistakes;
    const { score = (product, scale, added) => round(round(product * scale) + added) } = this.#mistakes;
    const { kernel, before } = this.#launched;
    const mask = before['mask']?.[maskAt(pair)] ?? 0;
    const allowed = both(!kernel.causal || causal(pair), kernel.mask !== 'bool' || mask !== 0);
    if (!allowed) return forbidden;
    const product = dot(this.query('q', pair), this.vector('k', this.keyRow(pair)), round, dimensions(this.headDim));
    return score(product, this.scale, kernel.mask === 'additive' ? mask : 0, this.headDim);
  }

  /** All queries, each with its pairs. */
  forEachQuery(visit: (pairs: readonly Pair[], query: Pair) => void): void {
    const { b: images, heads, T, S } = this.sizes;
    const { keys = (n) => n } = this.#mistakes;
    for (let b = 0; b < images; b++)
      for (let h = 0; h < heads; h++)
        for (let t = 0; t < T; t++) {
          const query = { ...this.sizes, b, h, t, s: 0 };
          visit(
            Array.from({ length: keys(S) }, (_, s) => ({ ...query, s })),
            query,
          );
        }
  }
}

function forward(launched: Launched<'attention'>, mistakes: Mistakes): void {
  const { round = exactly, shift = (scores) => Math.max(...scores) } = mistakes;
  const { shiftOf = shift, sum = (powers) => powers.reduce((a, b) => round(a + b), 0) } = mistakes;
  const { lse = (top, total) => top + round(Math.log(total)) } = mistakes;
  const plain = new Plain(launched, mistakes);
  const { headDim } = plain;
  plain.forEachQuery((pairs, { b, h, t, heads, T }) => {
    const scores = pairs.map((pair) => plain.score(pair));
    const row = (b * heads + h) * T + t;
    const nothing = scores.every((score) => score === -Infinity) && mistakes.shift === undefined;
    const top = shift(scores);
    const powers = scores.map((score, s) => Math.fround(Math.exp(round(score - shiftOf(scores, s)))));
    const total = sum(powers);
    const values = pairs.map((pair) => plain.vector('v', plain.keyRow(pair)));
    for (let d = 0; d < headDim; d++) {
      const weighted = dot(
        powers,
        values.map((value) => value[d] ?? NaN),
        round,
      );
      launched.operands['y']?.set([nothing ? 0 : weighted / total], row * headDim + d);
    }
    launched.operands['lse']?.set([nothing ? -Infinity : lse(top, total)], row);
  });
}

function backward(launched: Launched<'attention'>, mistakes: Mistakes): void {
  const { round = exactly, along = (right) => right, adds = () => true } = mistakes;
  const { p: power = (score, lse) => (score === -Infinity ? 0 : round(Math.exp(round(score - lse)))) } = mistakes;
  const { scales = { q: (scale) => scale, k: (scale) => scale } } = mistakes;
  const plain = new Plain(launched, mistakes);
  const { headDim, scale } = plain;
  const { 'gradient of q': dq, 'gradient of k': dk, 'gradient of v': dv } = launched.operands;
  for (const gradient of [dq, dk, dv]) gradient?.fill(0);
  const add = (to: Float64Array | undefined, row: number, weight: number, vector: Numbers): void =>
    vector.forEach((x, d) => to?.set([round((to[row * headDim + d] ?? NaN) + round(weight * x))], row * headDim + d));
  plain.forEachQuery((pairs, query) => {
    const { b, h, t, heads, T } = query;
    const row = (b * heads + h) * T + t;
    const g = plain.query('gradient', query);
    const p = pairs.map((pair) => power(plain.score(pair), launched.before['lse']?.[row] ?? NaN));
    const slopes = pairs.map((pair) => dot(g, plain.vector('v', plain.keyRow(pair)), round));
    const middle = along(dot(g, plain.query('y', query), round), p, slopes);
    pairs.forEach((pair, i) => {
      const keyRow = plain.keyRow(pair);
      const ofScore = round((p[i] ?? NaN) * round((slopes[i] ?? NaN) - middle));
      add(dq, row, round(scales.q(scale) * ofScore), plain.vector('k', keyRow));
      if (!adds(pair)) return;
      add(dk, keyRow, round(scales.k(scale) * ofScore), plain.query('q', query));
      add(dv, keyRow, p[i] ?? NaN, g);
    });
  });
}

type Where = 'all keys' | 'grouped heads' | 'causal' | 'bool mask' | 'causal with a bool mask' | 'additive mask' | 'special values';

function attention(name: string, pass: AttentionKernel['pass'], where: Where, mistakes: Mistakes): Mutant {
  const checks = [`optional / attention / ${pass} / ${where} / float32`];
  return mistaking('attention', `attention ${pass} ${name}`, checks, (launched) => {
    if (launched.kernel.pass === pass) (pass === 'forward' ? forward : backward)(launched, mistakes);
  });
}

const later = (scores: Numbers): Numbers => scores.map((score) => (score === -Infinity ? -1e4 : score));

/** Mistakes with what is allowed, which either pass may make. */
const ALLOWED: readonly (readonly [name: string, where: Where, mistakes: Mistakes])[] = [
  ['leaves out the diagonal', 'causal', { causal: ({ t, s }) => s < t }],
  ['looks one ahead', 'causal', { causal: ({ t, s }) => s <= t + 1 }],
  ['aligns causality with the end', 'causal', { causal: ({ t, s, T, S }) => s <= t + S - T }],
  ['ignores causality', 'causal', { causal: () => true }],
  ['looks ahead only', 'causal', { causal: ({ t, s }) => s >= t }],
  ['ignores the mask', 'bool mask', { both: (causal) => causal }],
  ['turns the mask round', 'bool mask', { both: (causal, mask) => causal && !mask }],
  ['takes the mask of the first image', 'bool mask', { maskAt: ({ t, s, S }) => t * S + s }],
  ['takes the mask of the first query', 'bool mask', { maskAt: ({ b, s, T, S }) => b * T * S + s }],
  ['transposes the mask', 'bool mask', { maskAt: ({ b, t, s, T, S }) => (b * S + s) * T + t }],
  ['takes a mask a head', 'bool mask', { maskAt: ({ b, h, t, s, heads, T, S }) => ((b * heads + h) * T + t) * S + s }],
  ['needs only one of mask and causality', 'causal with a bool mask', { both: (causal, mask) => causal || mask }],
  ['ignores causality where there is a mask', 'causal with a bool mask', { both: (_, mask) => mask }],
  ['ignores the mask where it is causal', 'causal with a bool mask', { both: (causal) => causal }],
  ['scales the mask too', 'additive mask', { score: (product, scale, added) => (product + added) * scale }],
  ['subtracts the mask', 'additive mask', { score: (product, scale, added) => (added === -Infinity ? added : product * scale - added) }],
  ['ignores what is added', 'additive mask', { score: (product, scale) => product * scale }],
  ['takes what is added for a bool', 'additive mask', { score: (product, scale, added) => (added === -Infinity ? added : product * scale) }],
  ['exchanges groups of heads', 'grouped heads', { keyHead: ({ h, keyHeads }) => h % keyHeads }],
  ['takes the last key head for all others', 'grouped heads', { keyHead: ({ h, keyHeads }) => Math.min(h, keyHeads - 1) }],
  ['takes the first key head', 'grouped heads', { keyHead: () => 0 }],
  ['has a scale of its own', 'all keys', { score: (product, _, added, headDim) => product / Math.sqrt(2 * headDim) + added }],
  ['scales twice', 'all keys', { score: (product, scale) => product * scale * scale }],
  ['does not scale', 'all keys', { score: (product) => product }],
  ['skips the last key', 'all keys', { keys: (S) => Math.max(0, S - 1) }],
  ['skips the tail of keys', 'all keys', { keys: (S) => (S < 4 ? S : S & -4) }],
  ['stops after 64 keys', 'all keys', { keys: (S) => Math.min(64, S) }],
  ['skips the tail of dimensions', 'all keys', { dimensions: (n) => (n < 4 ? n : n & -4) }],
  ['stops after 32 dimensions', 'all keys', { dimensions: (n) => Math.min(32, n) }],
];

export function attentionMutants(): Mutant[] {
  const highest = (scores: Numbers): number => Math.max(...scores);
  return [
    ...(['forward', 'backward'] as const).flatMap((pass) => ALLOWED.map(([name, where, mistakes]) => attention(name, pass, where, mistakes))),
    attention('does not subtract the largest', 'forward', 'special values', { shift: () => 0 }),
    attention('does not scale earlier tiles anew', 'forward', 'all keys', { shiftOf: (scores, s) => highest(scores.slice(0, (s & -32) + 32)) }),
    attention('is NaN in a row of nothing', 'forward', 'bool mask', { shift: highest }),
    attention('is NaN in a row of -Infinity', 'forward', 'additive mask', { shift: highest }),
    attention('is NaN without keys', 'forward', 'all keys', { shift: highest }),
    attention('averages a row of nothing', 'forward', 'bool mask', { forbidden: -1e4 }),
    attention('averages a row of -Infinity', 'forward', 'additive mask', {
      shift: (scores) => highest(later(scores)),
      sum: (p) =>
        Math.max(
          1e-30,
          p.reduce((a, b) => a + b, 0),
        ),
    }),
    attention('masks by a small number', 'forward', 'bool mask', { forbidden: -1 }),
    attention('does not divide by the sum', 'forward', 'all keys', { sum: () => 1 }),
    attention('adds 1 to the sum', 'forward', 'all keys', { sum: (p) => 1 + p.reduce((a, b) => a + b, 0) }),
    attention('keeps the largest for the log-sum-exp', 'forward', 'all keys', { lse: (top) => top }),
    attention('keeps the sum for the log-sum-exp', 'forward', 'all keys', { lse: (_, total) => Math.log(total) }),
    attention('keeps the logarithm to base 2', 'forward', 'all keys', { lse: (top, total) => top + Math.log2(total) }),
    attention('forgets what goes along y', 'backward', 'all keys', { along: () => 0 }),
    attention('takes the mean along y', 'backward', 'all keys', { along: (right, _, slopes) => right / slopes.length }),
    attention('sums all slopes', 'backward', 'all keys', { along: (_, __, slopes) => slopes.reduce((a, b) => a + b, 0) }),
    attention('does not subtract the log-sum-exp', 'backward', 'all keys', { p: Math.exp }),
    attention('is NaN in a row of nothing', 'backward', 'bool mask', { p: (score, lse) => Math.exp(score - lse) }),
    attention('is NaN in a row of -Infinity', 'backward', 'additive mask', { p: (score, lse) => Math.exp(score - lse) }),
    attention('forgets the scale of q', 'backward', 'all keys', { scales: { q: () => 1, k: (scale) => scale } }),
    attention('forgets the scale of k', 'backward', 'all keys', { scales: { q: (scale) => scale, k: () => 1 } }),
    attention('adds only the first head of a group', 'backward', 'grouped heads', { adds: ({ h, heads, keyHeads }) => h % (heads / keyHeads) === 0 }),
    attention('adds only the first 32 queries', 'backward', 'all keys', { adds: ({ t }) => t < 32 }),
    attention('does not add the last query', 'backward', 'all keys', { adds: ({ t, T }) => t < T - 1 }),
  ];
}

/** The plain version in float32 alone, one operation after the other, which has to pass. */
export const PLAIN_ATTENTION: Mutant = mistaking('attention', 'attention, plainly', ['optional / attention'], (launched) => {
  if (launched.dtype !== 'float64') (launched.kernel.pass === 'forward' ? forward : backward)(launched, { round: Math.fround });
});
