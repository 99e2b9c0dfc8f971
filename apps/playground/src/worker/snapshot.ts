/** All that training goes on from, as plain numbers on no device: what is carried from one device to another, and kept for when one is lost. */

import type { Backend } from '@gradus/backend';
import type { Module } from '@gradus/nn';
import type { Adam } from '@gradus/optim';
import { scope, tensor } from '@gradus/tensor';
import type { DType, ElementArray, Tensor } from '@gradus/tensor';

/** A tensor's contents. */
interface Contents {
  readonly values: ElementArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Weights and buffers by key, and of each of the optimizer's arenas its steps and moments. */
export interface Snapshot {
  readonly weights: Readonly<Record<string, Contents>>;
  readonly arenas: readonly { readonly steps: readonly number[]; readonly state: readonly Contents[] }[];
}

async function contents(t: Tensor): Promise<Contents> {
  return { values: await t.data(), shape: t.shape, dtype: t.dtype };
}

/** Reads everything. */
export async function takeSnapshot(model: Module, optimizer: Adam): Promise<Snapshot> {
  const weights = Object.entries(model.stateDict()).map(async ([key, t]) => [key, await contents(t)] as const);
  const copies = optimizer.stateDict();
  try {
    const arenas = copies.map(async ({ steps, state }) => ({ steps, state: await Promise.all(state.map(contents)) }));
    return { weights: Object.fromEntries(await Promise.all(weights)), arenas: await Promise.all(arenas) };
  } finally {
    for (const { state } of copies) for (const each of state) each.dispose();
  }
}

/** Writes everything into a network of the same kind and its optimizer, which are on `device`. */
export function restore({ weights, arenas }: Snapshot, model: Module, optimizer: Adam, device: Backend): void {
  const made = ({ values, shape, dtype }: Contents): Tensor => tensor(values, { shape, dtype, device });
  scope(() => {
    model.loadStateDict(Object.fromEntries(Object.entries(weights).map(([key, each]) => [key, made(each)])));
    optimizer.loadStateDict(arenas.map(({ steps, state }) => ({ steps, state: state.map(made) })));
  });
}
