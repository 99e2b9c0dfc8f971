/** Many modules of one kind as one: their parameters lie in one tensor for each key. */

import { ArgumentError, Parameter, noGrad, reshape, scope, slice, stack } from '@gradus/tensor';
import type { State, Tensor } from '@gradus/tensor';
import { functionalCall } from './functional-call.ts';
import { inMode } from './mode.ts';
import { Buffer, Module, savedState } from './module.ts';

/** What {@link stackModules} makes. */
export class StackedModules extends Module {
  /** Parameters and buffers by the members' keys, each of shape `[members, ...]`. */
  readonly state: Readonly<Record<string, Parameter | Buffer>>;
  readonly members: number;
  readonly #template: Module;

  /** @internal Use {@link stackModules}. */
  constructor(template: Module, state: Readonly<Record<string, Parameter | Buffer>>, members: number) {
    super();
    this.#template = template;
    this.state = state;
    this.members = members;
  }

  /** Every member's output for the same inputs: shape `[members, ...output]`. */
  forward(...inputs: Tensor[]): Tensor {
    const outputOf = (member: number): Tensor => {
      const values = Object.entries(this.state).map(([key, all]) => [
        key,
        reshape(slice(all, [{ start: member, end: member + 1 }]), all.shape.slice(1)),
      ]);
      return functionalCall(this.#template, Object.fromEntries(values) as Record<string, Tensor>, ...inputs);
    };
    return scope(() => inMode(this.#template, this.training, () => stack(Array.from({ length: this.members }, (_, member) => outputOf(member)))));
  }

  protected override describe(): string {
    return `${this.members} × ${this.#template.constructor.name}`;
  }
}

/**
 * Modules of one structure as one module whose output has an axis of members in front: for evaluating or training many at once, with one
 * optimizer step and one file for all. The parameters are copies; the first module's structure is used, so it must not be disposed.
 * In training mode, running statistics of the members are not updated.
 *
 * @throws ArgumentError for no modules, or for modules whose parameters or buffers differ in key, shape, dtype or device
 */
export function stackModules(modules: readonly Module[]): StackedModules {
  const [template] = modules;
  if (template === undefined) throw new ArgumentError({ op: 'stackModules', expected: 'at least one module', got: 'none' });
  const states = modules.map((module) => savedState(module, 'stackModules'));
  const structures = states.map(structureOf);
  const odd = structures.findIndex((each) => each !== structures[0]);
  if (odd > 0) {
    throw new ArgumentError({
      op: 'stackModules',
      expected: `modules like the first, with ${structures[0]}`,
      got: `${structures[odd]} in number ${odd}`,
    });
  }
  const stacked = [...(states[0] ?? [])].map(
    ([key, like]) =>
      [
        key,
        stackedState(
          like,
          states.map((state) => state.get(key) as State),
        ),
      ] as const,
  );
  return new StackedModules(template, Object.fromEntries(stacked), modules.length);
}

const structureOf = (state: ReadonlyMap<string, State>): string =>
  [...state].map(([key, t]) => `${key}: ${t.dtype} [${t.shape.join()}] on ${t.device.name}`).join('; ');

function stackedState(like: State, members: readonly State[]): Parameter | Buffer {
  return scope(() => {
    const values = noGrad(() => stack([...members]));
    return like instanceof Parameter ? new Parameter(values, { requiresGrad: like.requiresGrad }) : new Buffer(values, true);
  });
}
