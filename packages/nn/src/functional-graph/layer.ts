/** Layers as functions of symbolic tensors. */

import { ArgumentError, gelu, leakyRelu, logSoftmax, relu, requireOptions, showValue, sigmoid, silu, softmax, softplus, tanh } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Linear } from '../layers/linear.ts';
import { requireSizes } from '../layers/input.ts';
import { Module } from '../module.ts';
import { stateKey } from '../paths.ts';
import { requireName, requireSymbolic, symbolicOutput } from './symbolic.ts';
import type { SymbolicTensor } from './symbolic.ts';

/** A layer as a function. Calling it again uses the same parameters again. @throws GraphError for inputs that do not fit */
export type GraphLayer = (...inputs: SymbolicTensor[]) => SymbolicTensor;

const ACTIVATIONS = { gelu, leakyRelu, logSoftmax, relu, sigmoid, silu, softmax, softplus, tanh } satisfies Record<string, (x: Tensor) => Tensor>;

/** The name of an activation; softmax and logSoftmax are along the last axis. */
export type Activation = keyof typeof ACTIVATIONS;

/** The first line of how a module prints itself. */
function labelOf(module: Module): string {
  const [first = '', ...more] = module.toString().split('\n');
  return more.length > 0 ? `${first}…)` : first;
}

/**
 * A module, or a function of tensors, as a layer of the graph: `layer(new Conv2d(1, 8, 3))(image)`, `layer(relu)(x)`.
 *
 * The same module applied twice is one module with one set of parameters. A function has none: what it closes over is not part of the model.
 *
 * @param options `name`: its name in the model, by default the module's class in snake_case, numbered: `conv2d`, `conv2d_1`
 * @throws ArgumentError for what is neither
 */
export function layer(part: Module | ((...inputs: Tensor[]) => Tensor), options: { readonly name?: string } = {}): GraphLayer {
  requireOptions('layer', options, "{ name: 'encoder' }");
  const name = requireName('layer', options.name);
  if (part instanceof Module) {
    const scope = stateKey(part.constructor.name).toLowerCase() || 'module';
    const run = (...values: Tensor[]): Tensor => part.forward(...values);
    return (...inputs) => symbolicOutput({ label: labelOf(part), scope, name, module: part, run, inputs });
  }
  if (typeof part === 'function') {
    const label = part.name === '' ? 'function' : part.name;
    return (...inputs) => symbolicOutput({ label, scope: stateKey(label).toLowerCase(), name, module: null, run: part, inputs });
  }
  throw new ArgumentError({
    op: 'layer',
    expected: 'a module or a function of tensors',
    got: showValue(part),
    fix: 'pass new ReLU(), or relu of @gradus/tensor.',
  });
}

/** Options of {@link dense}. */
export interface DenseOptions {
  /** Applied to the result. Default: none. */
  readonly activation?: Activation;
  /** Default true. */
  readonly bias?: boolean;
  /** Its name in the model. Default `dense`, `dense_1`, … */
  readonly name?: string;
}

/** A fully connected layer and its activation: `activation(x · Wᵀ + b)`, with the shapes and initial values of {@link Linear}. */
export class Dense extends Linear {
  readonly activation: Activation | null;

  /** @throws ArgumentError */
  constructor(inFeatures: number, outFeatures: number, options: Omit<DenseOptions, 'name'> = {}) {
    super(inFeatures, outFeatures, options);
    this.activation = requireActivation(options.activation);
  }

  /** @throws ShapeError, DTypeError as {@link Linear} does */
  override forward(x: Tensor): Tensor {
    const linear = super.forward(x);
    return this.activation === null ? linear : ACTIVATIONS[this.activation](linear);
  }

  protected override describe(): string {
    return `${super.describe()}${this.activation === null ? '' : `, ${this.activation}`}`;
  }
}

function requireActivation(activation: Activation | undefined): Activation | null {
  if (activation === undefined) return null;
  if (Object.hasOwn(ACTIVATIONS, activation)) return activation;
  throw new ArgumentError({
    op: 'dense',
    expected: `an activation: ${Object.keys(ACTIVATIONS).join(', ')}`,
    got: showValue(activation),
    fix: 'apply any other function with layer(f)(x).',
  });
}

/**
 * A fully connected layer of `units` outputs: `dense(1, { activation: 'sigmoid' })(a)`. x `[N, ..., F]`, y `[N, ..., units]`. Its number of
 * inputs is that of the first symbolic tensor it is called on.
 *
 * @throws ArgumentError for sizes or an activation that are none
 */
export function dense(units: number, options: DenseOptions = {}): GraphLayer {
  requireSizes('Dense', { units }, 1);
  requireOptions('dense', options, "{ activation: 'relu' }");
  requireActivation(options.activation);
  const { name, ...rest } = options;
  let called: GraphLayer | null = null;
  return (...inputs) => {
    requireSymbolic('dense', inputs);
    called ??= layer(new Dense(inputs[0]?.shape.at(-1) ?? 1, units, rest), name === undefined ? {} : { name });
    return called(...inputs);
  };
}
