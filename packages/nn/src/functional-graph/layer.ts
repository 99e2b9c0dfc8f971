/** Layers as functions of symbolic tensors. */

import { ArgumentError, gelu, leakyRelu, logSoftmax, relu, requireOptions, showValue, sigmoid, silu, softmax, softplus, tanh } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { Linear } from '../layers/linear.ts';
import { requireSizes } from '../layers/input.ts';
import { Module } from '../module.ts';
import { stateKey } from '../paths.ts';
import { requireName, requireSymbolic, symbolicOutput } from './symbolic.ts';
import type { GraphPart, SymbolicTensor } from './symbolic.ts';

/** A layer as a function. Calling it again uses the same parameters again. @throws GraphError for inputs that do not fit */
export type GraphLayer = (...inputs: SymbolicTensor[]) => SymbolicTensor;

const ACTIVATIONS = { gelu, leakyRelu, logSoftmax, relu, sigmoid, silu, softmax, softplus, tanh } satisfies Record<string, (x: Tensor) => Tensor>;

/** The name of an activation; softmax and logSoftmax are along the last axis. */
export type Activation = keyof typeof ACTIVATIONS;

/**
 * A module, or a function of tensors, as a layer of the graph: `layer(new Conv2d(1, 8, 3))(image)`, `layer(relu)(x)`.
 *
 * The same module applied twice is one module with one set of parameters. A function has none: what it closes over is not part of the model.
 *
 * @param options `name`: its name in the model, by default the module's class in snake_case, numbered: `conv2d`, `conv2d_1`
 * @throws ArgumentError for what is neither
 */
export function layer(part: GraphPart, options: { readonly name?: string } = {}): GraphLayer {
  requireOptions('layer', options, "{ name: 'encoder' }");
  const name = requireName('layer', options.name);
  if (part instanceof Module || typeof part === 'function') return named(part, name, scopeOf(part));
  throw new ArgumentError({
    op: 'layer',
    expected: 'a module or a function of tensors',
    got: showValue(part),
    fix: 'pass new ReLU(), or relu of @gradus/tensor.',
  });
}

function named(part: GraphPart, name: string | null, scope: string): GraphLayer {
  return (...inputs) => symbolicOutput({ part, scope, name, inputs });
}

/** What the name of a part is made of: its class, or the name of the function, in snake_case. */
function scopeOf(part: GraphPart): string {
  const of = part instanceof Module ? part.constructor.name || 'module' : part.name || 'function';
  return stateKey(of).toLowerCase();
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

function activationOf(name: Activation | undefined): GraphLayer | null {
  if (name === undefined) return null;
  if (Object.hasOwn(ACTIVATIONS, name)) {
    const activate: (x: Tensor) => Tensor = ACTIVATIONS[name];
    return named(activate, null, stateKey(name));
  }
  throw new ArgumentError({
    op: 'dense',
    expected: `an activation: ${Object.keys(ACTIVATIONS).join(', ')}`,
    got: showValue(name),
    fix: 'apply any other function with layer(f)(x).',
  });
}

/**
 * A fully connected layer of `units` outputs: `dense(1, { activation: 'sigmoid' })(a)`. x `[N, ..., F]`, y `[N, ..., units]`. It is a
 * {@link Linear}, named `dense`, and the activation a step of its own after it. The number of inputs is that of the first symbolic tensor it
 * is called on.
 *
 * @throws ArgumentError for sizes or an activation that are none
 */
export function dense(units: number, options: DenseOptions = {}): GraphLayer {
  requireSizes('dense', { units }, 1);
  requireOptions('dense', options, "{ activation: 'relu' }");
  const { name, activation, bias = true } = options;
  const [given, activate] = [requireName('dense', name), activationOf(activation)];
  let linear: GraphLayer | null = null;
  return (...inputs) => {
    requireSymbolic('dense', inputs);
    linear ??= named(new Linear(inputs[0]?.shape.at(-1) ?? 1, units, { bias }), given, 'dense');
    const y = linear(...inputs);
    return activate === null ? y : activate(y);
  };
}
