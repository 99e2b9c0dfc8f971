/** The kit proves itself: backends with planted mistakes must fail. See `mutants/`. */

import { expect, test } from 'vitest';
import type { Backend } from '@gradus/backend';
import { createCpu } from '../../backend-cpu/src/create.ts';
import { ConformanceError, conformance } from '../src/index.ts';
import { PLAIN_ATTENTION } from './mutants/attention.ts';
import { expressionMutants } from './mutants/expressions.ts';
import { fastPathMutants } from './mutants/fast-paths.ts';
import { Lazy } from './mutants/lazy.ts';
import { layoutMutants } from './mutants/layouts.ts';
import { sourceMutants } from './mutants/loops.ts';
import { memoryMutants } from './mutants/memory.ts';
import { Wrapped } from './mutants/mutant.ts';
import type { Mutant } from './mutants/mutant.ts';
import { operatorTableMutants } from './mutants/operators.ts';
import { optionalMutants } from './mutants/optional.ts';
import { packedMutants } from './mutants/packed.ts';
import { PLAIN_QUANTIZED } from './mutants/quantized.ts';
import { queueMutants, recording } from './mutants/queue.ts';
import { PLAIN_ROWWISE } from './mutants/rowwise.ts';

const MUTANTS: readonly Mutant[] = [
  ...operatorTableMutants(),
  ...expressionMutants(),
  ...layoutMutants(),
  ...sourceMutants(),
  ...packedMutants(),
  ...memoryMutants(),
  ...queueMutants(),
  ...optionalMutants(),
  ...fastPathMutants(),
];

/** Mutants that no check can fail, and why. */
const SURVIVORS: Readonly<Record<string, string>> = {
  'divide does not test for an integer zero': 'the wrapping after it turns the Inf and NaN of x / 0 into the 0 that is asked for',
  'remainder does not test for an integer zero': 'the wrapping after it turns the NaN of x % 0 into the 0 that is asked for',
};

const LEAST_KILLED = 0.95;
const LEAST_MUTANTS = 1700;

/** One list of checks for all mutants: cases and the oracle's answers are made once. */
let current: () => Backend = () => createCpu();
const CHECKS = conformance(() => current());

/** The first failure of the checks that should notice; null when none does. */
async function firstFailure(mutant: Mutant, planted: () => void): Promise<ConformanceError | null> {
  current = () => mutant.create(planted);
  for (const beginning of mutant.checks) {
    const checks = CHECKS.filter(({ name }) => name.startsWith(beginning));
    if (checks.length === 0) throw new Error(`${mutant.name}: no check begins with ${beginning}`);
    for (const check of checks) {
      try {
        await check.run();
      } catch (error) {
        if (error instanceof ConformanceError) return error;
        throw error;
      }
    }
  }
  return null;
}

/** A mutant that breaks the generated code, or asks for what cpu does not have, shows nothing. */
const BROKEN = /SyntaxError|ReferenceError|internal:|UnsupportedError \(UNSUPPORTED\): \[cpu|INVALID_KERNEL/;

test('mutants have names of their own', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(LEAST_MUTANTS);
});

test('mutants are killed, and those that are not are known', { timeout: 300_000 }, async () => {
  const survivors: string[] = [];
  const notPlanted: string[] = [];
  const broken: string[] = [];
  for (const mutant of MUTANTS) {
    let planted = false;
    const failure = await firstFailure(mutant, () => (planted = true));
    if (failure === null) survivors.push(mutant.name);
    else if (BROKEN.test(failure.message)) broken.push(`${mutant.name}: ${failure.message}`);
    if (!planted) notPlanted.push(mutant.name);
  }
  // Mistakes that changed nothing, mutants that are not even backends, and those that no check noticed.
  expect({ notPlanted, broken, survivors: survivors.toSorted() }).toEqual({
    notPlanted: [],
    broken: [],
    survivors: Object.keys(SURVIVORS).toSorted(),
  });
  expect(1 - survivors.length / MUTANTS.length).toBeGreaterThanOrEqual(LEAST_KILLED);
});

/** Right backends of other making pass: results calculated in float32 alone, as devices do, with an exp as coarse as the kit allows. */
test.each([PLAIN_ROWWISE, PLAIN_ATTENTION, PLAIN_QUANTIZED])('$name passes', { timeout: 300_000 }, async (plain) => {
  let planted = false;
  current = () => plain.create(() => (planted = true));
  for (const check of CHECKS.filter(({ name }) => plain.checks.some((beginning) => name.startsWith(beginning)))) await check.run();
  // The quantized product alone is the same to the bit.
  expect(planted).toBe(plain !== PLAIN_QUANTIZED);
});

/** What mutants are made of is right: without a mistake it passes. */
const SOUND: Readonly<Record<string, () => Backend>> = {
  'a wrapped backend': () => new Wrapped(),
  'a backend that queues': () => new Lazy(),
  'a backend with recordings': () => recording('none'),
};

test.each(Object.entries(SOUND))('%s without a mistake passes', async (_, create) => {
  for (const check of conformance(create, { level: 'storage' })) await check.run();
});
