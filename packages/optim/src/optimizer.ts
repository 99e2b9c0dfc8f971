/**
 * What all optimizers share: parameters in flat arenas, the step as one kernel over each, state by place in the arena.
 *
 * A step covers the parameters that have a gradient. Usually those are all, and one kernel updates the whole arena; otherwise each
 * *run* of neighbouring parameters with gradients (and the same number of steps behind them) is updated on its own.
 */

import {
  Arena,
  ArgumentError,
  State,
  assign,
  backward,
  compose,
  concatenate,
  hasGradient,
  hostDecision,
  hostEffect,
  hostNumber,
  isTensor,
  noGrad,
  showValue,
  slice,
  zeros,
} from '@gradus/tensor';
import type { HostNumber, Tensor } from '@gradus/tensor';

/** A group of parameters with options of its own. */
export interface ParameterGroup<Options> {
  readonly parameters: readonly Tensor[];
  readonly options?: Partial<Options>;
}

/** Parameters, or groups of them. */
export type Parameters<Options> = readonly Tensor[] | readonly ParameterGroup<Options>[];

/** A group of an optimizer: its parameters, and what it has of its own. */
export class OptimizerGroup<Options extends { readonly lr: number }> {
  readonly parameters: readonly Tensor[];
  readonly #common: () => Options;
  #own: Partial<Options>;
  #both: Options | null = null;
  #seen: Options | null = null;

  constructor(parameters: readonly Tensor[], own: Partial<Options>, common: () => Options) {
    if (own.lr !== undefined) requireRate(own.lr);
    this.parameters = parameters;
    this.#own = own;
    this.#common = common;
  }

  /** The options in force: its own over the optimizer's. */
  get options(): Options {
    const common = this.#common();
    if (this.#both === null || this.#seen !== common) {
      this.#seen = common;
      this.#both = { ...common, ...this.#own };
    }
    return this.#both;
  }

