/**
 * A block: the parameters of a group that share dtype and device, in an arena, with their state in blocks beside it.
 *
 * A step treats a *run* of neighbouring parameters at once: those that have a gradient and as much behind them. Rules that look at each
 * parameter as a whole (its norm, its rows) have runs of one.
 */

import { Arena, State, assign, compose, concatenate, hasGradient, hostDecision, hostEffect, noGrad, reshape, slice, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { NamedTensor, OptimizerGroup } from './groups.ts';

/** Numbers that a parameter's steps carry on: how many there were, and what a rule adds. */
export type Carried = Readonly<Record<string, number>>;

/** What a rule keeps, and how it looks at parameters. */
export interface StateLayout<Options> {
  /** Names of the state tensors under these options. */
  readonly slots: (options: Options) => readonly string[];
  /** Are parameters treated one by one, in their own shapes? Default false: as flat runs. */
  readonly each?: boolean;
  /** The shape of a slot for a parameter, where it is not the parameter's; needs `each`. */
  readonly shape?: (slot: string, dims: readonly number[]) => readonly number[];
  /** Numbers carried on beside the step, as they begin. */
  readonly carried?: Carried;
  /** Those numbers in a step, from what they were before it. */
  readonly carry?: (settings: Options & { readonly step: number; readonly carried: Carried }) => Carried;
  /** Refuses options that the rule cannot work with. */
  readonly check?: (options: Options) => void;
  /** Refuses parameters that the rule cannot work with. */
  readonly checkMember?: (name: string, dims: readonly number[]) => void;
}

/** Neighbouring members `from` up to `to`. */
export interface MemberRun {
  readonly from: number;
  readonly to: number;
  readonly updated: boolean;
}

/** The saved state of one parameter: its numbers (`step`, …) and its tensors (`expAvg`, …). */
export type ParameterState = Readonly<Record<string, number | Tensor>>;

/** The state tensors of one kind: one flat block. */
class Slot {
  readonly name: string;
  readonly block: State;
  readonly shapes: readonly (readonly number[])[];
  /** Where each parameter's part begins, and where the last ends. */
  readonly offsets: readonly number[];

  constructor(name: string, shapes: readonly (readonly number[])[], like: Tensor) {
    this.name = name;
    this.shapes = shapes;
    const offsets = [0];
    for (const dims of shapes) offsets.push((offsets.at(-1) ?? 0) + dims.reduce((a, b) => a * b, 1));
    this.offsets = offsets;
    this.block = compose(() => new State(zeros([offsets.at(-1) ?? 0], { dtype: like.dtype, device: like.device })));
  }

  /** Members `from` up to `to`. */
  part(from: number, to: number): Tensor {
    const [start = 0, end = 0] = [this.offsets[from], this.offsets[to]];
    return start === 0 && end === this.offsets.at(-1) ? this.block : slice(this.block, [{ start, end }]);
  }
}

/** Parameters of one group, dtype and device. */
export class Block<Options extends { readonly lr: number }> {
  readonly arena: Arena;
  readonly names: readonly string[];
  readonly shapes: readonly (readonly number[])[];
  readonly slots: readonly Slot[];
  readonly owner: OptimizerGroup<Options>;
  /** Are parameters treated one by one, in their own shapes? */
  readonly each: boolean;
  readonly #layout: StateLayout<Options>;
  #carried: readonly Carried[];
  /** Which neighbours have the same behind them: these are updated together. */
  readonly #boundaries = (): string => this.#carried.reduce((text, _, i) => (this.#follows(i) ? text : `${text},${i}`), '');

  constructor(members: readonly NamedTensor[], layout: StateLayout<Options>, owner: OptimizerGroup<Options>) {
    this.arena = new Arena(members.map(([, tensor]) => tensor));
    this.names = members.map(([name]) => name);
    this.shapes = members.map(([, tensor]) => tensor.shape);
    this.owner = owner;
    this.#layout = layout;
    this.each = layout.each ?? false;
    const { shape = (_: string, dims: readonly number[]) => dims } = layout;
    const like = members[0]?.[1] ?? zeros([0]);
    this.slots = layout.slots(owner.options).map(
      (name) =>
        new Slot(
          name,
          this.shapes.map((dims) => shape(name, dims)),
          like,
        ),
    );
    const start = { ...layout.carried, step: 0 };
    this.#carried = members.map(() => start);
  }

  /** The state blocks, in the order of the slots. */
  get state(): readonly State[] {
    return this.slots.map((slot) => slot.block);
  }

  #follows(i: number): boolean {
    const [before, here] = [this.#carried[i - 1], this.#carried[i]];
    if (before === here) return true;
    return before !== undefined && here !== undefined && Object.keys(here).every((key) => here[key] === before[key]);
  }

  /** What is updated together in the next step. */
  runs(): MemberRun[] {
    return this.#runs(hasGradient);
  }

  /** What has the same behind it, but for what has taken no step yet. */
  steppedRuns(): MemberRun[] {
    return this.#runs((_, i) => (this.#carried[i]?.['step'] ?? 0) > 0);
  }

  #runs(takesPart: (tensor: Tensor, i: number) => boolean): MemberRun[] {
    hostDecision(this.#boundaries);
    const runs: MemberRun[] = [];
    this.arena.tensors.forEach((tensor, i) => {
      const updated = takesPart(tensor, i);
      const last = runs.at(-1);
      const joins = last?.updated === updated && (!updated || (!this.each && this.#follows(i)));
      if (joins && last !== undefined) runs[runs.length - 1] = { ...last, to: i + 1 };
      else runs.push({ from: i, to: i + 1, updated });
    });
    return runs;
  }

  /** A reader of the numbers of member `i` in the step that comes, put together anew when something in them has changed. */
  settings(i: number): () => Options & { readonly step: number; readonly carried: Carried } {
    let seen: { readonly options: Options; readonly carried: Carried | undefined } | null = null;
    let settings: (Options & { readonly step: number; readonly carried: Carried }) | null = null;
    return () => {
      const { options } = this.owner;
      const carried = this.#carried[i];
      if (settings === null || seen?.options !== options || seen.carried !== carried) {
        seen = { options, carried };
        settings = this.#next(options, carried ?? { step: 0 });
      }
      return settings;
    };
  }

  #next(options: Options, before: Carried): Options & { readonly step: number; readonly carried: Carried } {
    const settings = { ...options, step: (before['step'] ?? 0) + 1, carried: before };
    return { ...settings, carried: this.#layout.carry?.(settings) ?? {} };
  }

  /** Counts a step of the updated ones. */
  count(runs: readonly MemberRun[]): void {
    let before = this.#carried;
    hostEffect(
      () => {
        before = this.#carried;
        const after = [...before];
        const { options } = this.owner;
        for (const { updated, from, to } of runs) {
          const last = before[from];
          if (!updated || last === undefined) continue;
          const { carried, step } = this.#next(options, last);
          for (let i = from; i < to; i++) after[i] = { ...carried, step };
        }
        this.#carried = after;
      },
      () => (this.#carried = before),
    );
  }

  /** Copies of the state of each parameter, by name. */
  saved(): [string, ParameterState][] {
    return this.names.map((name, i) => {
      const tensors = this.slots.map((slot) => [slot.name, noGrad(() => compose(() => reshape(slot.part(i, i + 1), slot.shapes[i] ?? []).copy()))]);
      return [name, { ...this.#carried[i], ...(Object.fromEntries(tensors) as Record<string, Tensor>) }];
    });
  }

  /** What `saved` would have to be for member `i`, and is not: one line for each difference. */
  differences(i: number, saved: ParameterState): string[] {
    const name = this.names[i] ?? '';
    const numbers = Object.keys(this.#carried[i] ?? {}).filter((key) => typeof saved[key] !== 'number');
    const tensors = this.slots.flatMap((slot) => {
      const [wanted, given] = [`${slot.block.dtype} [${String(slot.shapes[i])}]`, describe(saved[slot.name])];
      if (wanted !== given) return [`${name}.${slot.name}: ${wanted} here, ${given} given`];
      const { device } = saved[slot.name] as Tensor;
      return device === slot.block.device ? [] : [`${name}.${slot.name}: ${slot.block.device.name} here, ${device.name} given`];
    });
    const known = new Set([...Object.keys(this.#carried[i] ?? {}), ...this.slots.map((slot) => slot.name)]);
    const extra = Object.keys(saved).filter((key) => !known.has(key));
    return [
      ...numbers.map((key) => `${name}.${key}: a number here, ${describe(saved[key])} given`),
      ...tensors,
      ...extra.map((key) => `${name}.${key}: unknown here`),
    ];
  }

  /** Copies what was saved, and gives what sets it: so that a copy that cannot be made leaves everything as it is. */
  prepare(saved: readonly ParameterState[]): () => void {
    const copies = this.slots.map((slot) => compose(() => joined(saved.map((each) => reshape(each[slot.name] as Tensor, [-1]))).copy()));
    return () => {
      this.#carried = this.#carried.map((own, i) => Object.fromEntries(Object.keys(own).map((key) => [key, saved[i]?.[key] as number])));
      for (const [i, slot] of this.slots.entries()) assign(slot.block, copies[i] ?? slot.block);
    };
  }

  /** Frees the state and the arena's own hold on the parameters, which live on. */
  dispose(): void {
    this.arena.dispose();
    for (const { block } of this.slots) block.dispose();
  }
}

function describe(value: number | Tensor | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return 'a number';
  return value.isDisposed ? 'a disposed tensor' : `${value.dtype} [${String(value.shape)}]`;
}

/** Parts of a flat tensor, in order, as one. */
export function joined(parts: readonly Tensor[]): Tensor {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : concatenate(parts);
}

/** A block holds one dtype on one device. */
export function byKind(members: readonly NamedTensor[]): NamedTensor[][] {
  const kinds: NamedTensor[][] = [];
  for (const member of members) {
    const same = kinds.find(([first]) => first?.[1].dtype === member[1].dtype && first[1].device === member[1].device);
    if (same === undefined) kinds.push([member]);
    else same.push(member);
  }
  return kinds;
}
