/** The plan cache of one device: programs with equal keys run the same plan. */

import type { Plan } from './plan.ts';

/** Plans kept before the least recently used are dropped. */
const MAX_PLANS = 512;

function sameKey(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Hits and misses of a cache. */
export interface PlanStatistics {
  readonly hits: number;
  readonly misses: number;
  readonly plans: number;
}

export class PlanCache {
  /** By hash, in order of last use. */
  readonly #plans = new Map<number, Plan[]>();
  #count = 0;
  #hits = 0;
  #misses = 0;

  /** The plan for this key, or undefined. */
  find(key: Int32Array, hash: number): Plan | undefined {
    const bucket = this.#plans.get(hash);
    const plan = bucket?.find((p) => sameKey(p.key, key));
    if (bucket === undefined || plan === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#plans.delete(hash);
    this.#plans.set(hash, bucket);
    return plan;
  }

  add(hash: number, plan: Plan): void {
    const bucket = this.#plans.get(hash);
    if (bucket === undefined) this.#plans.set(hash, [plan]);
    else bucket.push(plan);
    this.#count++;
    for (const [oldest, plans] of this.#plans) {
      if (this.#count <= MAX_PLANS) break;
      this.#plans.delete(oldest);
      this.#count -= plans.length;
    }
  }

  statistics(): PlanStatistics {
    return { hits: this.#hits, misses: this.#misses, plans: this.#count };
  }
}
