/** The entry of the kit: checks for any test runner. */

import type { Backend } from '@gradus/backend';
import { cpu } from '@gradus/backend-cpu';
import { ConformanceError } from '@gradus/backend-testkit';
import { GRADIENT_CASES } from './gradients.ts';
import type { GradientCase } from './gradients.ts';
import { SUBJECTS } from './models.ts';
import type { SubjectName } from './models.ts';
import { STEPS, train } from './training.ts';
import type { Form } from './training.ts';

/** One check of a backend. */
export interface TrainingCheck {
  /** Stable and readable: `training / CNN / compiled`. */
  readonly name: string;
  /** Creates a backend, checks it, disposes it. @throws ConformanceError */
  readonly run: () => Promise<void>;
}

/** Gradients in float32 against float64: a few roundings of numbers of this size. */
const GRADIENT_TOLERANCE = 2e-4;
/** Losses of a run drift apart as roundings add up: after this many steps the looser bound holds. */
const CLOSE_STEPS = 10;
const CLOSE = 1e-3;
const LOOSE = 5e-2;
/** A network that learns brings its loss below this share of the first. */
const LEARNED = 0.7;
/** Steps in which pools and plans find their size. */
const SETTLED = 5;

/**
 * The checks that networks make of a backend: gradients of first and second order against float64, fifty steps of an MLP, a CNN, a
 * transformer and an LSTM against the same on the reference, plain and compiled, with flat memory. A backend should pass
 * `conformance` of `@gradus/backend-testkit` first: that says which kernel is wrong, this only that something is.
 *
 * ```ts
 * for (const check of trainingConformance(() => myBackend())) test(check.name, check.run);
 * ```
 */
export function trainingConformance(create: () => Backend | Promise<Backend>): readonly TrainingCheck[] {
  const gradients = GRADIENT_CASES.map((each): TrainingCheck => {
    const name = `gradients / ${each.name}`;
    return { name, run: () => withBackend(create, (backend) => checkGradient(name, each, backend)) };
  });
  const names = Object.keys(SUBJECTS) as SubjectName[];
  const training = names.flatMap((subject) =>
    (['plain', 'compiled'] as const).map((form): TrainingCheck => {
      const name = `training / ${subject} / ${form}`;
      return { name, run: () => withBackend(create, (backend) => checkTraining(name, subject, form, backend)) };
    }),
  );
  return [...gradients, ...training];
}

async function withBackend(create: () => Backend | Promise<Backend>, check: (backend: Backend) => Promise<void>): Promise<void> {
  const backend = await create();
  try {
    await check(backend);
  } finally {
    backend.dispose();
  }
}

async function checkGradient(name: string, { on }: GradientCase, backend: Backend): Promise<void> {
  const reference = cpu();
  const [found, expected] = [await on(backend, 'float32'), await on(reference, 'float64')];
  reference.dispose();
  for (const [i, [what, numbers]] of expected.entries()) {
    const scale = Math.max(1, ...numbers.map(Math.abs));
    const got = found[i]?.[1] ?? [];
    const at = numbers.findIndex((number, k) => !(Math.abs((got[k] ?? NaN) - number) <= GRADIENT_TOLERANCE * scale));
    if (at < 0) continue;
    throw new ConformanceError({
      where: `${name} / ${what}`,
      expected: `${numbers[at]} within ${GRADIENT_TOLERANCE * scale} at element ${at}`,
      got: String(got[at]),
      rule: 'what is composed of kernels, and its gradients, agrees with the reference in float64',
    });
  }
}

/** Runs on the reference, by subject and form: the same for every backend. */
const references = new Map<string, Promise<readonly number[]>>();

function referenceLosses(subject: SubjectName): Promise<readonly number[]> {
  let known = references.get(subject);
  if (known === undefined) {
    known = train(cpu(), subject, 'plain').then((run) => run.losses);
    references.set(subject, known);
  }
  return known;
}

async function checkTraining(name: string, subject: SubjectName, form: Form, backend: Backend): Promise<void> {
  const expected = await referenceLosses(subject);
  const { losses, bytes } = await train(backend, subject, form);
  for (const [i, loss] of losses.entries()) {
    const reference = expected[i] ?? NaN;
    const bound = (i < CLOSE_STEPS ? CLOSE : LOOSE) * Math.max(1, Math.abs(reference));
    if (Math.abs(loss - reference) <= bound) continue;
    const rule = 'training gives the losses of the reference, to rounding';
    throw new ConformanceError({ where: `${name} / step ${i}`, expected: `a loss of ${reference} within ${bound}`, got: String(loss), rule });
  }
  const [first = NaN] = losses;
  const last = losses.at(-1) ?? NaN;
  if (!(last < LEARNED * first))
    throw new ConformanceError({
      where: name,
      expected: `a loss below ${LEARNED * first} after ${STEPS} steps`,
      got: String(last),
      rule: 'networks learn',
    });
  const later = bytes.slice(SETTLED);
  if (new Set(later).size > 1)
    throw new ConformanceError({
      where: name,
      expected: `${later[0]} bytes after every step from number ${SETTLED} on`,
      got: `up to ${Math.max(...later)}`,
      rule: 'allocatedBytes is flat while a network trains: what is freed is given back',
    });
}
