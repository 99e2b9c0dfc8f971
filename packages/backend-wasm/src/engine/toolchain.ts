/** From code to functions that run: what all kernels of a device are made with. */

import { ModuleWriter } from '../assembler/module.ts';
import { MAXIMUM_PAGES } from '../memory/heap.ts';
import type { UnitCode } from '../launch/launch.ts';
import type { Features } from './features.ts';
import { webAssembly } from './webassembly.ts';
import type { Memory } from './webassembly.ts';

/** Makes modules for one memory. */
export interface Toolchain {
  readonly features: Features;
  /** The exports of a module that `write` fills. */
  readonly build: (write: (module: ModuleWriter) => void) => Readonly<Record<string, UnitCode>>;
}

/** A toolchain whose modules work on `memory`. */
export function createToolchain(memory: Memory, shared: boolean, features: Features): Toolchain {
  return {
    features,
    build: (write) => {
      const module = new ModuleWriter({ shared, maximumPages: MAXIMUM_PAGES });
      write(module);
      const api = webAssembly();
      const instance = new api.Instance(new api.Module(module.finish()), { env: { memory } });
      return instance.exports as Record<string, UnitCode>;
    },
  };
}

/** An exported function that is known to be there. */
export function exported(exports: Readonly<Record<string, UnitCode>>, name: string): UnitCode {
  const code = exports[name];
  if (code === undefined) throw new TypeError(`internal: no function ${name} in its module`);
  return code;
}
