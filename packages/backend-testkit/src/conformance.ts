/** The entry of the kit: a list of checks for any test runner. */

import type { Backend } from '@gradus/backend';
import { Bench, errorText } from './bench.ts';
import { ConformanceError } from './error.ts';
import { attentionPlans } from './levels/attention.ts';
import { contractPlans } from './levels/contract.ts';
import { convolutionPlans } from './levels/convolution.ts';
import { layoutPlans } from './levels/layouts.ts';
import { mapPlans } from './levels/map.ts';
import { memoryPlans } from './levels/memory.ts';
import { operationPlans } from './levels/operations.ts';
import { optimizerStepPlans } from './levels/optimizer-step.ts';
import { orderedPlans } from './levels/ordered.ts';
import { poolPlans } from './levels/pool.ts';
import { quantizedPlans } from './levels/quantized.ts';
import { queuePlans } from './levels/queue.ts';
import { reducePlans } from './levels/reduce.ts';
import { rowwisePlans } from './levels/rowwise.ts';
import { scatterPlans } from './levels/scatter.ts';
import { sourcePlans } from './levels/sources.ts';
import { LEVELS } from './plan.ts';
import type { Level, Plan } from './plan.ts';
import type { Tolerances } from './tolerances.ts';

/** One check of a backend. */
export interface Check {
  /** Stable and readable: `map / add / float32`. */
  readonly name: string;
  readonly level: Level;
  /** Creates a backend, checks it, disposes it. Passes at once where the backend does not claim what is checked. @throws ConformanceError */
  readonly run: () => Promise<void>;
}

/** Options of {@link conformance}. */
export interface ConformanceOptions {
  /** Only these levels. Default all. */
  readonly level?: Level | readonly Level[];
  /** Bounds that replace those of the kit's table, by opcode and dtype: for a device whose documentation states others. */
  readonly tolerances?: Tolerances;
}

/**
 * The checks that a backend must pass.
 *
 * ```ts
 * for (const check of conformance(() => myBackend())) test(check.name, check.run);
 * ```
 * `create` is called once a check; each backend is disposed when its check ends.
 */
export function conformance(create: () => Backend | Promise<Backend>, options: ConformanceOptions = {}): readonly Check[] {
  const { level = LEVELS, tolerances = {} } = options;
  const wanted = typeof level === 'string' ? [level] : level;
  return allPlans()
    .filter((plan) => wanted.includes(plan.level))
    .map((plan) => {
      const name = `${plan.level} / ${plan.title}`;
      return { name, level: plan.level, run: () => runPlan(plan, name, create, tolerances) };
    });
}

function allPlans(): readonly Plan[] {
  const storage = [...memoryPlans(), ...queuePlans()];
  const map = [...operationPlans(), ...sourcePlans(), ...layoutPlans(), ...mapPlans()];
  const windows = [...contractPlans(), ...convolutionPlans(), ...poolPlans()];
  const rows = [...rowwisePlans(), ...attentionPlans(), ...optimizerStepPlans(), ...quantizedPlans(), ...orderedPlans()];
  return [...storage, ...map, ...reducePlans(), ...scatterPlans(), ...windows, ...rows];
}

async function runPlan(plan: Plan, name: string, create: () => Backend | Promise<Backend>, tolerances: Tolerances): Promise<void> {
  const backend = await create();
  try {
    const bench = new Bench(backend, name, { capabilities: backend.capabilities, tolerances });
    const before = backend.allocatedBytes;
    await plan.run(bench);
    bench.freeAll();
    bench.equal(
      backend.allocatedBytes,
      before,
      'allocatedBytes when every block is freed',
      'allocatedBytes counts the blocks allocated and not yet freed',
    );
  } catch (error) {
    disposeAfterFailure(backend);
    throw asConformanceError(error, name);
  }
  try {
    backend.dispose();
  } catch (error) {
    throw asConformanceError(error, name);
  }
}

function asConformanceError(error: unknown, where: string): ConformanceError {
  if (error instanceof ConformanceError) return error;
  const rule = 'a backend does what the contract allows without complaint';
  return new ConformanceError({ where, expected: 'no error', got: errorText(error), rule }, { cause: error });
}

/** What went wrong before says more than whatever goes wrong now. */
function disposeAfterFailure(backend: Backend): void {
  try {
    backend.dispose();
  } catch {
    // The check has failed already.
  }
}
