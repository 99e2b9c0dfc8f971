/** Code that depends on a few words of description alone, made once for a device. */

import type { ModuleWriter } from '../assembler/module.ts';
import type { NamedCode, Toolchain } from '../engine/toolchain.ts';
import { FrameLayout } from './frame.ts';

/** The code with this description; `write` makes it when it is first asked for. */
export function codeFor(toolchain: Toolchain, description: string, write: (module: ModuleWriter, layout: FrameLayout) => void): NamedCode {
  const known = toolchain.known.get(description);
  if (known !== undefined) return known;
  const layout = new FrameLayout();
  const made = { layout, code: toolchain.build((module) => write(module, layout)) };
  toolchain.known.set(description, made);
  return made;
}
