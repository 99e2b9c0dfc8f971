/** Writing bytes that are not whole words: the words at both ends are put together on the device. */

import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Dispatch } from '../launch/launch.ts';

/** A range of bytes as whole words, and what is left of it at its ends. */
export interface Split {
  /** Bytes at the start that lie in a word which begins before them. */
  readonly before: number;
  readonly whole: number;
  readonly after: number;
}

/** Splits a range that begins at `byteOffset`. Where it ends with the block, its last word is its own: nobody sees what follows. */
export function split(byteOffset: number, byteLength: number, blockBytes: number): Split {
  const before = Math.min(byteLength, (4 - (byteOffset % 4)) % 4);
  const rest = byteLength - before;
  const after = byteOffset + byteLength === blockBytes ? 0 : rest % 4;
  return { before, whole: rest - after, after };
}

const WORD = 0;
const MASK = 1;
const BITS = 2;

function patch(): Program {
  const frame = new Frame();
  const [word = '', mask = '', bits = ''] = [WORD, MASK, BITS].map((i) => frame.dim(i));
  const body = `if (lane == 0u) { store0(${word}, (load0(${word}) & ~u32(${mask})) | u32(${bits})); }`;
  return new Program('write bytes', [{ dtype: 'uint32', access: 'readWrite' }], frame, body, { workgroupSize: 1 });
}

/** Makes dispatches that change up to three bytes of a word; operand 0 is the block. */
export class EdgeWriter {
  #program: Program | null = null;

  /** @param bytes what to write from `byteOffset` on, all within one word */
  dispatch(byteOffset: number, bytes: Uint8Array): Dispatch {
    this.#program ??= patch();
    let mask = 0;
    let bits = 0;
    bytes.forEach((byte, i) => {
      const shift = 8 * ((byteOffset + i) % 4);
      mask |= 0xff << shift;
      bits |= byte << shift;
    });
    const words = this.#program.frame.fill(Int32Array.of(Math.floor(byteOffset / 4), mask, bits));
    return { program: this.#program, sources: [{ operand: 0 }], words, x: 1, y: 1 };
  }
}
