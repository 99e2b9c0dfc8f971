/** Fusion: trained models side by side, their outputs joined, and a head that learns from both. */

import { Module, inMode } from '@gradus/nn';
import { ArgumentError, ShapeError, add, compose, concatenate, div, hostDecision, hostEffect, requireOptions, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireModels } from './members.ts';

/** What learns: the head alone, everything, or the head and the branches that are true. */
export type Trainable = 'head' | 'all' | readonly boolean[];

/** Options of {@link fuse}. */
export interface FuseOptions {
  /** The branches' outputs side by side along the last axis, or their mean. Default: concatenate. */
  readonly by?: 'concatenate' | 'average';
  /** Applied to what was joined. Default: nothing. */
  readonly head?: Module;
  /** Default: head. */
  readonly trainable?: Trainable;
  /** Does each branch get all inputs, or the one at its own place? Default: shared. */
  readonly inputs?: 'shared' | 'separate';
}

/** Models as branches of one, whose parameters are `branches.0.…`, `branches.1.…` and `head.…`. */
export class FusedModel extends Module {
  readonly branches: readonly Module[];
  readonly head: Module | null;
  private readonly by: 'concatenate' | 'average';
  private readonly inputs: 'shared' | 'separate';
  /** A 1 for each branch that is frozen. */
  private frozen = '';

  /** @throws ArgumentError as {@link fuse} */
  constructor(models: readonly Module[], options: FuseOptions = {}) {
    super();
    requireOptions('fuse', options, "{ by: 'concatenate', head: new Linear(20, 10) }");
    const { by = 'concatenate', head = null, trainable = 'head', inputs = 'shared' } = options;
    this.branches = requireModels('fuse', models);
    this.head = head === null ? null : (requireModels('fuse', [head])[0] ?? null);
    this.by = oneOf('by', by, ['concatenate', 'average']);
    this.inputs = oneOf('inputs', inputs, ['shared', 'separate']);
    this.setTrainable(trainable);
  }

  /**
   * Freezes branches, or lets them learn again. A frozen branch has parameters that require no gradient, and is in evaluation whatever mode
   * the model is in: its dropout is off and its running statistics stay.
   *
   * @throws ArgumentError for other than one boolean for each branch
   */
  setTrainable(trainable: Trainable): this {
    const count = this.branches.length;
    if (trainable !== 'head' && trainable !== 'all' && !(Array.isArray(trainable) && trainable.length === count))
      throw new ArgumentError({ op: 'fuse', expected: `trainable 'head', 'all' or ${count} booleans`, got: showValue(trainable) });
    const learns = this.branches.map((_, i) => (typeof trainable === 'string' ? trainable === 'all' : trainable[i] === true));
    for (const [i, branch] of this.branches.entries()) branch.requiresGrad(learns[i]);
    const [before, after] = [this.frozen, learns.map((each) => (each ? '0' : '1')).join('')];
    hostEffect(
      () => (this.frozen = after),
      () => (this.frozen = before),
    );
    return this;
  }

  /** The head's output, or without one what was joined. @throws ShapeError when the branches' outputs do not fit; ArgumentError for too few inputs */
  forward(...inputs: Tensor[]): Tensor {
    const frozen = hostDecision(() => this.frozen);
    const outputs = this.branches.map((branch, i) => {
      const given = this.inputs === 'shared' ? inputs : [ownInput(inputs, i, this.branches.length)];
      return frozen[i] === '1' ? inMode(branch, false, () => branch.forward(...given)) : branch.forward(...given);
    });
    const joined = this.by === 'concatenate' ? concatenate(outputs, { axis: -1 }) : averageOf(outputs);
    return this.head === null ? joined : this.head.forward(joined);
  }
}

function ownInput(inputs: readonly Tensor[], place: number, count: number): Tensor {
  const own = inputs[place];
  if (own !== undefined && inputs.length === count) return own;
  throw new ArgumentError({ op: 'fuse', expected: `${count} inputs, one for each branch`, got: String(inputs.length) });
}

function averageOf(outputs: readonly Tensor[]): Tensor {
  const first = outputs[0]?.shape ?? [];
  const odd = outputs.findIndex(({ shape }) => String(shape) !== String(first));
  if (odd >= 0)
    throw new ShapeError({
      op: 'fuse',
      expected: `outputs [${first.join(', ')}] of all branches, as of the first`,
      got: `[${String(outputs[odd]?.shape.join(', '))}] of branch ${odd}`,
      fix: "fuse them by 'concatenate'.",
    });
  return compose(() =>
    div(
      outputs.reduce((a, b) => add(a, b)),
      outputs.length,
    ),
  );
}

function oneOf<T extends string>(option: string, value: T, values: readonly T[]): T {
  if (values.includes(value)) return value;
  throw new ArgumentError({ op: 'fuse', expected: `${option} ${values.map((each) => `'${each}'`).join(' or ')}`, got: showValue(value) });
}

/**
 * One model of several trained ones. By default the branches are frozen, and only the head learns; `setTrainable('all')` then tunes everything.
 * The models become its parts: freezing them is seen outside.
 *
 * @throws ArgumentError for no models, or options that are none
 */
export function fuse(models: readonly Module[], options: FuseOptions = {}): FusedModel {
  return new FusedModel(models, options);
}
