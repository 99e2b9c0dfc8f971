/** The order in which a graph is calculated, and the names of what is in it. */

import { GraphError } from '../errors.ts';
import { Module } from '../module.ts';
import type { GraphStep, SymbolicTensor } from './symbolic.ts';

/** A symbolic tensor that a step makes. */
export interface Made {
  readonly symbol: SymbolicTensor;
  readonly step: GraphStep;
}

/**
 * What has to be made for `outputs`, each once and after its inputs; it begins at `inputs`, which may be made by steps themselves.
 *
 * @throws GraphError when an output needs an input that is not listed, or no output needs one that is
 */
export function orderOf(inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): Made[] {
  const listed = new Set(inputs);
  if (listed.size !== inputs.length) throw new GraphError({ op: 'graphModel', expected: 'each input once', got: 'one in two places' });
  const seen = new Set<SymbolicTensor>();
  const order: Made[] = [];
  // Without recursion: graphs may be deeper than the stack.
  const waiting: { readonly symbol: SymbolicTensor; readonly ready: boolean }[] = outputs.map((symbol) => ({ symbol, ready: false })).toReversed();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { symbol, ready } = next;
    const { step } = symbol;
    if (ready && step !== null) order.push({ symbol, step });
    if (ready || seen.has(symbol)) continue;
    seen.add(symbol);
    if (listed.has(symbol)) continue;
    if (step === null) throw unlisted(symbol);
    waiting.push({ symbol, ready: true }, ...step.inputs.map((each) => ({ symbol: each, ready: false })).toReversed());
  }
  const unused = inputs.findIndex((symbol) => !seen.has(symbol));
  if (unused >= 0)
    throw new GraphError({
      op: 'graphModel',
      expected: 'inputs that the outputs depend on',
      got: `input ${unused}, ${String(inputs[unused])}, on which none does`,
      fix: 'leave it out, or connect it.',
    });
  return order;
}

function unlisted(symbol: SymbolicTensor): GraphError {
  return new GraphError({
    op: 'graphModel',
    expected: 'outputs that depend on the inputs alone',
    got: `an output that needs another input, ${symbol.name === null ? '' : `${symbol.name} `}${String(symbol)}`,
    fix: 'list it in inputs.',
  });
}

/** What has a name: a module, however often it is used, a step without one, or an input. */
export type Named = Module | GraphStep | SymbolicTensor;

/** What stands for a step among what has names. */
export function nameableOf(step: GraphStep): Named {
  return step.part instanceof Module ? step.part : step;
}

/** Unique names in order: those that were given, and numbered ones for the rest. @throws GraphError for a name given twice */
export function namesOf(inputs: readonly SymbolicTensor[], order: readonly Made[]): Map<Named, string> {
  const wanted = [
    ...inputs.map((symbol) => ({ named: symbol as Named, name: symbol.name, scope: 'input' })),
    ...order.map(({ step }) => ({ named: nameableOf(step), name: step.name, scope: step.scope })),
  ];
  const given = new Map<string, Named>();
  const names = new Map<Named, string>();
  for (const { named, name } of wanted) {
    if (name === null || (given.get(name) === named && names.get(named) === name)) continue;
    if (given.has(name) || names.has(named))
      throw new GraphError({
        op: 'graphModel',
        expected: 'one name for each layer and input',
        got: given.has(name) ? `${name} for two` : `${names.get(named)} and ${name} for one`,
        fix: 'rename one of them.',
      });
    given.set(name, named);
    names.set(named, name);
  }
  const taken = new Set(given.keys());
  for (const { named, scope } of wanted) {
    if (names.has(named)) continue;
    let name = scope;
    for (let i = 1; taken.has(name); i++) name = `${scope}_${i}`;
    taken.add(name);
    names.set(named, name);
  }
  return names;
}
