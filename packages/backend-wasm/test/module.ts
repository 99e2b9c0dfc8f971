/** Modules made in a test, as functions that can be called. */

import { ModuleWriter } from '../src/assembler/module.ts';
import { webAssembly } from '../src/engine/webassembly.ts';
import type { Memory } from '../src/engine/webassembly.ts';

/** The largest number of pages a test's memory may have. */
const MAXIMUM_PAGES = 16;

/** What stands in for the address of a worker's buffer. */
export const WORKSPACE = 4096;

/** A module's bytes. */
export function bytesOf(write: (module: ModuleWriter) => void): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter({ shared: false, maximumPages: MAXIMUM_PAGES });
  write(module);
  return module.finish();
}

/** A function of a module that takes and gives numbers. */
export type Numeric = (...args: readonly number[]) => number;

/** An instance, with its memory. */
export interface Made {
  readonly memory: Memory;
  /** An exported function. */
  readonly call: (name: string) => Numeric;
}

/** Compiles and instantiates what `write` makes. */
export function make(write: (module: ModuleWriter) => void): Made {
  const api = webAssembly();
  const memory = new api.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared: false });
  const { exports } = new api.Instance(new api.Module(bytesOf(write)), { env: { memory, workspace: WORKSPACE } });
  return {
    memory,
    call: (name) => {
      const found = exports[name];
      if (typeof found !== 'function') throw new Error(`the module exports no function ${name}`);
      return found as Numeric;
    },
  };
}