  /** Changes options of its own, from the next step on. @throws ArgumentError for a rate that is negative or not finite */
  set(options: Partial<Options>): void {
    if (options.lr !== undefined) requireRate(options.lr);
    const before = this.#own;
    const put = (own: Partial<Options>): void => {
      this.#own = own;
      this.#both = null;
    };
    hostEffect(
      () => put({ ...this.#own, ...options }),
      () => put(before),
    );
  }

  /** The learning rate of these parameters; setting it takes effect at the next step. @throws ArgumentError when negative or not finite */
  get lr(): number {
    return hostDecision(() => this.options.lr);
  }

  set lr(lr: number) {
    this.set({ lr } as Partial<Options>);
  }
}

/** What the numbers of a rule are made of: the options in force, and the step, which is 1 in the first one of these parameters. */
export type Settings<Options> = Options & { readonly step: number };

/** What an update rule gets: flat tensors of one run of parameters, and two ways to ask for the options. */
export interface Update<Options> {
  readonly values: Tensor;
  readonly gradients: Tensor;
  /** State tensors, in the order of the rule's slots. */
  readonly state: readonly Tensor[];
  /** A number for calculating with, which is worked out anew in every step, compiled or not: rates, decays, corrections. */
  readonly number: (of: (settings: Settings<Options>) => number) => HostNumber;
  /** A fact that decides what is calculated at all: where it changes, a compiled step is traced again. */
  readonly decide: <T extends boolean | number | string>(of: (settings: Settings<Options>) => T) => T;
}

/** New values and new state. */
export interface Updated {
  readonly values: Tensor;
  readonly state: readonly Tensor[];
}

/** Neighbouring members `from` up to `to`, with as many steps behind them. */
interface MemberRun {
  readonly from: number;
  readonly to: number;
  readonly updated: boolean;
}

/** One group: its arena, its state, and how many steps each parameter has taken. */
class Group<Options extends { readonly lr: number }> {
  readonly arena: Arena;
  readonly state: readonly State[];
  readonly steps: number[];
  readonly owner: OptimizerGroup<Options>;
  /** Which neighbours have taken equally many steps: these are updated together. */
  readonly #boundaries = (): string => this.steps.reduce((text, step, i) => (i > 0 && step !== this.steps[i - 1] ? `${text},${i}` : text), '');

  constructor(parameters: readonly Tensor[], slots: number, owner: OptimizerGroup<Options>) {
    this.arena = new Arena(parameters);
    const { dtype, size } = this.arena;
    const device = parameters[0]?.device;
    this.state = Array.from({ length: slots }, () => compose(() => new State(zeros([size], { dtype, ...(device && { device }) }))));
    this.steps = parameters.map(() => 0);
    this.owner = owner;
  }

  runs(): MemberRun[] {
    hostDecision(this.#boundaries);
    const runs: MemberRun[] = [];
    this.arena.tensors.forEach((tensor, i) => {
      const updated = hasGradient(tensor);
      const last = runs.at(-1);
      if (last !== undefined && last.updated === updated && (!updated || this.steps[i] === this.steps[i - 1]))
        runs[runs.length - 1] = { ...last, to: i + 1 };
      else runs.push({ from: i, to: i + 1, updated });
    });
    return runs;
  }

  /** Counts a step of the updated ones. */
  count(runs: readonly MemberRun[]): void {
    const add = (n: number): void => {
      for (const { updated, from, to } of runs) if (updated) for (let i = from; i < to; i++) this.steps[i] = (this.steps[i] ?? 0) + n;
    };
    hostEffect(
      () => add(1),
      () => add(-1),
    );
  }
}

/** What an optimizer remembers of one arena: how many steps each parameter has taken, and the values of its state. */
export interface ArenaState {
  readonly steps: readonly number[];
  readonly state: readonly Tensor[];
}

/** What every optimizer can do, whatever its options. */
export interface Optimizer extends Disposable {
  /** The learning rate; setting it takes effect at the next step. */
  lr: number;
  readonly parameters: readonly Tensor[];
  /** Arenas of parameters of one dtype and device: for what looks at all gradients at once. */
  readonly arenas: readonly Arena[];
  /** The state tensors of each arena: momentum, moments. */
  readonly state: readonly (readonly State[])[];
  /** Copies of everything that the next steps depend on, but for parameters and options: one entry an arena. */
  stateDict(): readonly ArenaState[];
  /** Goes on from what {@link stateDict} gave. @throws ArgumentError when it is of other parameters */
  loadStateDict(saved: readonly ArenaState[]): void;
  /** Forgets all gradients. */
  zeroGrad(): void;
  /** Updates every parameter that has a gradient. */
  step(): void;
  /** `zeroGrad()`, `loss.backward()`, `step()`. */
  minimize(loss: Tensor): void;
  /** Frees the state. */
  dispose(): void;
}

/** Base of optimizers whose rule is elementwise, over flat arenas. A new one writes `update`. */
export abstract class ArenaOptimizer<Options extends { readonly lr: number }> implements Optimizer {
  readonly #groups: readonly Group<Options>[];
  readonly #owners: readonly OptimizerGroup<Options>[];
  #options: Options;

  /** @param slots state tensors of the rule, each as large as the parameters. @throws ArgumentError for no parameters, or one twice */
  protected constructor(parameters: Parameters<Options>, options: Options, slots: number) {
    this.#options = options;
    requireRate(options.lr);
    const groups = groupsOf(this.constructor.name, parameters);
    const all = groups.flatMap((g) => g.parameters);
    if (all.length === 0)
      throw new ArgumentError({ op: this.constructor.name, expected: 'at least one parameter', got: 'none', fix: 'pass model.parameters().' });
    if (new Set(all).size !== all.length)
      throw new ArgumentError({ op: this.constructor.name, expected: 'each parameter once', got: 'one in two places' });
    this.#owners = groups.map((group) => new OptimizerGroup<Options>(group.parameters, group.options ?? {}, () => this.#options));
    this.#groups = this.#owners.flatMap((owner) => byKind(owner.parameters).map((same) => new Group(same, slots, owner)));
  }

  /** The update of one run of parameters, written in ops. */
  protected abstract update(run: Update<Options>): Updated;

  /** The learning rate; setting it takes effect at the next step. @throws ArgumentError when negative or not finite */
  get lr(): number {
    return hostDecision(() => this.#options.lr);
  }

  set lr(lr: number) {
    requireRate(lr);
    const before = this.#options;
    hostEffect(
      () => (this.#options = { ...this.#options, lr }),
      () => (this.#options = before),
    );
  }

  /** The groups, in the order given; one for parameters that came without. */
  get groups(): readonly OptimizerGroup<Options>[] {
    return this.#owners;
  }

  /** The options in force. */
  get options(): Options {
    return this.#options;
  }

  /** All parameters. */
  get parameters(): readonly Tensor[] {
    return this.#groups.flatMap((g) => g.arena.tensors);
  }

  get arenas(): readonly Arena[] {
    return this.#groups.map((g) => g.arena);
  }

  get state(): readonly (readonly State[])[] {
    return this.#groups.map((g) => g.state);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const tensor of this.parameters) tensor.grad = null;
  }

  /** Updates every parameter that has a gradient; one kernel an arena. Computes what is pending on the device. */
  step(): void {
    noGrad(() => {
      const touched = this.#groups.filter((group) => this.#stepGroup(group));
      for (const group of touched) group.arena.commit();
    });
  }

  /** `zeroGrad()`, `loss.backward()`, `step()`. */
  minimize(loss: Tensor): void {
    this.zeroGrad();
    backward(loss);
    this.step();
  }

  /** Copies of everything that the next steps depend on, but for parameters and options: one entry an arena, in order. */
  stateDict(): readonly ArenaState[] {
    return this.#groups.map(({ steps, state }) => ({ steps: [...steps], state: state.map((s) => s.copy()) }));
  }

  /** Goes on from what {@link stateDict} gave, for parameters of the same shapes. @throws ArgumentError when it is of other parameters, and nothing has changed */
  loadStateDict(saved: readonly ArenaState[]): void {
    const fits = (group: Group<Options>, of: ArenaState | undefined): boolean =>
      of?.steps.length === group.steps.length &&
      of.state.length === group.state.length &&
      group.state.every((own, i) => own.size === of.state[i]?.size && own.dtype === of.state[i]?.dtype);
    if (saved.length !== this.#groups.length || !this.#groups.every((group, i) => fits(group, saved[i]))) {
      throw new ArgumentError({
        op: 'loadStateDict',
        expected: `state of ${this.#groups.map((g) => `${g.steps.length} parameters with ${g.arena.size} elements`).join(', ')}`,
        got: saved.map((s) => `${s.steps.length} parameters with ${s.state[0]?.size ?? 0} elements`).join(', ') || 'none',
        fix: 'make the optimizer of the same parameters, in the same groups.',
      });
    }
    noGrad(() => {
      // All copies before the first change, so that one that cannot be made leaves everything as it is.
      const copies = this.#groups.map(({ state }, i) => state.map((own, j) => compose(() => (saved[i]?.state[j] ?? own).copy())));
      for (const [i, { steps, state }] of this.#groups.entries()) {
        steps.splice(0, steps.length, ...(saved[i]?.steps ?? []));
        for (const [j, own] of state.entries()) assign(own, copies[i]?.[j] ?? own);
      }
    });
  }

  #stepGroup(group: Group<Options>): boolean {
    const runs = group.runs();
    if (!runs.some((run) => run.updated)) return false;
    const { arena } = group;
    const { values } = arena;
    compose(() => {
      const parts = runs.map((run) => this.#stepRun(group, values, run, runs.length === 1));
      arena.assign(joined(parts.map((p) => p.values)));
      group.state.forEach((state, i) => assign(state, joined(parts.map((p) => p.state[i] ?? state))));
      return [];
    });
    group.count(runs);
    return true;
  }

  #stepRun(group: Group<Options>, values: Tensor, run: MemberRun, whole: boolean): Updated {
    const { arena, state } = group;
    const start = arena.offsets[run.from] ?? 0;
    const end = arena.offsets[run.to] ?? arena.size;
    const part = (t: Tensor): Tensor => (whole ? t : slice(t, [{ start, end }]));
    const mine: Updated = { values: part(values), state: state.map(part) };
    if (!run.updated) return mine;
    const settings = this.#settingsOf(group, run.from);
    return this.update({
      ...mine,
      gradients: arena.gradients(run.from, run.to),
      number: (of) => hostNumber(() => of(settings())),
      decide: (of) => hostDecision(() => of(settings())),
    });
  }

  /** The settings of member `member` in its next step, put together anew when something in them has changed. */
  #settingsOf(group: Group<Options>, member: number): () => Settings<Options> {
    let seen = group.owner.options;
    let settings = { ...seen, step: 0 };
    return () => {
      const { options } = group.owner;
      if (seen !== options) {
        seen = options;
        settings = { ...options, step: 0 };
      }
      settings.step = (group.steps[member] ?? 0) + 1;
      return settings;
    };
  }

  /** Frees the state and the arenas' own hold on the parameters, which live on. */
  dispose(): void {
    for (const group of this.#groups) {
      group.arena.dispose();
      for (const state of group.state) state.dispose();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function joined(parts: readonly Tensor[]): Tensor {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : concatenate(parts);
}

function groupsOf<Options>(op: string, parameters: Parameters<Options>): readonly ParameterGroup<Options>[] {
  if (!Array.isArray(parameters))
    throw new ArgumentError({ op, expected: 'parameters in an array', got: showValue(parameters), fix: 'pass model.parameters().' });
  const groups: ParameterGroup<Options>[] = [];
  const loose: Tensor[] = [];
  for (const each of parameters) {
    if (isTensor(each)) loose.push(each);
    else if (Array.isArray((each as Partial<ParameterGroup<Options>> | null | undefined)?.parameters)) groups.push(each);
    else
      throw new ArgumentError({
        op,
        expected: 'tensors, or groups of them',
        got: `${showValue(each)} without \`parameters\``,
        fix: 'write a group as { parameters: [...], options: { lr: 0.1 } }.',
      });
  }
  return loose.length > 0 ? [{ parameters: loose }, ...groups] : groups;
}

/** An arena holds one dtype on one device. */
function byKind(parameters: readonly Tensor[]): Tensor[][] {
  const kinds: Tensor[][] = [];
  for (const parameter of parameters) {
    const same = kinds.find(([first]) => first?.dtype === parameter.dtype && first.device === parameter.device);
    if (same === undefined) kinds.push([parameter]);
    else same.push(parameter);
  }
  return kinds;
}

function requireRate(lr: number): void {
  if (!(Number.isFinite(lr) && lr >= 0))
    throw new ArgumentError({ op: 'optimizer', expected: 'a learning rate of at least 0', got: String(lr), fix: 'pass { lr: 0.01 }.' });
}
