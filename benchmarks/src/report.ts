/** Results: as JSON, and as a table for people. */

import type { Timing } from './measure.ts';

/** One row of the JSON file. */
export interface Result {
  readonly work: string;
  readonly device: string;
  readonly threads: number;
  readonly ours: Timing;
  readonly peers: Readonly<Record<string, Timing | { readonly error: string }>>;
  /** Peer's median over ours: above 1 where gradus is faster. */
  readonly ratio: Readonly<Record<string, number>>;
}

/** A row from the times of one work. Throws when gradus itself could not run. */
export function toResult(work: string, device: string, threads: number, timings: ReadonlyMap<string, Timing | { readonly error: string }>): Result {
  const ours = timings.get('gradus');
  if (ours === undefined || 'error' in ours) throw new Error(`${work}: gradus did not run: ${ours?.error ?? 'no contender'}`);
  const others = [...timings].filter(([name]) => name !== 'gradus');
  const ratio = others.flatMap(([name, t]): [string, number][] => ('error' in t ? [] : [[name, t.medianMs / ours.medianMs]]));
  return { work, device, threads, ours, peers: Object.fromEntries(others), ratio: Object.fromEntries(ratio) };
}

function time(ms: number): string {
  if (ms < 1e-3) return `${(ms * 1e6).toFixed(0)} ns`;
  return ms < 1 ? `${(ms * 1e3).toFixed(1)} µs` : `${ms.toFixed(2)} ms`;
}

const timing = (t: Timing): string => `${time(t.medianMs)}${t.gflops === undefined ? '' : ` (${t.gflops.toFixed(2)} GFLOP/s)`}`;

/** A line or more for one result. */
export function describe(result: Result): string {
  const head = `${result.work.padEnd(28)} ${timing(result.ours)}`;
  const peers = Object.entries(result.peers).map(([name, t]) =>
    'error' in t
      ? `    ${name}: ${t.error.split('\n')[0]}`
      : `    ${name.padEnd(24)} ${timing(t)}, gradus is ${(result.ratio[name] ?? NaN).toFixed(2)} × as fast`,
  );
  return [head, ...peers].join('\n');
}
