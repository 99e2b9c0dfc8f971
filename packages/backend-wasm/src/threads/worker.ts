/**
 * What a worker runs. The function is sent as source text, so it uses nothing from outside itself: only its argument and the globals of
 * JavaScript.
 */

import type { Memory } from '../engine/webassembly.ts';
import type { ControlArea } from './control.ts';

/** What a worker is given at its start. */
export interface WorkerData {
  readonly memory: Memory;
  readonly area: ControlArea;
  /** Address of its workspace. */
  readonly workspace: number;
}

interface WorkerGlobals {
  readonly WebAssembly: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (
      module: object,
      imports: object,
    ) => { readonly exports: { readonly run: (frame: number, begin: number, end: number) => void } };
  };
}

/** The life of a worker: it waits for jobs, claims chunks, runs them; until it is told to stop. */
export function workerMain({ memory, area, workspace }: WorkerData): void {
  const { control, directory, chunkBits, spins, words } = area;
  const api = (globalThis as unknown as WorkerGlobals).WebAssembly;
  const shared = new Int32Array(memory.buffer, 4 * control, 64);
  const instances: ((frame: number, begin: number, end: number) => void)[] = [];
  const codeOf = (module: number): ((frame: number, begin: number, end: number) => void) => {
    let run = instances[module];
    if (run === undefined) {
      const entry = new Int32Array(memory.buffer, 4 * (directory + 2 * module), 2);
      const [address = 0, length = 0] = entry;
      // A copy: browsers compile no shared bytes.
      const bytes = new Uint8Array(length);
      bytes.set(new Uint8Array(memory.buffer, address >>> 0, length));
      ({ run } = new api.Instance(new api.Module(bytes), { env: { memory, workspace } }).exports);
      instances[module] = run;
    }
    return run;
  };
  const work = (job: number): void => {
    // Memory that grew elsewhere is seen from the next call of grow on.
    if (memory.buffer.byteLength < Atomics.load(shared, words.bytes) >>> 0) memory.grow(0);
    const run = codeOf(Atomics.load(shared, words.module));
    const frame = Atomics.load(shared, words.frame);
    const units = Atomics.load(shared, words.units);
    const grain = Atomics.load(shared, words.grain);
    const chunks = Atomics.load(shared, words.chunks);
    const tag = (job << chunkBits) | 0;
    for (;;) {
      const next = Atomics.load(shared, words.next);
      const chunk = (next - tag) | 0;
      if (chunk < 0 || chunk >= chunks) return;
      if (Atomics.compareExchange(shared, words.next, next, (next + 1) | 0) === next) run(frame, chunk * grain, Math.min(units, (chunk + 1) * grain));
    }
  };

  let seen = Atomics.load(shared, words.sequence);
  Atomics.add(shared, words.ready, 1);
  let idle = 0;
  while (Atomics.load(shared, words.stop) === 0) {
    const job = Atomics.load(shared, words.sequence);
    if (job === seen) {
      if (++idle < spins) continue;
      Atomics.add(shared, words.parked, 1);
      Atomics.wait(shared, words.sequence, seen);
      Atomics.sub(shared, words.parked, 1);
      idle = 0;
      continue;
    }
    idle = 0;
    seen = job;
    Atomics.add(shared, words.active, 1);
    try {
      // Looked at again: from here on, while this worker is active, no other job is published.
      if (Atomics.load(shared, words.sequence) === job) work(job);
    } catch {
      Atomics.store(shared, words.failed, 1);
    }
    Atomics.sub(shared, words.active, 1);
  }
}
