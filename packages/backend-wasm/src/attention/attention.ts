/** `attention`: from a kernel and the `dims` of a run to its launch. */

import type { AttentionKernel } from '@gradus/backend';
import { DTYPES, operandPositions } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { Words } from '../launch/words.ts';
import { backwardParts, writeBackward } from './backward.ts';
import { forwardParts, writeForward } from './forward.ts';
import { unitsOf } from './heads.ts';
import { paddedTo } from './strips.ts';

/** Parts of a unit's memory begin at cache lines. */
const LINE_BYTES = 64;

/** The words for the addresses of a kernel's operands, in their order. */
function operandNames({ pass, mask }: AttentionKernel): string[] {
  const inputs = ['q', 'k', 'v', ...(mask === 'none' ? [] : ['mask']), 'y', 'lse'];
  return pass === 'forward' ? inputs : [...inputs, 'g', 'dq', 'dk', 'dv'];
}

/** Plans runs of either pass. */
export function prepareAttention(kernel: AttentionKernel, toolchain: Toolchain): Planner {
  const forward = kernel.pass === 'forward';
  const write = forward ? writeForward : writeBackward;
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  const positions = operandPositions(kernel);
  return (dims) => {
    const [images = 0, heads = 0, keyHeads = 0, T = 0, S = 0] = dims;
    const allKeyHeads = images * keyHeads;
    if (allKeyHeads === 0) return NOTHING;
    code ??= toolchain.build((module) => write(module, kernel, layout, toolchain.features.relaxedSimd));
    const words = new Words();
    operandNames(kernel).forEach((name, operand) => {
      const { bytes } = DTYPES[kernel.operands[operand]?.dtype ?? 'float32'];
      words.operand(name, operand, bytes * (dims[positions[operand] ?? 0] ?? 0));
    });
    let unitBytes = 0;
    for (const [name, bytes] of Object.entries(forward ? forwardParts(kernel, S) : backwardParts(kernel, T, S))) {
      words.constant(name, unitBytes);
      unitBytes += paddedTo(LINE_BYTES, bytes);
    }
    const { keyHeadsPerUnit, units } = unitsOf(allKeyHeads, unitBytes);
    words.scratch('memory', 0).constant('unitBytes', unitBytes).constant('keyHeadsPerUnit', keyHeadsPerUnit);
    words
      .constant('allKeyHeads', allKeyHeads)
      .constant('heads', heads)
      .constant('sharing', heads / keyHeads);
    words
      .constant('T', T)
      .constant('S', S)
      .scalar('scale', 0, kernel.scalars[0] ?? 'float32');
    return { phases: [{ code, units, words: words.inOrderOf(layout) }], scratchBytes: units * unitBytes, table: null };
  };
}
