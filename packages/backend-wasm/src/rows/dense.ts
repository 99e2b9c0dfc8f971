/** What kernels that treat rows of a matrix share: dense operands as words of a frame, and rows divided into units. */

import { DTYPES, operandPositions } from '@gradus/backend';
import type { Kernel } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { UNIT_POINTS, least, writeRun } from '../kernels/units.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { Words } from '../launch/words.ts';

/** The words `address0`, `address1`, …: where each dense operand begins. */
export function denseWords(kernel: Kernel, dims: Int32Array): Words {
  const words = new Words();
  const positions = operandPositions(kernel);
  kernel.operands.forEach(({ dtype }, k) => words.operand(`address${k}`, k, DTYPES[dtype].bytes * (dims[positions[k] ?? 0] ?? 0)));
  kernel.scalars.forEach((dtype, index) => words.scalar(`scalar${index}`, index, dtype));
  return words;
}

/** Adds the words that say how rows are divided into units; gives the number of units. By default a unit has about as many points as elsewhere. */
export function divideRows(words: Words, rows: number, columns: number, perUnit = Math.floor(UNIT_POINTS / Math.max(1, columns))): number {
  const step = Math.max(1, Math.min(rows, perUnit));
  words.constant('rows', rows).constant('columns', columns).constant('rowsPerUnit', step);
  return Math.ceil(rows / step);
}

/**
 * Writes the phase `run`, whose units are rows; `write` makes the code of a row. What is the same for all rows is written by the first call,
 * that of a row by the function which it gives.
 */
export function writeRows(
  module: ModuleWriter,
  layout: FrameLayout,
  write: (code: Code, frame: Frame, unit: Local<'i32'>) => (row: Local<'i32'>) => void,
): void {
  const unit = module.function(['i32', 'i32'], null, (code) => {
    const frame = new Frame(code, layout, code.parameter(0, 'i32'));
    const number = code.parameter(1, 'i32');
    const first = code.let(i32.mul(number, frame.word('rowsPerUnit')));
    const end = least(code, i32.add(first, frame.word('rowsPerUnit')), frame.word('rows'));
    const row = write(code, frame, number);
    code.for(end, row, first);
  });
  writeRun(module, (code, frame, number) => code.run(unit, [frame, number]));
}
