/** Starting workers: `worker_threads` in Node, Web Workers in browsers. */

import type { WorkerData } from './worker.ts';
import { workerMain } from './worker.ts';

/** A running worker. */
export interface Spawned {
  readonly terminate: () => void;
}

interface NodeWorker {
  unref(): void;
  terminate(): Promise<number>;
  on(event: 'exit' | 'error', listener: () => void): void;
}

interface WebWorker {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(event: 'error', listener: () => void): void;
}

interface Surroundings {
  readonly process?: {
    readonly getBuiltinModule?: (name: string) => { readonly Worker: new (source: string, options: object) => NodeWorker } | undefined;
  };
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: readonly string[], options: object) => object;
  readonly URL?: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly SharedArrayBuffer?: unknown;
  readonly crossOriginIsolated?: boolean;
}

const surroundings = globalThis as unknown as Surroundings;

/** May threads share memory here? Browsers allow it to pages that are isolated from other origins only. */
export function canShareMemory(): boolean {
  return surroundings.SharedArrayBuffer !== undefined && surroundings.crossOriginIsolated !== false;
}

/** Starts a worker. It never keeps the process alive. `lost` is called when it ends on its own. */
export function spawn(data: WorkerData, lost: () => void): Spawned {
  const threads = surroundings.process?.getBuiltinModule?.('node:worker_threads');
  return threads === undefined ? spawnWebWorker(data, lost) : spawnNodeWorker(threads, data, lost);
}

function spawnNodeWorker(
  threads: { readonly Worker: new (source: string, options: object) => NodeWorker },
  data: WorkerData,
  lost: () => void,
): Spawned {
  const source = `(${workerMain.toString()})(require('node:worker_threads').workerData);`;
  const worker = new threads.Worker(source, { eval: true, workerData: data, name: 'gradus', execArgv: [] });
  worker.unref();
  worker.on('exit', lost);
  worker.on('error', lost);
  return { terminate: () => void worker.terminate() };
}

function spawnWebWorker(data: WorkerData, lost: () => void): Spawned {
  const { Worker, Blob, URL } = surroundings;
  if (Worker === undefined || Blob === undefined || URL === undefined) throw new TypeError('internal: no workers here');
  const source = `const main = ${workerMain.toString()};\nonmessage = ({ data }) => main(data);`;
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  worker.addEventListener('error', lost);
  worker.postMessage(data);
  return { terminate: () => worker.terminate() };
}
