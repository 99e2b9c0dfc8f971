/** PyTorch, in a process of its own that stays for all works and takes the time itself. */

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Contender } from '../measure.ts';

const SCRIPT = fileURLToPath(new URL('../../peers/torch_peer.py', import.meta.url));
/** Debian's own Python, then whichever is found first. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

interface Torch {
  readonly ask: (request: object) => Promise<number>;
  readonly end: () => void;
}

let started: Promise<Torch> | null = null;

async function start(python: string): Promise<Torch> {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => void child.on('error', reject));
  const greeting = await Promise.race([lines.next(), failed]);
  if (greeting.done === true) throw new Error('PyTorch is not installed (Debian: python3-torch)');
  child.unref();
  return {
    ask: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('PyTorch ended');
      return Number(value);
    },
    end: () => void child.kill(),
  };
}

async function torch(): Promise<Torch> {
  started ??= (async () => {
    let reason: unknown = null;
    for (const python of PYTHONS)
      try {
        return await start(python);
      } catch (error) {
        reason = error;
      }
    throw reason;
  })();
  return started;
}

/** PyTorch on one thread at a work of `torch_peer.py`; `sizes` for matrix products. */
export function torchContender(work: string, sizes?: readonly number[]): Contender {
  const request = (calls: number): object => ({ work, calls, ...(sizes !== undefined && { sizes }) });
  return {
    name: 'torch, 1 thread',
    run: async () => void (await (await torch()).ask(request(1))),
    sample: async (calls) => (await torch()).ask(request(calls)),
  };
}

/** Ends the process, if there is one. */
export async function endTorch(): Promise<void> {
  try {
    (await started)?.end();
  } catch {
    // It never started.
  }
}
