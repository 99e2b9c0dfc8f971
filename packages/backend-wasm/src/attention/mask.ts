/** Masks: rows of a strip of queries, and the keys of a block, as `[keys][8]` of what is added to their scores. */

import type { AttentionKernel } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import type { Code } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import { storedDType } from '../kernels/point.ts';
import type { Frame } from '../launch/frame.ts';
import { matrixPacker } from '../product/pack.ts';
import { STRIP } from './strips.ts';

/** Where a strip meets a block. */
export interface Meeting {
  /** Counted over all images. */
  readonly head: I32;
  /** The first of the strip, and how many there are. */
  readonly query: I32;
  readonly queries: I32;
  /** The first of the block, and how many there are. */
  readonly key: I32;
  readonly keys: I32;
}

/** Writes code that packs the mask of a meeting to `target`; null where there is no mask. Words: `mask`, `heads`, `T`, `S`. */
export function writeMaskPacking(
  module: ModuleWriter,
  { mask, operands }: AttentionKernel,
): ((code: Code, frame: Frame, target: I32, meeting: Meeting) => void) | null {
  if (mask === 'none') return null;
  const dtype = storedDType(operands[3]);
  const bytes = i32.const(DTYPES[dtype].bytes);
  const pack = matrixPacker(module, STRIP, dtype, 'k');
  return (code, frame, target, { head, query, queries, key, keys }) => {
    const [T, S] = [frame.word('T'), frame.word('S')];
    const row = i32.add(i32.mul(i32.divU(head, frame.word('heads')), T), query);
    const source = i32.add(frame.word('mask'), i32.mul(i32.add(i32.mul(row, S), key), bytes));
    code.run(pack, [source, target, queries, keys, i32.mul(S, bytes), bytes]);
  };
}
