/** A model with other layers in place of some, and the report of it: what all ways of quantizing share. */

import { bytesPerElement } from '@gradus/backend';
import { Module, replaceModules } from '@gradus/nn';
import { ArgumentError, noGrad, showValue } from '@gradus/tensor';
import type { State } from '@gradus/tensor';
import { QuantizationReport } from './report.ts';
import type { LayerReport } from './report.ts';

/** Options of everything that quantizes a model. */
export interface SkipOptions {
  /** Paths of layers that stay as they are, as in `namedModules()`: `['head']`. Default none. */
  readonly skip?: readonly string[];
}

/** A quantized model and what was done to it. */
export interface QuantizedModel {
  /** The model with its new layers. What was not replaced is shared with the old model: see `replaceModules` of `@gradus/nn`. */
  readonly model: Module;
  readonly report: QuantizationReport;
}

/** What becomes of a layer: another, or nothing for a reason. */
export type Decision = Module | { readonly reason: string };

/**
 * The model with what `decide` says for each module that holds parameters or buffers. The old model stays as it is, also on an error.
 *
 * @throws ArgumentError for what is no module, for a path in `skip` that the model does not have, and for what `decide` refuses
 */
export function replaceLayers(op: string, model: Module, skip: readonly string[], decide: (layer: Module, name: string) => Decision): QuantizedModel {
  if (!(model instanceof Module)) throw new ArgumentError({ op, expected: 'a model', got: showValue(model), fix: 'pass a Module of @gradus/nn.' });
  const modules = [...model.namedModules()];
  requireNames(op, skip, modules);
  const counted = { before: new Set<State>(), after: new Set<State>() };
  const replacements = new Map<Module, Module>();
  const layers: LayerReport[] = [];
  for (const [name, module] of modules) {
    const own = statesOf(module);
    if (own.length === 0) continue;
    const decision = skip.includes(name) ? { reason: 'skip names it' } : noGrad(() => decide(module, name));
    const changed = decision instanceof Module;
    if (changed) replacements.set(module, decision);
    layers.push({
      name,
      layer: module.constructor.name,
      became: changed ? decision.constructor.name : null,
      reason: changed ? null : decision.reason,
      bytesBefore: bytesOf(own, counted.before),
      bytesAfter: bytesOf(changed ? statesOf(decision) : own, counted.after),
    });
  }
  return { model: replaceModules(model, replacements), report: new QuantizationReport(layers) };
}

function requireNames(op: string, skip: readonly string[], modules: readonly (readonly [string, Module])[]): void {
  if (!Array.isArray(skip))
    throw new ArgumentError({ op, expected: 'skip as a list of names', got: showValue(skip), fix: "pass { skip: ['head'] }." });
  const unknown = skip.find((name) => !modules.some(([path]) => path === name));
  if (unknown === undefined) return;
  const names = modules.map(([path]) => `'${path}'`).join(', ');
  throw new ArgumentError({
    op,
    expected: `names in skip that the model has: ${names}`,
    got: showValue(unknown),
    fix: 'pass paths as namedModules() gives them.',
  });
}

/** What is saved of a module itself, without its children. */
function statesOf(module: Module): State[] {
  const below = new Set<State>([...module.namedChildren()].flatMap(([, child]) => [...child.parameters(), ...child.buffers()]));
  const saved = module.buffers().filter((buffer) => buffer.persistent);
  return [...module.parameters(), ...saved].filter((state) => !below.has(state));
}

/** Bytes of those that have not been counted. */
function bytesOf(states: readonly State[], counted: Set<State>): number {
  let bytes = 0;
  for (const state of states) {
    if (counted.has(state)) continue;
    counted.add(state);
    bytes += state.size * bytesPerElement(state.dtype);
  }
  return bytes;
}
