/**
 * Symbolic tensors: places in a network that is being put together, with a shape but without a value.
 *
 * A *step* is one use of a layer: it makes a symbolic tensor from others. Shapes are found by a dry run: the layer is called with zeros, in
 * evaluation mode, without gradients. Ops check shapes when they are called and calculate when they are read, and nothing reads these.
 */

import { ArgumentError, GradusError, compose, defaultDevice, isTensor, noGrad, requireOptions, showValue, zeros } from '@gradus/tensor';
import type { DType, Device, Dims, Tensor } from '@gradus/tensor';
import { GraphError } from '../errors.ts';
import { inMode } from '../mode.ts';
import { Module } from '../module.ts';

/** Examples in a dry run: a size that layers seldom have, so that a batch axis that went elsewhere is noticed. */
const DRY_BATCH = 13;

/** What makes a tensor of others: a module with parameters, or a function without any. */
export type GraphPart = Module | ((...inputs: Tensor[]) => Tensor);

/** One use of a layer. */
export interface GraphStep {
  /** What calculates the output. In a model with replaced layers another module may stand in its place. */
  readonly part: GraphPart;
  /** What its name in the model is made of, when it was given none: `dense`. */
  readonly scope: string;
  /** The name it was given; null for none. */
  readonly name: string | null;
  readonly inputs: readonly SymbolicTensor[];
}

/** How messages call a part: the first line of how a module prints itself, `Linear(10, 1)`, or the name of the function. */
export function labelOf({ part, scope }: GraphStep): string {
  if (!(part instanceof Module)) return part.name || scope;
  const [first = '', ...more] = part.toString().split('\n');
  return more.length > 0 ? `${first}…)` : first;
}

/** What a part makes of tensors. */
export function applyPart(part: GraphPart, inputs: readonly Tensor[]): Tensor {
  return part instanceof Module ? part.forward(...inputs) : part(...inputs);
}

/** A tensor without a value. Made by {@link input}, and by calling layers on others. */
export class SymbolicTensor {
  /** Sizes along each axis but the first, which is the batch. */
  readonly shape: Dims;
  readonly dtype: DType;
  readonly device: Device;
  /** What makes it; null for an input. */
  readonly step: GraphStep | null;
  /** The name it was given as an input; null for none. */
  readonly name: string | null;

  /** @internal */
  constructor(of: { readonly shape: Dims; readonly dtype: DType; readonly device: Device }, step: GraphStep | null, name: string | null) {
    this.shape = of.shape;
    this.dtype = of.dtype;
    this.device = of.device;
    this.step = step;
    this.name = name;
  }

  /** Its shape with the batch: `[N, 10]`. */
  toString(): string {
    return `[${['N', ...this.shape].join(', ')}]`;
  }
}

/** Options of {@link input}. */
export interface InputOptions {
  /** Sizes along each axis but the first, which is the batch: `[10]` for tensors `[N, 10]`. */
  readonly shape: Dims;
  /** Default float32. */
  readonly dtype?: DType;
  /** Where the values will be. Default: the default device. */
  readonly device?: Device;
  /** Its name in the model. Default `input`, `input_1`, … */
  readonly name?: string;
}

/** An input of a network: a symbolic tensor from which others are made. @throws ArgumentError for a shape that is none */
export function input(options: InputOptions): SymbolicTensor {
  requireOptions('input', options, '{ shape: [10] }');
  const { shape, dtype = 'float32', device = defaultDevice(), name } = options;
  if (!Array.isArray(shape) || !shape.every((size: unknown) => Number.isSafeInteger(size) && Number(size) >= 0))
    throw new ArgumentError({
      op: 'input',
      expected: 'sizes along each axis but the batch',
      got: showValue(shape),
      fix: 'write input({ shape: [10] }) for tensors [N, 10].',
    });
  return new SymbolicTensor({ shape: [...(shape as Dims)], dtype, device }, null, requireName('input', name));
}

/** A name as it may stand in a path, or null for none. @throws ArgumentError for one that may not */
export function requireName(op: string, name: string | undefined): string | null {
  if (name === undefined) return null;
  if (typeof name === 'string' && /^\w+$/.test(name)) return name;
  throw new ArgumentError({ op, expected: 'a name of letters, digits and _', got: showValue(name), fix: 'dots separate the names of a path.' });
}

/** @throws ArgumentError unless all are symbolic tensors, and at least one */
export function requireSymbolic(op: string, inputs: readonly unknown[]): void {
  const wrong = inputs.findIndex((each) => !(each instanceof SymbolicTensor));
  if (inputs.length > 0 && wrong < 0) return;
  throw new ArgumentError({
    op,
    expected: 'symbolic tensors',
    got: inputs.length === 0 ? 'none' : showValue(inputs[wrong]),
    fix: isTensor(inputs[wrong])
      ? 'tensors go through a model, model.forward(x), or through the functions of @gradus/tensor.'
      : 'begin with input({ shape: [10] }).',
  });
}

/** The symbolic tensor that a step makes. @throws GraphError, with the layer and the shapes, when the step refuses its inputs */
export function symbolicOutput(step: GraphStep): SymbolicTensor {
  requireSymbolic(labelOf(step), step.inputs);
  const made = dryRun(step);
  if (made.shape[0] !== DRY_BATCH)
    throw new GraphError({
      op: labelOf(step),
      expected: 'a result whose first axis is the batch',
      got: `[${made.shape.map((size) => (size === DRY_BATCH ? 'N' : size)).join(', ')}] from ${showShapes(step)}`,
      fix: 'leave axis 0 as it is: flatten from axis 1, and reduce along other axes.',
    });
  return new SymbolicTensor({ ...made, shape: made.shape.slice(1) }, step, null);
}

function dryRun(step: GraphStep): { readonly shape: Dims; readonly dtype: DType; readonly device: Device } {
  const { part } = step;
  const describe = (): { shape: Dims; dtype: DType; device: Device } => {
    const made = applyPart(
      part,
      step.inputs.map(({ shape, dtype, device }) => zeros([DRY_BATCH, ...shape], { dtype, device })),
    );
    if (!isTensor(made)) throw new GraphError({ op: labelOf(step), expected: 'a layer that returns a tensor', got: showValue(made) });
    return { shape: made.shape, dtype: made.dtype, device: made.device };
  };
  try {
    return compose(() => noGrad(() => (part instanceof Module ? inMode(part, false, describe) : describe())));
  } catch (error) {
    if (!(error instanceof GradusError) || error instanceof GraphError) throw error;
    const got = `${showShapes(step)}: ${error.expected}, got ${error.got}`;
    throw new GraphError(
      { op: labelOf(step), expected: 'inputs that fit it', got, ...(error.fix !== undefined && { fix: error.fix }) },
      { cause: error },
    );
  }
}

/** The inputs' shapes: `[N, 10] and [N, 3]`. */
function showShapes(step: GraphStep): string {
  return step.inputs.map(String).join(' and ');
}
