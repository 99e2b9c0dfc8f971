/**
 * Groups of parameters: what a constructor takes, the name of each parameter, and options that a group has of its own.
 *
 * A parameter's name is what its state is saved under. `model.namedParameters()` brings names; tensors that come without are numbered in the
 * order given, as PyTorch does.
 */

import { ArgumentError, hostDecision, hostEffect, isTensor, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

/** A parameter and its name, as `model.namedParameters()` gives them. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

/** Parameters, with names or without. */
export type ParameterList = Iterable<Tensor> | Iterable<NamedTensor>;

/** A group of parameters with options of its own. */
export interface ParameterGroup<Options> {
  readonly parameters: ParameterList;
  readonly options?: Partial<Options>;
}

/** Parameters, or groups of them. */
export type Parameters<Options> = ParameterList | Iterable<ParameterGroup<Options>>;

/** A group once its parameters have names. */
interface NamedGroup<Options> {
  readonly members: readonly NamedTensor[];
  readonly options: Partial<Options>;
}

/** Refuses options that a rule cannot work with. */
export type Check<Options> = (options: Options) => void;

/** A group of an optimizer: its parameters, and what it has of its own. */
export class OptimizerGroup<Options extends { readonly lr: number }> {
  /** The names of the parameters. */
  readonly names: readonly string[];
  readonly parameters: readonly Tensor[];
  readonly #common: () => Options;
  readonly #check: Check<Options>;
  #own: Partial<Options>;
  #both: Options | null = null;
  #seen: Options | null = null;

  constructor(members: readonly NamedTensor[], own: Partial<Options>, common: () => Options, check: Check<Options>) {
    this.names = members.map(([name]) => name);
    this.parameters = members.map(([, tensor]) => tensor);
    this.#own = own;
    this.#common = common;
    this.#check = check;
    check(this.options);
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

  /** Options it has of its own. */
  get own(): Partial<Options> {
    return this.#own;
  }

  /**
   * Changes options of its own, from the next step on. Given a function, a compiled step calls it again each time.
   *
   * @throws ArgumentError for what the rule cannot work with, and nothing has changed
   */
  set(options: Partial<Options> | (() => Partial<Options>)): void {
    let before = this.#own;
    const put = (own: Partial<Options>): void => {
      this.#own = own;
      this.#both = null;
    };
    hostEffect(
      () => {
        const own = { ...this.#own, ...(typeof options === 'function' ? options() : options) };
        this.#check({ ...this.#common(), ...own });
        before = this.#own;
        put(own);
      },
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

/** The groups of what a constructor was given; loose parameters are the first. @throws ArgumentError for none, one twice, or what is no parameter */
export function groupsOf<Options>(op: string, parameters: Parameters<Options>): readonly NamedGroup<Options>[] {
  const loose: (Tensor | NamedTensor)[] = [];
  const groups: { readonly list: readonly (Tensor | NamedTensor)[]; readonly options: Partial<Options> }[] = [];
  for (const each of listed<unknown>(op, parameters)) {
    if (isTensor(each) || isNamed(each)) loose.push(each);
    else groups.push(groupOf(op, each));
  }
  let at = 0;
  const named = (list: readonly (Tensor | NamedTensor)[]): readonly NamedTensor[] =>
    list.map((each) => {
      const place = String(at++);
      return isNamed(each) ? each : [place, each];
    });
  const all = [...(loose.length > 0 ? [{ list: loose, options: {} }] : []), ...groups].map(({ list, options }) => ({
    members: named(list),
    options,
  }));
  requireDistinct(
    op,
    all.flatMap((group) => group.members),
  );
  return all;
}

/** A list's members. @throws ArgumentError for what is no list */
function listed<T>(op: string, list: unknown): T[] {
  if (typeof list === 'object' && list !== null && !isTensor(list) && Symbol.iterator in list) return [...(list as Iterable<T>)];
  throw new ArgumentError({ op, expected: 'parameters in an array', got: showValue(list), fix: 'pass model.parameters().' });
}

function isNamed(each: unknown): each is NamedTensor {
  return Array.isArray(each) && each.length === 2 && typeof each[0] === 'string' && isTensor(each[1]);
}

function groupOf<Options>(op: string, each: unknown): { readonly list: readonly (Tensor | NamedTensor)[]; readonly options: Partial<Options> } {
  const { parameters, options = {} } = (each ?? {}) as Partial<ParameterGroup<Options>>;
  const list = typeof parameters === 'object' ? listed<Tensor | NamedTensor>(op, parameters) : [undefined];
  if (list.every((member) => isTensor(member) || isNamed(member))) return { list, options };
  throw new ArgumentError({
    op,
    expected: 'tensors, or groups of them',
    got: `${showValue(each)} without \`parameters\``,
    fix: 'write a group as { parameters: [...], options: { lr: 0.1 } }.',
  });
}

function requireDistinct(op: string, members: readonly NamedTensor[]): void {
  if (members.length === 0) throw new ArgumentError({ op, expected: 'at least one parameter', got: 'none', fix: 'pass model.parameters().' });
  if (new Set(members.map(([, tensor]) => tensor)).size !== members.length)
    throw new ArgumentError({ op, expected: 'each parameter once', got: 'one in two places' });
  const names = members.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new ArgumentError({ op, expected: 'a name for each parameter', got: `two named ${twice}`, fix: 'rename one of them.' });
}

/** @throws ArgumentError for a rate that is negative or not finite */
export function requireRate(lr: number): void {
  if (!(Number.isFinite(lr) && lr >= 0))
    throw new ArgumentError({ op: 'optimizer', expected: 'a learning rate of at least 0', got: String(lr), fix: 'pass { lr: 0.01 }.' });
}
