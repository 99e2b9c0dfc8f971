/**
 * What all optimizers share: parameters in flat arenas, the step as one kernel over each, state by the names of parameters.
 *
 * A step covers the parameters that have a gradient. Usually those are all, and one kernel updates the whole arena.
 */

import { ArgumentError, assign, backward, compose, hostDecision, hostEffect, hostNumber, noGrad, reshape, showValue, slice } from '@gradus/tensor';
import type { Arena, HostNumber, State, Tensor } from '@gradus/tensor';
import { Block, byKind, joined } from './block.ts';
import type { Carried, MemberRun, ParameterState, StateLayout } from './block.ts';
import { OptimizerGroup, groupsOf, requireRate } from './groups.ts';
import type { Check, Parameters } from './groups.ts';

/** What the numbers of a rule are made of: the options in force; the step, which is 1 in the first one of these parameters; and what is carried on. */
export type Settings<Options> = Options & { readonly step: number; readonly carried: Carried };

/** What an update rule gets: the tensors of one run of parameters, and two ways to ask for the options. */
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

/** All that the next steps depend on, but for the parameters' values: tensors and plain data. */
export interface OptimizerState {
  /** By the parameter's name: `step`, and the tensors of the rule. */
  readonly state: Readonly<Record<string, ParameterState>>;
  /** Options of the optimizer. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Each group's parameters, and the options it has of its own. */
  readonly groups: readonly { readonly names: readonly string[]; readonly options: Readonly<Record<string, unknown>> }[];
}

/** Options of {@link Optimizer.loadStateDict}. */
export interface LoadStateOptions {
  /** Take over the options too. Default true; with false, those in force stay, and groups may be others. */
  readonly options?: boolean;
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
  /** Copies of everything that the next steps depend on, but for the parameters. */
  stateDict(): OptimizerState;
  /** Goes on from what {@link stateDict} gave. @throws ArgumentError when it is of other parameters */
  loadStateDict(saved: OptimizerState, options?: LoadStateOptions): void;
  /** Forgets all gradients. */
  zeroGrad(): void;
  /** Updates every parameter that has a gradient. */
  step(): void;
  /** `zeroGrad()`, `loss.backward()`, `step()`. */
  minimize(loss: Tensor): void;
  /** Frees the state. */
  dispose(): void;
}

/** Base of optimizers over flat arenas. A new one writes `update`. */
export abstract class ArenaOptimizer<Options extends { readonly lr: number }> implements Optimizer {
  readonly #blocks: readonly Block<Options>[];
  readonly #groups: readonly OptimizerGroup<Options>[];
  readonly #check: Check<Options>;
  #options: Options;

