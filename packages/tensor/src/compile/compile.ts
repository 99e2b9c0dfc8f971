/**
 * `compile`: a function of tensors is run once under trace, planned as a whole, and replayed from then on.
 *
 * Each set of shapes, of plain arguments and of decisions on the host has a plan of its own. State is found by tracing: parameters,
 * buffers, optimizer moments, gradients, the counters of random numbers, rates and step counts (see `host.ts`) are read and written in
 * every call as the function itself would have. What a trace cannot see, plain variables and objects of the caller's, is as it was.
 */

import { debugSettings } from '../debug-settings.ts';
import { ArgumentError, TraceError } from '../errors.ts';
import { NO_ATTRIBUTE, Node, nextNodeId, shareValue } from '../graph/node.ts';
import { row } from '../graph/op.ts';
import type { OpRow } from '../graph/op.ts';
import { gradientsAreOn } from '../graph/record.ts';
import { showDims } from '../graph/shape.ts';
import { tracing } from '../graph/tracing.ts';
import type { HostEntry } from '../graph/tracing.ts';
import { tracesUnderWay } from '../lowering/program.ts';
import { describeStep, flushReport } from '../lowering/report.ts';
import type { FlushReport } from '../lowering/report.ts';
import { internalError } from '../internal.ts';
import { methodful } from '../methods.ts';
import { evaluate } from '../read.ts';
import { defaultRuntime } from '../runtime.ts';
import type { Runtime } from '../runtime.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { capture } from './capture.ts';
import type { Captured } from './capture.ts';
import { Replay } from './replay.ts';
import { putTogether, sameStructure, takeArgumentsApart } from './structure.ts';
import type { Structure } from './structure.ts';
import { Trace, Untraceable, undo } from './trace.ts';

/** An argument under trace. */
const ARGUMENT: OpRow = /* @__PURE__ */ row({ name: 'argument', lowering: { kind: 'leaf' } });

/** Plans of one function before it says that there are many, and before the least recently used one goes. */
const PLANS_BEFORE_WARNING = 8;
const MAX_PLANS = 64;

/** What a compiled function has done so far. */
export interface CompileStatistics {
  /** Runs of the function itself under trace: one for each set of shapes, plain arguments and decisions. */
  readonly traces: number;
  /** Plans at hand. */
  readonly plans: number;
  /** Calls answered by replaying a plan. */
  readonly replays: number;
  /** Calls in which the function was run as it is: its arguments are being differentiated, or it makes state. */
  readonly uncompiled: number;
}

/** A compiled function: called like the one it was made of. */
export type Compiled<F> = F & {
  /** What the plan of the last call runs; null before the first. `String(…)` is a table. */
  explain(): FlushReport | null;
  readonly statistics: CompileStatistics;
  /** Frees its memory and plans. Calling it again traces anew. */
  dispose(): void;
  [Symbol.dispose](): void;
};

/**
 * Compiles a function of tensors: the first call with arguments of some shapes traces it, later ones replay what was planned.
 *
 * Arguments and results may be nested arrays and plain objects of tensors. Arguments that are no tensors are part of the plan: another
 * value, another trace. Results have no history: take gradients inside, with `backward()`, `grad` or an optimizer.
 *
 * @throws ArgumentError for what is no function; TraceError, when called, for reading numbers inside, for a function that returns a promise, for two devices
 */
export function compile<A extends readonly Tensor[], R>(fn: (...args: A) => R): Compiled<(...args: A) => R>;
export function compile<A extends readonly unknown[], R>(fn: (...args: A) => R): Compiled<(...args: A) => R>;
export function compile<A extends readonly unknown[], R>(fn: (...args: A) => R): Compiled<(...args: A) => R> {
  const given: unknown = fn;
  if (typeof given !== 'function')
    throw new ArgumentError({ op: 'compile', expected: 'a function', got: showValue(given), fix: 'write compile((x) => model.forward(x)).' });
  const plans = new Plans(fn as (...args: readonly unknown[]) => unknown);
  const call = (...args: A): R => plans.call(args) as R;
  const surface = {
    explain: () => plans.explain(),
    dispose: () => plans.dispose(),
    [Symbol.dispose]: () => plans.dispose(),
  };
  const compiled = Object.defineProperty(Object.assign(call, surface), 'statistics', { get: () => plans.statistics }) as Compiled<(...args: A) => R>;
  collected.register(compiled, plans);
  return compiled;
}

