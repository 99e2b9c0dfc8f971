/** What of a run's strides goes into code: the way each operand moves along the innermost loop, and where named axes are. */

import { DTYPES } from '@gradus/backend';
import type { Operand } from '@gradus/backend';
import { i32 } from '../assembler/instructions.ts';
import type { Step } from '../lanes/elements.ts';
import type { Frame } from '../launch/frame.ts';
import type { Loop } from '../lowering/loops.ts';

/** How an operand moves along a loop, without the number of bytes. */
export type Motion = 'unit' | 'none' | 'far';

/** Motion of each operand along a loop. */
export function motions(operands: readonly Operand[], loop: Loop | undefined): Motion[] {
  return operands.map((operand, k) => {
    const stride = loop?.strides[k] ?? 0;
    if (stride === 0) return 'none';
    return stride === DTYPES[operand.dtype].bytes ? 'unit' : 'far';
  });
}

/** A step for code: the bytes of a far one come from the frame. */
export function stepOf(motion: Motion, frame: Frame, strideName: string): Step {
  return motion === 'far' ? frame.word(strideName) : motion;
}

/** The part of a key that describes loops. */
export function loopsKey(loops: readonly Loop[], inner: readonly Motion[]): string {
  return `${loops.map((loop) => loop.name ?? '-').join()}|${inner.map((motion) => motion[0]).join('')}`;
}

/** Bytes from one element to the next, as code has it. */
export function strideBytes(step: Step, operand: Operand | undefined): ReturnType<typeof i32.const> {
  if (step === 'none') return i32.const(0);
  return step === 'unit' ? i32.const(DTYPES[operand?.dtype ?? 'float32'].bytes) : step;
}
