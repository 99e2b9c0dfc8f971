/** Models made of symbolic tensors: what lies between some inputs and some outputs. After Keras' functional API. */

import { ArgumentError, requireOptions, reshape, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { GraphError } from '../errors.ts';
import { Module } from '../module.ts';
import { nameableOf, namesOf, orderOf } from './plan.ts';
import type { Made, Named } from './plan.ts';
import { fill, symbolsIn, tensorsAt } from './structure.ts';
import type { GraphStructure, TensorsFor } from './structure.ts';
import { SymbolicTensor, applyPart, labelOf } from './symbolic.ts';
import type { GraphPart, GraphStep } from './symbolic.ts';

/** What a {@link GraphModel} is made of. */
export interface GraphDefinition<I extends GraphStructure, O extends GraphStructure> {
  /** Where values come in, in the order of `forward`'s arguments. May be inputs, or symbolic tensors further on: then the model begins there. */
  readonly inputs: I;
  readonly outputs: O;
}

/** What a graph model and its copies with other layers have in common. A class, so that nothing is looked for in it: see `paths.ts`. */
class Graph {
  readonly inputs: GraphStructure;
  readonly outputs: GraphStructure;
  /** The symbolic tensors of `inputs`, in order. */
  readonly symbols: readonly SymbolicTensor[];
  readonly order: readonly Made[];
  readonly names: ReadonlyMap<Named, string>;

  constructor({ inputs, outputs }: GraphDefinition<GraphStructure, GraphStructure>) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.symbols = symbolsIn(inputs, 'inputs');
    const ends = symbolsIn(outputs, 'outputs');
    if (ends.length === 0) throw new GraphError({ op: 'graphModel', expected: 'at least one output', got: 'none' });
    this.order = orderOf(this.symbols, ends);
    this.names = namesOf(this.symbols, this.order);
  }

  /** @throws GraphError unless the inputs have the shapes of the symbolic ones, and one batch */
  requireFit(inputs: readonly Tensor[]): void {
    const [first] = inputs;
    const wrong = this.symbols.findIndex(({ shape }, i) => {
      const given = inputs[i]?.shape ?? [];
      return given.length !== shape.length + 1 || shape.some((size, axis) => size !== given[axis + 1]) || given[0] !== first?.shape[0];
    });
    if (wrong < 0) return;
    throw new GraphError({
      op: 'GraphModel',
      expected: `inputs ${this.showInputs()}`,
      got: inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(', '),
      fix: 'the first axis is the batch, of one size in all inputs.',
    });
  }

  showInputs(): string {
    return this.symbols.map((symbol) => `${this.names.get(symbol)} ${String(symbol)}`).join(', ');
  }
}

/**
 * A model of everything between its inputs and its outputs, calculated in order, each step once. A module that several steps use, or several
 * models, is one module. Children are named by their class, numbered (`linear`, `linear_1`), or as they were told.
 *
 * What it is made of are properties, so that `replaceModules` can copy it: steps find their modules in {@link layers} by name.
 */
export class GraphModel<I extends GraphStructure = GraphStructure, O extends GraphStructure = GraphStructure> extends Module {
  /** The modules of the graph by name, in the order they are first used: `model.layers.dense`. */
  readonly layers: Readonly<Record<string, Module>>;
  private readonly graph: Graph;

  /** @throws GraphError as {@link graphModel} */
  constructor(definition: GraphDefinition<I, O>) {
    super();
    this.graph = new Graph(definition);
    this.layers = Object.fromEntries([...this.graph.names].flatMap(([named, name]) => (named instanceof Module ? [[name, named]] : [])));
  }

  /** The layers, by their names alone: `dense`, not `layers.dense`; then what a subclass holds. */
  override *namedChildren(): Generator<[string, Module]> {
    yield* Object.entries(this.layers);
    for (const child of super.namedChildren()) if (!child[0].startsWith('layers.')) yield child;
  }

  /**
   * The output for inputs in the order of `inputs`, each `[N, ...]`.
   *
   * @throws GraphError for inputs of another number or shape, or when there are several outputs: see {@link run}
   */
  forward(...inputs: Tensor[]): Tensor {
    const { symbols, outputs } = this.graph;
    if (inputs.length !== symbols.length)
      throw new GraphError({ op: 'GraphModel', expected: `${symbols.length} inputs, ${this.graph.showInputs()}`, got: String(inputs.length) });
    if (!(outputs instanceof SymbolicTensor))
      throw new GraphError({
        op: 'GraphModel',
        expected: 'one output in forward()',
        got: 'several',
        fix: 'call run(…), which returns them as `outputs` names them.',
      });
    return this.values(inputs)(outputs);
  }

  /** Outputs in the structure of `outputs`, for inputs in that of `inputs`: `run({ image, text })`. @throws GraphError for inputs that do not fit */
  run(inputs: TensorsFor<I>): TensorsFor<O> {
    return fill(this.graph.outputs, this.values(tensorsAt(this.graph.inputs, inputs, 'inputs'))) as TensorsFor<O>;
  }

  /** Calculates everything; gives the value of a symbolic tensor. */
  private values(inputs: readonly Tensor[]): (symbol: SymbolicTensor) => Tensor {
    this.graph.requireFit(inputs);
    const values = new Map<SymbolicTensor, Tensor>();
    for (const [i, symbol] of this.graph.symbols.entries()) {
      const value = inputs[i];
      if (value !== undefined) values.set(symbol, value);
    }
    const valueOf = (symbol: SymbolicTensor): Tensor => {
      const value = values.get(symbol);
      if (value === undefined) throw new GraphError({ op: 'GraphModel', expected: `a value for ${String(symbol)}`, got: 'none' });
      return value;
    };
    for (const { symbol, step } of this.graph.order) values.set(symbol, applyPart(this.partOf(step), step.inputs.map(valueOf)));
    const given = new Set<Tensor>(inputs);
    return (symbol) => {
      const value = valueOf(symbol);
      // Another handle: what comes out of a model may be disposed without what went in.
      return given.has(value) ? reshape(value, value.shape) : value;
    };
  }

  /** What calculates a step here: the module of its name in this model, or the step's function. */
  private partOf({ part }: GraphStep): GraphPart {
    return part instanceof Module ? (this.layers[this.graph.names.get(part) ?? ''] ?? part) : part;
  }

  /** The graph, a line for each step: its name, what it is applied to, the shape it makes, its parameters. */
  override toString(): string {
    const { symbols, order, names: nameOf } = this.graph;
    const names = new Map<SymbolicTensor, string>(symbols.map((symbol) => [symbol, nameOf.get(symbol) ?? 'input']));
    const lines = symbols.map((symbol) => `${names.get(symbol)}: ${String(symbol)}`);
    const uses = new Map<Named, number>();
    for (const { symbol, step } of order) {
      const named = nameableOf(step);
      const use = (uses.get(named) ?? 0) + 1;
      uses.set(named, use);
      const name = `${nameOf.get(named)}${use > 1 ? ` (use ${use})` : ''}`;
      names.set(symbol, name);
      const part = this.partOf(step);
      const parameters = part instanceof Module && use === 1 ? part.parameters().reduce((sum, { size }) => sum + size, 0) : 0;
      const what = part instanceof Module ? `${labelOf({ ...step, part })} of ` : '';
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
