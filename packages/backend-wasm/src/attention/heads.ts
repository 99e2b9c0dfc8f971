/**
 * The units of both passes: some key heads each, one after the other, with the heads that use them. A unit has memory of its own in the scratch,
 * used again for each of its key heads.
 */

import { i32 } from '../assembler/instructions.ts';
import type { Code } from '../assembler/code.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32 } from '../assembler/value.ts';
import { least, writeRun } from '../kernels/units.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';

/** Units at most: enough for as many threads, few enough that their memory stays in the caches. */
const UNITS = 16;
/** Most bytes of memory of all units, as long as there are two of them. */
const MEMORY_BYTES = 16 * 1024 * 1024;

/** How key heads are divided. */
export interface Units {
  readonly keyHeadsPerUnit: number;
  readonly units: number;
}

/** Divides `keyHeads` (of all images). It depends on sizes alone; and results do not depend on it. */
export function unitsOf(keyHeads: number, unitBytes: number): Units {
  const most = Math.max(2, Math.min(UNITS, Math.floor(MEMORY_BYTES / unitBytes)));
  const keyHeadsPerUnit = Math.max(1, Math.ceil(keyHeads / most));
  return { keyHeadsPerUnit, units: Math.ceil(keyHeads / keyHeadsPerUnit) };
}

/** What is done for a key head: first, for each head that uses it, and last. */
export interface HeadCode {
  readonly keyHead: (code: Code, frame: Frame, memory: I32, keyHead: I32) => void;
  readonly head: (code: Code, frame: Frame, address: I32, memory: I32, head: I32) => void;
  readonly end: (code: Code, frame: Frame, memory: I32, keyHead: I32) => void;
}

/**
 * Writes the entry of a pass, exported as `run`. Words: `memory`, `unitBytes`, `keyHeadsPerUnit`, `allKeyHeads` (of all images), `sharing`
 * (heads that use a key head), `T`, `S`. Heads are counted over all images, so head h uses key head `h / sharing`.
 */
export function writeHeads(module: ModuleWriter, layout: FrameLayout, { keyHead, head, end }: HeadCode): void {
  const unit = routine(module, ['address', 'number'], (code, { address, number }) => {
    const frame = new Frame(code, layout, address);
    const memory = code.let(i32.add(frame.word('memory'), i32.mul(number, frame.word('unitBytes'))));
    const first = code.let(i32.mul(number, frame.word('keyHeadsPerUnit')));
    const last = least(code, i32.add(first, frame.word('keyHeadsPerUnit')), frame.word('allKeyHeads'));
    const sharing = frame.word('sharing');
    code.for(
      last,
      (key) => {
        keyHead(code, frame, memory, key);
        const firstHead = code.let(i32.mul(key, sharing));
        const endOfHeads = code.let(i32.add(firstHead, sharing));
        code.for(endOfHeads, (of) => head(code, frame, address, memory, of), firstHead);
        end(code, frame, memory, key);
      },
      first,
    );
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
