/** Mutants of optimizer steps: other formulas, and other roundings of the right ones. */

import type { OptimizerStepKernel } from '@gradus/backend';
import type { Mutant } from './mutant.ts';
import { mistaking } from './perturbing.ts';

/** One element before the step, and the scalars by name. */
interface Element {
  readonly p: number;
  readonly g: number;
  /** Buffer, or moments. */
  readonly m: number;
  readonly v: number;
  readonly s: readonly number[];
}

/** New parameter and state; what is left out stays right. */
type Step = (element: Element) => readonly number[];

type Rule = 'sgd' | 'sgd with momentum' | 'sgd with nesterov' | 'adam' | 'adamw';

function ruleOf({ algorithm, momentum, nesterov }: OptimizerStepKernel): Rule {
  if (algorithm !== 'sgd') return algorithm;
  return momentum ? (nesterov ? 'sgd with nesterov' : 'sgd with momentum') : 'sgd';
}

function step(rule: Rule, name: string, wrong: Step): Mutant {
  return mistaking(
    'optimizerStep',
    `${rule} ${name}`,
    [`optional / optimizerStep / ${rule} / float32`],
    ({ kernel, before, operands, scalars, dtype }) => {
      if (ruleOf(kernel) !== rule || dtype !== 'float32') return;
      const { parameters: p, gradients: g, buffer, 'first moment': first, 'second moment': v } = before;
      const state = rule === 'adam' || rule === 'adamw' ? ['first moment', 'second moment'] : ['buffer'];
      p?.forEach((value, i) => {
        const m = (buffer ?? first)?.[i] ?? 0;
        const given = wrong({ p: value, g: g?.[i] ?? 0, m, v: v?.[i] ?? 0, s: scalars.map(Math.fround) });
        given.forEach((result, at) => operands[at === 0 ? 'parameters' : (state[at - 1] ?? '')]?.set([Math.fround(result)], i));
      });
    },
  );
}

const f = Math.fround;

/** The gradient with what decays. */
function decayed({ p, g, s: [, decay = 0] }: Element): number {
  return decay === 0 ? g : f(g + f(p * decay));
}

function sgdMutants(): Mutant[] {
  const buffer = (e: Element): number => f(f(e.m * (e.s[2] ?? 0)) + f(decayed(e) * (e.s[3] ?? 0)));
  const nesterov = (e: Element): number => f(decayed(e) + f(buffer(e) * (e.s[2] ?? 0)));
  const rate = ({ s }: Element): number => s[0] ?? 0;
  return [
    step('sgd', 'adds', (e) => [e.p + f(decayed(e) * rate(e))]),
    step('sgd', 'rounds once', (e) => [e.p - decayed(e) * rate(e)]),
    step('sgd', 'adds up its decay in float64', (e) => [e.p - f(f(e.g + e.p * (e.s[1] ?? 0)) * rate(e))]),
    step('sgd', 'multiplies by a decay of 0', (e) => [e.p - f(f(e.g + f(e.p * (e.s[1] ?? 0))) * rate(e))]),
    step('sgd', 'decays apart from the gradient', (e) => [f(e.p - f(f(e.p * (e.s[1] ?? 0)) * rate(e))) - f(e.g * rate(e))]),
    step('sgd with momentum', 'moves by the old buffer', (e) => [e.p - f(e.m * rate(e))]),
    step('sgd with momentum', 'moves by the gradient', (e) => [e.p - f(decayed(e) * rate(e))]),
    step('sgd with momentum', 'is nesterov’s', (e) => [e.p - f(nesterov(e) * rate(e))]),
    step('sgd with momentum', 'keeps the gradient', (e) => [e.p - f(buffer(e) * rate(e)), decayed(e)]),
    step('sgd with momentum', 'keeps the scaled move', (e) => [e.p - f(buffer(e) * rate(e)), buffer(e) * rate(e)]),
    step('sgd with momentum', 'is never dampened', (e) => {
      const moved = f(f(e.m * (e.s[2] ?? 0)) + decayed(e));
      return [e.p - f(moved * rate(e)), moved];
    }),
    step('sgd with momentum', 'dampens by its momentum', (e) => {
      const moved = f(f(e.m * (e.s[2] ?? 0)) + f(decayed(e) * f(1 - (e.s[2] ?? 0))));
      return [e.p - f(moved * rate(e)), moved];
    }),
    step('sgd with momentum', 'rounds its buffer once', (e) => {
      const moved = f(e.m * (e.s[2] ?? 0) + decayed(e) * (e.s[3] ?? 0));
      return [e.p - f(moved * rate(e)), moved];
    }),
    step('sgd with momentum', 'decays after the buffer', (e) => {
      const moved = f(f(e.m * (e.s[2] ?? 0)) + f(e.g * (e.s[3] ?? 0)));
      return [e.p - f(f(moved + f(e.p * (e.s[1] ?? 0))) * rate(e)), moved];
    }),
    step('sgd with nesterov', 'is plain momentum', (e) => [e.p - f(buffer(e) * rate(e))]),
    step('sgd with nesterov', 'adds the gradient undecayed', (e) => [e.p - f(f(e.g + f(buffer(e) * (e.s[2] ?? 0))) * rate(e))]),
    step('sgd with nesterov', 'adds the old buffer', (e) => [e.p - f(f(decayed(e) + f(e.m * (e.s[2] ?? 0))) * rate(e))]),
    step('sgd with nesterov', 'keeps its move', (e) => [e.p - f(nesterov(e) * rate(e)), nesterov(e)]),
    step('sgd with nesterov', 'rounds its move once', (e) => [e.p - f(f(decayed(e) + buffer(e) * (e.s[2] ?? 0)) * rate(e))]),
  ];
}

