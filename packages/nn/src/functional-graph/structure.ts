/** Inputs and outputs of a graph: one symbolic tensor, or several in arrays and plain objects, however deep. */

import { isTensor, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { GraphError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import { SymbolicTensor } from './symbolic.ts';

/** A symbolic tensor, or arrays and plain objects of them. */
export type GraphStructure = SymbolicTensor | readonly GraphStructure[] | { readonly [name: string]: GraphStructure };

/** The same structure with a tensor in the place of each symbolic one; `unknown` where it is not known. */
export type TensorsFor<S> = GraphStructure extends S ? unknown : S extends SymbolicTensor ? Tensor : { readonly [K in keyof S]: TensorsFor<S[K]> };

function isStructure(value: unknown): value is Exclude<GraphStructure, SymbolicTensor> {
  return typeof value === 'object' && value !== null && (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
}

/** The symbolic tensors of a structure in order. @throws GraphError for anything else in it */
export function symbolsIn(structure: GraphStructure, what: string): SymbolicTensor[] {
  if (structure instanceof SymbolicTensor) return [structure];
  if (isStructure(structure)) return Object.entries(structure).flatMap(([key, each]) => symbolsIn(each, joinPath(what, key)));
  throw new GraphError({
    op: 'graphModel',
    expected: `${what} made of symbolic tensors`,
    got: showValue(structure),
    fix: 'begin with input({ shape: [10] }), and call layers on it.',
  });
}

/** The tensors that stand where `structure` has symbolic ones, in their order. @throws GraphError where there is none */
export function tensorsAt(structure: GraphStructure, given: unknown, path: string): Tensor[] {
  if (structure instanceof SymbolicTensor) {
    if (isTensor(given)) return [given];
    throw new GraphError({ op: 'GraphModel', expected: `a tensor ${String(structure)} for ${path}`, got: showValue(given) });
  }
  const keys = Object.keys(structure);
  if (typeof given !== 'object' || given === null || isTensor(given) || Object.keys(given).some((key) => !keys.includes(key)))
    throw new GraphError({ op: 'GraphModel', expected: `${path} with ${keys.join(', ')}`, got: showGiven(given) });
  return Object.entries(structure).flatMap(([key, each]) =>
    tensorsAt(each, Object.hasOwn(given, key) ? (given as Record<string, unknown>)[key] : undefined, joinPath(path, key)),
  );
}

function showGiven(given: unknown): string {
  return isStructure(given) && !Array.isArray(given) ? `an object with ${Object.keys(given).join(', ')}` : showValue(given);
}

/** `structure` with what `valueOf` gives for each symbolic tensor. */
export function fill(structure: GraphStructure, valueOf: (symbol: SymbolicTensor) => Tensor): unknown {
  if (structure instanceof SymbolicTensor) return valueOf(structure);
  if (Array.isArray(structure)) return structure.map((each: GraphStructure) => fill(each, valueOf));
  return Object.fromEntries(Object.entries(structure).map(([key, each]) => [key, fill(each, valueOf)]));
}