/** Gives back the memory of compiled functions that nobody has any more. */
const collected: FinalizationRegistry<Plans> = /* @__PURE__ */ new FinalizationRegistry<Plans>((plans) => plans.dispose());

/** One argument, as far as a plan depends on it. */
interface ArgumentForm {
  readonly shape: Node['shape'];
  readonly dtype: Node['dtype'];
  readonly runtime: Runtime;
  readonly onHost: boolean;
  readonly strides: string;
}

/** A plan, and what a call must look like for it. */
interface Candidate {
  readonly structure: Structure;
  readonly forms: readonly ArgumentForm[];
  readonly gradients: boolean;
  readonly replay: Replay;
  /** Numbers of the host's part in the last call, by entry. */
  readonly numbers: Float64Array;
}

const formOf = ({ shape, dtype, runtime, storage, strides }: Node): ArgumentForm => ({
  shape,
  dtype,
  runtime,
  onHost: storage === null,
  strides: strides === null ? '' : strides.join(),
});

const fits = (form: ArgumentForm, node: Node): boolean =>
  form.shape === node.shape &&
  form.dtype === node.dtype &&
  form.runtime === node.runtime &&
  form.onHost === (node.storage === null) &&
  (node.strides === null ? form.strides === '' : form.strides === node.strides.join());

/** All plans of one function. */
class Plans {
  readonly #fn: (...args: readonly unknown[]) => unknown;
  /** Last used first. */
  #candidates: Candidate[] = [];
  #last: Captured | null = null;
  #hit = false;
  #counts = { traces: 0, replays: 0, uncompiled: 0 };
  #warned = false;

  constructor(fn: (...args: readonly unknown[]) => unknown) {
    this.#fn = fn;
  }

  get statistics(): CompileStatistics {
    return { ...this.#counts, plans: this.#candidates.length };
  }

  call(args: readonly unknown[]): unknown {
    // Inside another trace it is part of that; in debug mode every op is computed and looked at by itself.
    if (tracing.active !== null || debugSettings.recorded !== null) return this.#fn(...args);
    const { structure, tensors } = takeArgumentsApart(args);
    const nodes: Node[] = [];
    let traces = 0;
    let isPending = false;
    for (const t of tensors) {
      const node = nodeOf(t, 'compile');
      traces |= node.traces;
      isPending ||= node.state === 'pending';
      nodes.push(node);
    }
    if ((traces & tracesUnderWay()) !== 0 && gradientsAreOn()) return this.#asItIs(args);
    if (isPending) evaluate(...tensors);
    for (const candidate of this.#candidates) {
      if (!matches(candidate, structure, nodes)) continue;
      const { host } = candidate.replay.captured;
      const { numbers } = candidate;
      if (!playHost(host, numbers)) continue;
      if (!candidate.replay.bind(nodes)) {
        undo(host);
        continue;
      }
      this.#counts.replays++;
      this.#used(candidate, true);
      return this.#run(candidate, nodes, numbers);
    }
    try {
      return this.#trace(structure, nodes);
    } catch (error) {
      if (error instanceof Untraceable) return this.#asItIs(args);
      throw error;
    }
  }

  #asItIs(args: readonly unknown[]): unknown {
    this.#counts.uncompiled++;
    return this.#fn(...args);
  }

  /** Runs the function under trace, plans it, and runs the plan. */
  #trace(structure: Structure, nodes: readonly Node[]): unknown {
    const since = nextNodeId();
    const runtime = nodes[0]?.runtime ?? defaultRuntime();
    const placeholders: Node[] = [];
    this.#counts.traces++;
    const run = (): unknown => {
      const stand = nodes.map((node) => {
        const placeholder = new Node(ARGUMENT, [], NO_ATTRIBUTE, node.shape, node.dtype, node.runtime, 0);
        shareValue(placeholder, node);
        placeholders.push(placeholder);
        return methodful(placeholder);
      });
      return requireImmediate(this.#fn(...(putTogether(structure, stand) as readonly unknown[])));
    };
    const captured = Trace.run(run, (traced) => capture(traced, placeholders, runtime, since));
    const candidate: Candidate = {
      structure,
      forms: nodes.map(formOf),
      gradients: gradientsAreOn(),
      replay: new Replay(captured),
      numbers: Float64Array.from(captured.host, (entry) => (entry.kind === 'number' ? entry.node.value : NaN)),
    };
    this.#used(candidate, false);
    this.#limit(nodes);
    if (!candidate.replay.bind(nodes)) internalError('a trace that does not fit itself');
    return this.#run(candidate, nodes, candidate.numbers);
  }

