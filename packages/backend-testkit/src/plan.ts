/**
 * Plans: what a check does, before it is tied to a backend.
 *
 * A plan either has a body of its own (`storage`), or is a list of cases. Cases depend on the device only through its {@link Terms}, so they
 * and the oracle's answers are kept for the next run of the same plan on a device of equal capabilities.
 */

import type { Capabilities, DType } from '@gradus/backend';
import type { Bench } from './bench.ts';
import type { Case } from './cases/case.ts';
import type { Tolerances } from './tolerances.ts';

/** Groups of checks, in the order in which a new backend meets them. */
export type Level = 'storage' | 'map' | 'reduce' | 'scatter' | 'optional';

/** Every level, in order. */
export const LEVELS: readonly Level[] = ['storage', 'map', 'reduce', 'scatter', 'optional'];

/** What cases depend on. */
export interface Terms {
  readonly capabilities: Capabilities;
  /** The plug-in author's own bounds. */
  readonly tolerances: Tolerances;
}

/** One check without its backend. */
export interface Plan {
  readonly level: Level;
  /** What follows the level in the check's name. */
  readonly title: string;
  readonly run: (bench: Bench) => Promise<void>;
}

/** A plan that runs cases. `build` gives none where the device does not claim what they need. */
export function casesPlan(level: Level, title: string, build: (terms: Terms) => readonly Case[]): Plan {
  let known: { readonly key: string; readonly cases: readonly Case[] } | undefined;
  const run = async (bench: Bench): Promise<void> => {
    const key = JSON.stringify(bench.terms);
    if (known?.key !== key) known = { key, cases: build(bench.terms) };
    for (const c of known.cases) await bench.runCase(c);
  };
  return { level, title, run };
}

/** May operands have these dtypes? */
export function stores({ capabilities }: Terms, ...dtypes: readonly DType[]): boolean {
  return dtypes.every((dtype) => capabilities.dtypes[dtype].store);
}

/** May expressions calculate in these dtypes, and operands have them? */
export function computes(terms: Terms, ...dtypes: readonly DType[]): boolean {
  return stores(terms, ...dtypes) && dtypes.every((dtype) => terms.capabilities.dtypes[dtype].compute);
}

/** May folds accumulate in these dtypes? */
export function accumulates(terms: Terms, ...dtypes: readonly DType[]): boolean {
  return computes(terms, ...dtypes) && dtypes.every((dtype) => terms.capabilities.dtypes[dtype].accumulate);
}