/** The parts of an Adam step, to be replaced one by one. */
interface Parts {
  readonly from?: (e: Element) => number;
  readonly gradient?: (e: Element) => number;
  readonly first?: (e: Element, gradient: number) => number;
  readonly second?: (e: Element, gradient: number) => number;
  readonly denominator?: (second: number, e: Element) => number;
  readonly move?: (first: number, denominator: number, e: Element) => number;
}

function adamStep(decoupled: boolean, parts: Parts): Step {
  const { from = (e) => (decoupled ? f(e.p * (e.s[1] ?? 0)) : e.p), gradient = decoupled ? ({ g }) => g : decayed } = parts;
  const { first = ({ m, s }, g) => f(f(m * (s[2] ?? 0)) + f(g * (s[3] ?? 0))) } = parts;
  const { second = ({ v, s }, g) => f(f(v * (s[4] ?? 0)) + f(f(g * g) * (s[5] ?? 0))) } = parts;
  const { denominator = (v, { s }) => f(f(f(Math.sqrt(v)) / (s[6] ?? 0)) + (s[7] ?? 0)) } = parts;
  const { move = (m, d, { s }) => f(f(m * (s[0] ?? 0)) / d) } = parts;
  return (e) => {
    const g = gradient(e);
    const [m, v] = [first(e, g), second(e, g)];
    return [from(e) - move(m, denominator(v, e), e), m, v];
  };
}