  /** Runs the kernels of a call whose host's part is done; takes that back when they fail. */
  #run({ replay }: Candidate, nodes: readonly Node[], numbers: ArrayLike<number>): unknown {
    const { checks, structure, host } = replay.captured;
    try {
      for (const { argument, look } of checks) look(nodes[argument] as Node);
      return putTogether(structure, replay.run(nodes, numbers));
    } catch (error) {
      undo(host);
      throw error;
    }
  }

  #used(candidate: Candidate, hit: boolean): void {
    this.#last = candidate.replay.captured;
    this.#hit = hit;
    if (this.#candidates[0] === candidate) return;
    this.#candidates = [candidate, ...this.#candidates.filter((other) => other !== candidate)];
  }

  #limit(nodes: readonly Node[]): void {
    for (const { replay } of this.#candidates) if (replay.isStale) replay.dispose();
    this.#candidates = this.#candidates.filter(({ replay }) => !replay.isStale);
    while (this.#candidates.length > MAX_PLANS) this.#candidates.pop()?.replay.dispose();
    if (this.#warned || this.#candidates.length <= PLANS_BEFORE_WARNING) return;
    this.#warned = true;
    const shapes = nodes.map((node) => `${node.dtype}${showDims(node.shape.dims)}`).join(', ');
    warn(
      `[compile] ${this.#candidates.length} plans of one function, the last for (${shapes}): each takes time and memory. ` +
        'Fix: give batches of equal shapes (drop or pad the last), pass numbers that change as tensors or hostNumber(…), and functions or objects that stay the same.',
    );
  }

  explain(): FlushReport | null {
    if (this.#last === null) return null;
    const { plan, runtime } = this.#last;
    const { memory } = this.#candidates.find((c) => c.replay.captured === this.#last)?.replay ?? { memory: { blocks: 0, bytes: 0 } };
    return flushReport({
      device: runtime.backend.name,
      kernels: plan.steps.map((step) => describeStep(plan, step)),
      nodes: plan.items.length,
      ...memory,
      planHit: this.#hit,
    });
  }

  dispose(): void {
    for (const { replay } of this.#candidates) replay.dispose();
    this.#candidates = [];
    this.#last = null;
  }
}

function matches({ structure, forms, gradients, replay }: Candidate, given: Structure, nodes: readonly Node[]): boolean {
  if (forms.length !== nodes.length || gradients !== gradientsAreOn() || replay.isStale) return false;
  for (let i = 0; i < forms.length; i++) if (!fits(forms[i] as ArgumentForm, nodes[i] as Node)) return false;
  return sameStructure(structure, given);
}

/** Does the host's part of a call, in order, and writes down its numbers. False when a decision has come out otherwise; then nothing has happened. */
function playHost(host: readonly HostEntry[], numbers: Float64Array): boolean {
  for (let at = 0; at < host.length; at++) {
    const entry = host[at] as HostEntry;
    if (entry.kind === 'number') numbers[at] = entry.read();
    else if (entry.kind === 'effect') entry.run();
    else if (!Object.is(entry.read(), entry.value)) {
      undo(host.slice(0, at));
      return false;
    }
  }
  return true;
}

/** Says something to whoever runs the program, where there is a console. */
function warn(text: string): void {
  (globalThis as { readonly console?: { warn(text: string): void } }).console?.warn(text);
}

function requireImmediate(result: unknown): unknown {
  if (!(result instanceof Promise)) return result;
  // Whatever it was about to do fails in the trace's way; nobody waits for it.
  result.catch(() => undefined);
  throw new TraceError({
    op: 'compile',
    expected: 'a function that returns its results at once',
    got: 'one that returns a promise',
    fix: 'await outside: compile the part between.',
  });
}
