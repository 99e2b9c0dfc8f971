/** Models made of symbolic tensors: what lies between some inputs and some outputs. After Keras' functional API. */

import { ArgumentError, requireOptions, reshape, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { GraphError } from '../errors.ts';
import { Module } from '../module.ts';
import { namesOf, orderOf } from './plan.ts';
import type { Made, Named } from './plan.ts';
import { fill, symbolsIn, tensorsAt } from './structure.ts';
import type { GraphStructure, TensorsFor } from './structure.ts';
import { SymbolicTensor } from './symbolic.ts';

/** What a {@link GraphModel} is made of. */
export interface GraphDefinition<I extends GraphStructure, O extends GraphStructure> {
  /** Where values come in, in the order of `forward`'s arguments. May be inputs, or symbolic tensors further on: then the model begins there. */
  readonly inputs: I;
  readonly outputs: O;
}

/**
 * A model of everything between its inputs and its outputs, calculated in order, each step once. A module that several steps use, or several
 * models, is one module. Children are named by their class, numbered (`dense`, `dense_1`), or as they were told.
 */
export class GraphModel<I extends GraphStructure = GraphStructure, O extends GraphStructure = GraphStructure> extends Module {
  readonly #inputs: I;
  readonly #outputs: O;
  readonly #inputSymbols: readonly SymbolicTensor[];
  readonly #order: readonly Made[];
  readonly #names: ReadonlyMap<Named, string>;

  /** @throws GraphError as {@link graphModel} */
  constructor(definition: GraphDefinition<I, O>) {
    super();
    this.#inputs = definition.inputs;
    this.#outputs = definition.outputs;
    this.#inputSymbols = symbolsIn(definition.inputs, 'inputs');
    const outputs = symbolsIn(definition.outputs, 'outputs');
    if (outputs.length === 0) throw new GraphError({ op: 'graphModel', expected: 'at least one output', got: 'none' });
    this.#order = orderOf(this.#inputSymbols, outputs);
    this.#names = namesOf(this.#inputSymbols, this.#order);
  }

  /** The modules of the graph with their names, each once, in the order they are first used. */
  override *namedChildren(): Generator<[string, Module]> {
    for (const [named, name] of this.#names) if (named instanceof Module) yield [name, named];
    yield* super.namedChildren();
  }

  /**
   * The output for inputs in the order of `inputs`, each `[N, ...]`.
   *
   * @throws GraphError for inputs of another number or shape, or when there are several outputs: see {@link run}
   */
  forward(...inputs: Tensor[]): Tensor {
    if (inputs.length !== this.#inputSymbols.length)
      throw new GraphError({ op: 'GraphModel', expected: `${this.#inputSymbols.length} inputs, ${this.#showInputs()}`, got: String(inputs.length) });
    const output: GraphStructure = this.#outputs;
    if (!(output instanceof SymbolicTensor))
      throw new GraphError({
        op: 'GraphModel',
        expected: 'one output in forward()',
        got: 'several',
        fix: 'call run(…), which returns them as `outputs` names them.',
      });
    return this.#values(inputs)(output);
  }

  /** Outputs in the structure of `outputs`, for inputs in that of `inputs`: `run({ image, text })`. @throws GraphError for inputs that do not fit */
  run(inputs: TensorsFor<I>): TensorsFor<O> {
    return fill(this.#outputs, this.#values(tensorsAt(this.#inputs, inputs, 'inputs'))) as TensorsFor<O>;
  }

  /** Calculates everything; gives the value of a symbolic tensor. */
  #values(inputs: readonly Tensor[]): (symbol: SymbolicTensor) => Tensor {
    this.#requireFit(inputs);
    const values = new Map<SymbolicTensor, Tensor>();
    for (const [i, symbol] of this.#inputSymbols.entries()) {
      const value = inputs[i];
      if (value !== undefined) values.set(symbol, value);
    }
    const valueOf = (symbol: SymbolicTensor): Tensor => {
      const value = values.get(symbol);
      if (value === undefined) throw new GraphError({ op: 'GraphModel', expected: `a value for ${String(symbol)}`, got: 'none' });
      return value;
    };
    for (const { symbol, step } of this.#order) values.set(symbol, step.run(...step.inputs.map(valueOf)));
    const given = new Set<Tensor>(inputs);
    return (symbol) => {
      const value = valueOf(symbol);
      // Another handle: what comes out of a model may be disposed without what went in.
      return given.has(value) ? reshape(value, value.shape) : value;
    };
  }

  #requireFit(inputs: readonly Tensor[]): void {
    const [first] = inputs;
    const wrong = this.#inputSymbols.findIndex(({ shape }, i) => {
      const given = inputs[i]?.shape ?? [];
      return given.length !== shape.length + 1 || shape.some((size, axis) => size !== given[axis + 1]) || given[0] !== first?.shape[0];
    });
    if (wrong < 0) return;
    throw new GraphError({
      op: 'GraphModel',
      expected: `inputs ${this.#showInputs()}`,
      got: inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', '),
      fix: 'the first axis is the batch, of one size in all inputs.',
    });
  }

  #showInputs(): string {
    return this.#inputSymbols.map((symbol) => `${this.#names.get(symbol)} ${String(symbol)}`).join(', ');
  }

  /** The graph, a line for each step: its name, what it is applied to, the shape it makes, its parameters. */
  override toString(): string {
    const names = new Map<SymbolicTensor, string>(this.#inputSymbols.map((symbol) => [symbol, this.#names.get(symbol) ?? 'input']));
    const lines = this.#inputSymbols.map((symbol) => `${names.get(symbol)}: ${String(symbol)}`);
    const uses = new Map<Named, number>();
    for (const { symbol, step } of this.#order) {
      const named = step.module ?? step;
      const use = (uses.get(named) ?? 0) + 1;
      uses.set(named, use);
      const name = `${this.#names.get(named)}${use > 1 ? ` (use ${use})` : ''}`;
      names.set(symbol, name);
      const parameters = step.module === null || use > 1 ? 0 : step.module.parameters().reduce((sum, { size }) => sum + size, 0);
      const what = step.module === null ? '' : `${step.label} of `;
      lines.push(
        `${name}: ${what}${step.inputs.map((each) => names.get(each)).join(', ')} → ${String(symbol)}${parameters > 0 ? `, ${parameters} parameters` : ''}`,
      );
    }
    return `${this.constructor.name}(\n${lines.map((line) => `  ${line}`).join('\n')}\n)`;
  }
}

/**
 * The model between `inputs` and `outputs`, each a symbolic tensor or arrays and plain objects of them.
 *
 * @throws GraphError when an output needs an input that is not listed, no output needs one that is, or a name is given twice; ArgumentError
 */
export function graphModel<const I extends GraphStructure, const O extends GraphStructure>(definition: GraphDefinition<I, O>): GraphModel<I, O> {
  requireOptions('graphModel', definition, '{ inputs: [a, b], outputs: y }');
  for (const key of ['inputs', 'outputs'] as const)
    if (definition[key] === undefined)
      throw new ArgumentError({ op: 'graphModel', expected: key, got: showValue(definition[key]), fix: 'pass { inputs: [a, b], outputs: y }.' });
  return new GraphModel(definition);
}
