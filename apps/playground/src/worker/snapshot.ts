/** All that training goes on from, as plain numbers on no device: what is carried from one device to another, and kept for when one is lost. */

import type { Backend } from '@gradus/backend';
import type { Module } from '@gradus/nn';
import type { Adam, OptimizerState } from '@gradus/optim';
import { isTensor, scope, tensor } from '@gradus/tensor';
import type { DType, ElementArray, Tensor } from '@gradus/tensor';

/** A tensor's contents. */
interface Contents {
  readonly values: ElementArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** Weights and buffers by key, and of each parameter, by name, the optimizer's steps and moments. */
export interface Snapshot {
  readonly weights: Readonly<Record<string, Contents>>;
  readonly optimizer: Pick<OptimizerState, 'options' | 'groups'>;
  readonly moments: Readonly<Record<string, Readonly<Record<string, number | Contents>>>>;
}

async function contents(t: Tensor): Promise<Contents> {
  return { values: await t.data(), shape: t.shape, dtype: t.dtype };
}

/** A record with other values, in the order it has. */
function mapped<A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, to(value)]));
}

/** The values of a record, once they are there. */
async function settled<T>(record: Readonly<Record<string, Promise<T>>>): Promise<Record<string, T>> {
  const entries = Object.entries(record).map(async ([key, value]) => [key, await value] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Reads everything. */
export async function takeSnapshot(model: Module, optimizer: Adam): Promise<Snapshot> {
  const weights = mapped(model.stateDict(), contents);
  const { state, options, groups } = optimizer.stateDict();
  try {
    const read = async (each: number | Tensor): Promise<number | Contents> => (isTensor(each) ? contents(each) : each);
    const moments = mapped(state, async (each) => settled(mapped(each, read)));
    return { weights: await settled(weights), optimizer: { options, groups }, moments: await settled(moments) };
  } finally {
    for (const each of Object.values(state).flatMap((slots) => Object.values(slots))) if (isTensor(each)) each.dispose();
  }
}

/** Writes everything into a network of the same kind and its optimizer, which are on `device`. */
export function restore({ weights, optimizer: rest, moments }: Snapshot, model: Module, optimizer: Adam, device: Backend): void {
  const made = ({ values, shape, dtype }: Contents): Tensor => tensor(values, { shape, dtype, device });
  scope(() => {
    model.loadStateDict(mapped(weights, made));
    const state = mapped(moments, (slots) => mapped(slots, (each) => (typeof each === 'number' ? each : made(each))));
    optimizer.loadStateDict({ ...rest, state });
  });
}