const ADAM: Readonly<Record<string, Parts>> = {
  'adds eps within the root': { denominator: (v, { s }) => f(f(Math.sqrt(f(v + (s[7] ?? 0)))) / (s[6] ?? 0)) },
  'adds eps before it corrects': { denominator: (v, { s }) => f(f(f(Math.sqrt(v)) + (s[7] ?? 0)) / (s[6] ?? 0)) },
  'does not correct the second moment': { denominator: (v, { s }) => f(f(Math.sqrt(v)) + (s[7] ?? 0)) },
  'multiplies by the correction': { denominator: (v, { s }) => f(f(f(Math.sqrt(v)) * (s[6] ?? 0)) + (s[7] ?? 0)) },
  'multiplies by a reciprocal of the correction': { denominator: (v, { s }) => f(f(f(Math.sqrt(v)) * f(1 / (s[6] ?? 0))) + (s[7] ?? 0)) },
  'forgets the root': { denominator: (v, { s }) => f(f(v / (s[6] ?? 0)) + (s[7] ?? 0)) },
  'rounds its denominator once': { denominator: (v, { s }) => f(Math.sqrt(v) / (s[6] ?? 0) + (s[7] ?? 0)) },
  'takes the old second moment': { denominator: (_, { v, s }) => f(f(f(Math.sqrt(v)) / (s[6] ?? 0)) + (s[7] ?? 0)) },
  'takes the old first moment': { move: (_, d, { m, s }) => f(f(m * (s[0] ?? 0)) / d) },
  'moves by the gradient': { move: (_, d, { g, s }) => f(f(g * (s[0] ?? 0)) / d) },
  'divides before it multiplies': { move: (m, d, { s }) => f(f(m / d) * (s[0] ?? 0)) },
  'divides by a reciprocal': { move: (m, d, { s }) => f(f(m * (s[0] ?? 0)) * f(1 / d)) },
  'rounds its move once': { move: (m, d, { s }) => (m * (s[0] ?? 0)) / d },
  'rounds its first moment once': { first: ({ m, s }, g) => f(m * (s[2] ?? 0) + g * (s[3] ?? 0)) },
  'interpolates its first moment': { first: ({ m, s }, g) => f(m + f(f(g - m) * (s[3] ?? 0))) },
  'exchanges the betas': { first: ({ m, s }, g) => f(f(m * (s[4] ?? 0)) + f(g * (s[5] ?? 0))) },
  'rounds its second moment once': { second: ({ v, s }, g) => f(v * (s[4] ?? 0) + g * g * (s[5] ?? 0)) },
  'squares after it scales': { second: ({ v, s }, g) => f(f(v * (s[4] ?? 0)) + f(f(g * (s[5] ?? 0)) * g)) },
  'keeps magnitudes for squares': { second: ({ v, s }, g) => f(f(v * (s[4] ?? 0)) + f(Math.abs(g) * (s[5] ?? 0))) },
  'keeps the largest second moment': { second: ({ v, s }, g) => Math.max(v, f(f(v * (s[4] ?? 0)) + f(f(g * g) * (s[5] ?? 0)))) },
};

function adamMutants(): Mutant[] {
  const both = (['adam', 'adamw'] as const).flatMap((rule) =>
    Object.entries(ADAM).map(([name, parts]) => step(rule, name, adamStep(rule === 'adamw', parts))),
  );
  return [
    ...both,
    step('adam', 'does not decay', adamStep(false, { gradient: ({ g }) => g })),
    step(
      'adam',
      'decays apart from the gradient',
      adamStep(false, { gradient: ({ g }) => g, from: ({ p, s }) => f(p - f(f(p * (s[1] ?? 0)) * (s[0] ?? 0))) }),
    ),
    step('adam', 'multiplies by a decay of 0', adamStep(false, { gradient: ({ p, g, s }) => f(g + f(p * (s[1] ?? 0))) })),
    step('adam', 'rounds its gradient once', adamStep(false, { gradient: ({ p, g, s }) => f(g + p * (s[1] ?? 0)) })),
    step('adamw', 'does not decay', adamStep(true, { from: ({ p }) => p })),
    step('adamw', 'does not round what is kept', adamStep(true, { from: ({ p, s }) => p * (s[1] ?? 0) })),
    step('adamw', 'adds its decay to the gradient', adamStep(true, { gradient: (e) => decayed(e), from: ({ p }) => p })),
    step('adamw', 'decays after the step', (e) => {
      const [p = NaN, m = NaN, v = NaN] = adamStep(true, { from: ({ p: old }) => old })(e);
      return [f(p) * (e.s[1] ?? 0), m, v];
    }),
  ];
}

export function stepMutants(): Mutant[] {
  return [...sgdMutants(), ...adamMutants()];
}
