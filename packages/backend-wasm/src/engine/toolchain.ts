/** From code to functions that run: what all kernels of a device are made with. */

import { ModuleWriter } from '../assembler/module.ts';
import { MAXIMUM_PAGES } from '../memory/heap.ts';
import type { FrameLayout } from '../launch/frame.ts';
import type { UnitCode } from '../launch/launch.ts';
import type { WorkerPool } from '../threads/pool.ts';
import type { Features } from './features.ts';
import { webAssembly } from './webassembly.ts';
import type { Memory } from './webassembly.ts';

/** Code, with the words that it asks of its frame. */
export interface NamedCode {
  readonly layout: FrameLayout;
  readonly code: UnitCode;
}

/** Makes modules for one memory. */
export interface Toolchain {
  readonly features: Features;
  /** The function `run` of a module that `write` fills. */
  readonly build: (write: (module: ModuleWriter) => void) => UnitCode;
  /** Code that was made before, by its description: for code that is the same whatever the kernel (`launch/code.ts`). */
  readonly known: Map<string, NamedCode>;
}

/** Bytes of the buffer that the code of a unit may use while it runs. */
export const WORKSPACE_BYTES = 65_536;

/** A toolchain whose modules work on `memory`; `workspace` is the address of {@link WORKSPACE_BYTES} bytes in it. */
export function createToolchain(memory: Memory, features: Features, workspace: number, pool: WorkerPool | null): Toolchain {
  return {
    features,
    known: new Map(),
    build: (write) => {
      const module = new ModuleWriter({ shared: pool !== null, maximumPages: MAXIMUM_PAGES });
      write(module);
      const api = webAssembly();
      const bytes = module.finish();
      const instance = new api.Instance(new api.Module(bytes), { env: { memory, workspace } });
      const { run } = instance.exports as { readonly run?: UnitCode['run'] };
      if (run === undefined) throw new TypeError('internal: a module without its entry');
      return { run, module: pool?.publish(bytes) ?? -1 };
    },
  };
}