  /**
   * @param layout what the rule keeps of each parameter: the names of its state tensors, each as large as the parameter, or more than that
   * @throws ArgumentError for no parameters, one twice, or options that the rule cannot work with
   */
  protected constructor(parameters: Parameters<Options>, options: Options, layout: readonly string[] | StateLayout<Options>) {
    const full: StateLayout<Options> = isNames(layout) ? { slots: () => layout } : layout;
    this.#options = options;
    this.#check = (all) => {
      requireRate(all.lr);
      full.check?.(all);
    };
    this.#check(options);
    const groups = groupsOf<Options>(this.constructor.name, parameters);
    for (const [name, tensor] of groups.flatMap(({ members }) => members)) full.checkMember?.(name, tensor.shape);
    const common = (): Options => this.#options;
    const blocks: Block<Options>[] = [];
    this.#groups = groups.map(({ members, options: own }) => {
      const slots = full.slots({ ...options, ...own }).join(', ');
      const check = (all: Options): void => {
        this.#check(all);
        requireSlots(this.constructor.name, slots, full.slots(all).join(', '));
      };
      const group = new OptimizerGroup(members, own, common, check);
      blocks.push(...byKind(members).map((same) => new Block(same, full, group)));
      return group;
    });
    this.#blocks = blocks;
  }

  /** The update of one run of parameters, written in ops. */
  protected abstract update(run: Update<Options>): Updated;

  /** The learning rate; setting it takes effect at the next step. @throws ArgumentError when negative or not finite */
  get lr(): number {
    return hostDecision(() => this.#options.lr);
  }

  set lr(lr: number) {
    this.set({ lr } as Partial<Options>);
  }

  /**
   * Changes options of the optimizer, from the next step on; groups keep what they have of their own. Given a function, a compiled step calls it
   * again each time.
   *
   * @throws ArgumentError for what the rule cannot work with, and nothing has changed
   */
  set(options: Partial<Options> | (() => Partial<Options>)): void {
    let before = this.#options;
    hostEffect(
      () => {
        const all = { ...this.#options, ...(typeof options === 'function' ? options() : options) };
        this.#check(all);
        before = this.#options;
        this.#options = all;
      },
      () => (this.#options = before),
    );
  }

  /** The groups, in the order given; one for parameters that came without. */
  get groups(): readonly OptimizerGroup<Options>[] {
    return this.#groups;
  }

  /** The options in force. */
  get options(): Options {
    return this.#options;
  }

  /** All parameters. */
  get parameters(): readonly Tensor[] {
    return this.#blocks.flatMap((block) => block.arena.tensors);
  }

  get arenas(): readonly Arena[] {
    return this.#blocks.map((block) => block.arena);
  }

  get state(): readonly (readonly State[])[] {
    return this.#blocks.map((block) => block.state);
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const tensor of this.parameters) tensor.grad = null;
  }

  /** Updates every parameter that has a gradient; one kernel an arena. Computes what is pending on the device. */
  step(): void {
    noGrad(() => {
      const touched = this.#blocks.filter((block) => this.#stepBlock(block));
      for (const block of touched) block.arena.commit();
    });
  }

  /** Gives every parameter that has taken a step another value, by a rule over flat runs; what it has behind it stays as it is. */
  protected rewrite(rule: (run: Omit<Update<Options>, 'gradients'>) => Tensor): void {
    noGrad(() => {
      for (const { block, runs } of this.#blocks.map((each) => ({ block: each, runs: each.steppedRuns() }))) {
        const flat = block.arena.values;
        compose(() => {
          block.arena.assign(joined(runs.map((run) => (run.updated ? rule(this.#runOf(block, flat, run)) : this.#runOf(block, flat, run).values))));
          return [];
        });
        block.arena.commit();
      }
    });
  }

  /** `zeroGrad()`, `loss.backward()`, `step()`. */
  minimize(loss: Tensor): void {
    this.zeroGrad();
    backward(loss);
    this.step();
  }

  /**
   * Copies of everything that the next steps depend on, but for the parameters: state by name, options, and groups. Where parameters lie and in which
   * order is no part of it.
   */
  stateDict(): OptimizerState {
    return {
      state: Object.fromEntries(this.#blocks.flatMap((block) => block.saved())),
      options: { ...this.#options },
      groups: this.#groups.map(({ names, own }) => ({ names, options: { ...own } })),
    };
  }

  /**
   * Goes on from what {@link stateDict} gave, for parameters of the same names and shapes, wherever they lie.
   *
   * @throws ArgumentError listing what is missing, unexpected or different, or for other groups; nothing has changed
   */
  loadStateDict(saved: OptimizerState, { options = true }: LoadStateOptions = {}): void {
    this.#requireSame(saved, options);
    const state = (block: Block<Options>): ParameterState[] => block.names.map((name) => saved.state[name] ?? {});
    noGrad(() => {
      // All copies before the first change, so that one that cannot be made leaves everything as it is.
      const loads = this.#blocks.map((block) => block.prepare(state(block)));
      for (const load of loads) load();
    });
    if (!options) return;
    this.set(saved.options as Partial<Options>);
    for (const group of this.#groups) {
      const own = savedGroup(saved, group)?.options;
      const all: Readonly<Record<string, unknown>> = { ...saved.options, ...own };
      group.set(Object.fromEntries(Object.keys({ ...group.own, ...own }).map((key) => [key, all[key]])) as Partial<Options>);
    }
  }

  #requireSame(saved: OptimizerState, options: boolean): void {
    if (typeof saved?.state !== 'object' || !Array.isArray(saved.groups))
      throw new ArgumentError({ op: 'loadStateDict', expected: 'what stateDict() gave', got: showValue(saved) });
    const own = new Set(this.#blocks.flatMap((block) => block.names));
    const missing = [...own].filter((name) => !Object.hasOwn(saved.state, name));
    const unexpected = Object.keys(saved.state).filter((name) => !own.has(name));
    const different = this.#blocks.flatMap((block) =>
      block.names.flatMap((name, i) => (Object.hasOwn(saved.state, name) ? block.differences(i, saved.state[name] ?? {}) : [])),
    );
    const list = (title: string, names: readonly string[]): string[] => (names.length === 0 ? [] : [`${title} ${names.join(', ')}`]);
    const found = [...list('missing', missing), ...list('unexpected', unexpected), ...different];
    if (found.length > 0)
      throw new ArgumentError({
        op: 'loadStateDict',
        expected: `the state of ${own.size} parameters as they are here`,
        got: found.join('; '),
        fix: 'make the optimizer of the same parameters, with model.namedParameters(), and move saved tensors to its device.',
      });
    if (options && this.#groups.some((group) => savedGroup(saved, group) === undefined))
      throw new ArgumentError({
        op: 'loadStateDict',
        expected: 'options of the same groups',
        got: `groups of ${saved.groups.map(({ names }) => names.length).join(', ')} parameters`,
        fix: 'make the same groups, or keep the options here: loadStateDict(saved, { options: false }).',
      });
    if (options) for (const group of this.#groups) this.#check({ ...this.#options, ...saved.options, ...savedGroup(saved, group)?.options });
  }

  #stepBlock(block: Block<Options>): boolean {
    const runs = block.runs();
    if (!runs.some((run) => run.updated)) return false;
    const { arena } = block;
    const { values } = arena;
    compose(() => {
      const parts = runs.map((run) => this.#stepRun(block, values, run));
      arena.assign(joined(parts.map((p) => p.values)));
      block.state.forEach((state, i) => assign(state, joined(parts.map((p) => p.state[i] ?? state))));
      return [];
    });
    block.count(runs);
    return true;
  }

  #stepRun(block: Block<Options>, flat: Tensor, run: MemberRun): Updated {
    const before = this.#runOf(block, flat, run);
    if (!run.updated) return before;
    const { from, to } = run;
    const gradients = block.arena.gradients(from, to);
    if (!block.each) return this.update({ ...before, gradients });
    const dims = block.shapes[from] ?? [];
    const after = this.update({
      ...before,
      values: reshape(before.values, dims),
      gradients: reshape(gradients, dims),
      state: before.state.map((part, i) => reshape(part, block.slots[i]?.shapes[from] ?? [])),
    });
    return { values: reshape(after.values, [-1]), state: after.state.map((part) => reshape(part, [-1])) };
  }

  /** What a rule gets of these members, flat. */
  #runOf(block: Block<Options>, flat: Tensor, { from, to }: MemberRun): Omit<Update<Options>, 'gradients'> {
    const { arena, slots } = block;
    const [start, end] = [arena.offsets[from] ?? 0, arena.offsets[to] ?? arena.size];
    const settings = block.settings(from);
    return {
      values: end - start === arena.size ? flat : slice(flat, [{ start, end }]),
      state: slots.map((slot) => slot.part(from, to)),
      number: (of) => hostNumber(() => of(settings())),
      decide: (of) => hostDecision(() => of(settings())),
    };
  }

  /** Frees the state and the arenas' own hold on the parameters, which live on. */
  dispose(): void {
    for (const block of this.#blocks) block.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function isNames(layout: readonly string[] | object): layout is readonly string[] {
  return Array.isArray(layout);
}

/** Options that need other state tensors than there are would go unheard. */
function requireSlots(op: string, here: string, wanted: string): void {
  if (here === wanted) return;
  throw new ArgumentError({
    op,
    expected: `options that need the state there is: ${here || 'none'}`,
    got: `some that need ${wanted || 'none'}`,
    fix: 'set these options when the optimizer is made.',
  });
}

/** The saved group of the same parameters. */
function savedGroup<Options extends { readonly lr: number }>(
  { groups }: OptimizerState,
  { names }: OptimizerGroup<Options>,
): OptimizerState['groups'][number] | undefined {
  const all = new Set(names);
  return groups.find((saved) => saved.names.length === names.length && saved.names.every((name) => all.has(name)));
}
