/**
 * A pool of workers that share a device's memory. The caller is one of the threads: it publishes a job, works on it, and waits, spinning, for
 * the workers that are still at it. It never blocks, so it may be a browser's main thread.
 */

import type { Heap } from '../memory/heap.ts';
import type { UnitCode } from '../launch/launch.ts';
import { CHUNK_BITS, CONTROL, CONTROL_BYTES, DIRECTORY_CAPACITY, SPINS } from './control.ts';
import type { ControlArea } from './control.ts';
import { WorkerLostError } from './errors.ts';
import { spawn } from './spawn.ts';
import type { Spawned } from './spawn.ts';

const WORD_BYTES = 4;
/** Chunks for each thread: enough that one which starts late finds less to do. */
const CHUNKS_PER_THREAD = 16;
/** A chunk takes milliseconds at most; a worker that is at it for so long is stopped, or gone. */
export const STALL_MILLISECONDS = 10_000;
/** Looks at a word between two looks at the clock. */
const SPINS_PER_LOOK = 4096;

/** See above. */
export class WorkerPool {
  readonly #heap: Heap;
  readonly #area: ControlArea;
  readonly #shared: Int32Array;
  readonly #workers: readonly Spawned[];
  readonly #now: () => number;
  readonly #stallMilliseconds: number;
  #modules = 0;
  #lost: string | null = null;
  #disposed = false;

  /** Starts `threads - 1` workers on a shared heap; they take part as soon as they are up. */
  constructor(heap: Heap, threads: number, workspaceBytes: number, now: () => number, stallMilliseconds: number) {
    this.#heap = heap;
    this.#now = now;
    this.#stallMilliseconds = stallMilliseconds;
    const control = heap.take(CONTROL_BYTES) / WORD_BYTES;
    const directory = heap.take(2 * WORD_BYTES * DIRECTORY_CAPACITY) / WORD_BYTES;
    this.#area = { control, directory, chunkBits: CHUNK_BITS, spins: SPINS, words: CONTROL };
    // Growing leaves this view as good as it was, since the memory is shared.
    this.#shared = heap.words.subarray(control, control + CONTROL_BYTES / WORD_BYTES);
    this.#shared.fill(0);
    this.#workers = Array.from({ length: threads - 1 }, () =>
      spawn({ memory: heap.memory, area: this.#area, workspace: heap.take(workspaceBytes) }, () => {
        if (!this.#disposed) this.#lost ??= 'one that ended on its own';
      }),
    );
  }

  /** Makes a module's bytes known to the workers; its number, or -1 where there is no room for more. */
  publish(bytes: Uint8Array): number {
    if (this.#modules === DIRECTORY_CAPACITY) return -1;
    const address = this.#heap.take(bytes.length);
    if (address < 0) return -1;
    this.#heap.bytes.set(bytes, address);
    const entry = this.#area.directory + 2 * this.#modules;
    this.#heap.words[entry] = address;
    this.#heap.words[entry + 1] = bytes.length;
    return this.#modules++;
  }

  /** Workers that are up. */
  get ready(): number {
    return Atomics.load(this.#shared, CONTROL.ready);
  }

  /** Resolves when all workers are up. @throws WorkerLostError */
  async allReady(): Promise<void> {
    const { setTimeout } = globalThis as unknown as { readonly setTimeout: (resolve: () => void, milliseconds: number) => unknown };
    while (this.ready < this.#workers.length) {
      this.assertWhole('start');
      await new Promise<void>((resolve) => void setTimeout(resolve, 1));
    }
  }

  /** @throws WorkerLostError where a worker was lost before */
  assertWhole(op: string): void {
    if (this.#lost !== null) throw this.#error(op);
  }

  /** Runs all units of a phase, on every thread that is up. @throws WorkerLostError */
  run(code: UnitCode, frame: number, units: number): void {
    const shared = this.#shared;
    const grain = Math.max(1, Math.ceil(units / (CHUNKS_PER_THREAD * (1 + this.#workers.length))));
    const chunks = Math.ceil(units / grain);
    const job = (Atomics.load(shared, CONTROL.sequence) + 1) | 0;
    const tag = (job << CHUNK_BITS) | 0;
    this.#waitForWorkers();
    Atomics.store(shared, CONTROL.module, code.module);
    Atomics.store(shared, CONTROL.frame, frame);
    Atomics.store(shared, CONTROL.units, units);
    Atomics.store(shared, CONTROL.bytes, this.#heap.bytes.length);
    Atomics.store(shared, CONTROL.grain, grain);
    Atomics.store(shared, CONTROL.chunks, chunks);
    Atomics.store(shared, CONTROL.next, tag);
    Atomics.store(shared, CONTROL.sequence, job);
    if (Atomics.load(shared, CONTROL.parked) > 0) Atomics.notify(shared, CONTROL.sequence);
    for (;;) {
      const next = Atomics.load(shared, CONTROL.next);
      const chunk = (next - tag) | 0;
      if (chunk >= chunks) break;
      if (Atomics.compareExchange(shared, CONTROL.next, next, (next + 1) | 0) === next)
        code.run(frame, chunk * grain, Math.min(units, (chunk + 1) * grain));
    }
    this.#waitForWorkers();
    if (Atomics.load(shared, CONTROL.failed) === 0) return;
    this.#lost = 'one that trapped';
    throw this.#error('run');
  }

  /** Waits until no worker is active. */
  #waitForWorkers(): void {
    const shared = this.#shared;
    if (Atomics.load(shared, CONTROL.active) === 0) return;
    const deadline = this.#now() + this.#stallMilliseconds;
    for (;;) {
      for (let i = 0; i < SPINS_PER_LOOK; i++) if (Atomics.load(shared, CONTROL.active) === 0) return;
      if (this.#now() <= deadline) continue;
      this.#lost = `one that was at a piece of work for ${this.#stallMilliseconds} ms`;
      this.dispose();
      throw this.#error('run');
    }
  }

  #error(op: string): WorkerLostError {
    return new WorkerLostError({
      op: `wasm.${op}`,
      expected: 'every worker thread to be at work',
      got: this.#lost ?? 'one that is gone',
      fix: 'make a new device: the memory of this one cannot be trusted any more.',
    });
  }

  /** Ends the workers without being asked to: for tests. */
  endWorkers(): void {
    for (const worker of this.#workers) worker.terminate();
  }

  /** Ends the workers. */
  dispose(): void {
    this.#disposed = true;
    Atomics.store(this.#shared, CONTROL.stop, 1);
    Atomics.notify(this.#shared, CONTROL.sequence);
    for (const worker of this.#workers) worker.terminate();
  }
}
