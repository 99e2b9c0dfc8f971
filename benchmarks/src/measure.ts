/**
 * Measuring: every contender has its turn in every round, so that whatever else the machine does falls on all of them alike.
 *
 * A *sample* is the time of a batch of calls, long enough for the clock; its batch size is found before the rounds begin.
 */

/** One toolkit's way of doing a work. */
export interface Contender {
  /** `gradus`, or a peer's name. */
  readonly name: string;
  /** Does the work once, results and all. */
  readonly run: () => void | Promise<void>;
  /** Milliseconds a call over so many calls, for a contender with a clock of its own. */
  readonly sample?: (calls: number) => Promise<number>;
  readonly dispose?: () => void;
}

/** Something measured. */
export interface Work {
  readonly name: string;
  /** Floating-point operations of one call, for GFLOP/s. */
  readonly flops?: number;
  /** Calls of the work that one `run` makes: times are given for one. Default 1. */
  readonly callsPerRun?: number;
  /** Builds the contenders; one that cannot be built throws when it runs. */
  readonly contenders: () => Promise<readonly Contender[]>;
}

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly gflops?: number;
}

/** Shortest sample, in ms: a hundred times the clock's resolution and more. */
const SAMPLE_MS = 20;
/** Rounds, and when to stop early because a work is slow. */
const MAX_ROUNDS = 25;
const MIN_ROUNDS = 5;
const BUDGET_MS = 12_000;
/** Calls before measuring, so that engines have compiled what they will. */
const WARM_UP_MS = 1500;

const now = (): number => performance.now();

async function sample(contender: Contender, calls: number): Promise<number> {
  if (contender.sample !== undefined) return contender.sample(calls);
  const start = now();
  for (let i = 0; i < calls; i++) await contender.run();
  return (now() - start) / calls;
}

async function warmUp(contender: Contender): Promise<number> {
  const start = now();
  let calls = 0;
  do {
    await contender.run();
    calls++;
  } while (now() - start < WARM_UP_MS && calls < 10_000);
  const last = await sample(contender, 1);
  return Math.max(1, Math.min(100_000, Math.round(SAMPLE_MS / Math.max(last, 1e-4))));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** Times of all contenders, or what kept one from running. */
export async function measure(work: Work): Promise<Map<string, Timing | { readonly error: string }>> {
  const results = new Map<string, Timing | { readonly error: string }>();
  const running: { contender: Contender; calls: number; samples: number[] }[] = [];
  for (const contender of await work.contenders()) {
    try {
      running.push({ contender, calls: await warmUp(contender), samples: [] });
    } catch (error) {
      results.set(contender.name, { error: error instanceof Error ? error.message : String(error) });
    }
  }
  const start = now();
  for (let round = 0; round < MAX_ROUNDS && (round < MIN_ROUNDS || now() - start < BUDGET_MS); round++) {
    for (const each of running) each.samples.push(await sample(each.contender, each.calls));
  }
  const calls = work.callsPerRun ?? 1;
  for (const { contender, samples } of running) {
    const medianMs = median(samples) / calls;
    const minMs = Math.min(...samples) / calls;
    results.set(contender.name, { medianMs, minMs, ...(work.flops !== undefined && { gflops: work.flops / medianMs / 1e6 }) });
    contender.dispose?.();
  }
  return results;
}
