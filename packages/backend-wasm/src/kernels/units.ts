/**
 * Units: how the points of a kernel are divided into calls.
 *
 * Words used here:
 * - **row**: one walk of the innermost loop, or a part of it.
 * - **unit**: some rows (or a part of one) that are computed by one call: small enough that the engine finishes optimising the code while the
 *   first call of a launch is under way, and the grain that threads share.
 */

import type { Operand } from '@gradus/backend';
import type { Code, Local } from '../assembler/code.ts';
import { i32, select } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import type { Frame } from '../launch/frame.ts';
import type { Words } from '../launch/words.ts';
import type { Loop } from '../lowering/loops.ts';

/** Points of a unit, about. */
export const UNIT_POINTS = 4096;

/** A row as the code of a unit comes to it. */
export interface Row {
  /** Each operand's address at its start; may be moved. */
  readonly addresses: readonly Local<'i32'>[];
  /** The coordinate in each loop but the innermost. */
  readonly outer: readonly I32[];
  /** The part of the innermost loop to walk. */
  readonly start: I32;
  readonly end: I32;
}

/** The entry of a phase: calls a unit's code for each unit of a range. */
export function writeRun(module: ModuleWriter, unit: (code: Code, frame: I32, number: I32) => void): void {
  module.function(
    ['i32', 'i32', 'i32'],
    null,
    (code) => code.for(code.parameter(2, 'i32'), (number) => unit(code, code.parameter(0, 'i32'), number), code.parameter(1, 'i32')),
    'run',
  );
}

/** The smaller of two signed numbers. */
export function least(code: Code, a: I32, b: I32): Local<'i32'> {
  const [x, y] = [code.let(a), code.let(b)];
  return code.let(select(i32.ltS(x, y), x, y));
}

/** The code of the unit whose number is parameter 1: finds its rows and writes `row` for each. */
export function writeUnit(code: Code, frame: Frame, operands: readonly Operand[], loops: readonly Loop[], row: (row: Row) => void): void {
  const depth = loops.length;
  // Everything that any part of the code may ask of the frame is loaded first, so that no loop does it.
  operands.forEach((operand, k) => {
    frame.preload(`address${k}`);
    if (operand.layout === 'indexed') frame.preload(`length${k}`);
    loops.forEach((_, j) => frame.preload(`stride${k}_${j}`));
  });
  const rest = code.let(code.parameter(1, 'i32'));
  const take = (count: I32): Local<'i32'> => {
    const digit = code.let(i32.remU(rest, count));
    code.set(rest, i32.divU(rest, count));
    return digit;
  };
  const innerPart = take(frame.word('innerParts'));
  const rowPart = take(frame.word('rowParts'));
  const addresses = operands.map((_, k) => code.let(frame.word(`address${k}`)));
  const outer: I32[] = [];
  for (let j = depth - 3; j >= 0; j--) {
    const x = take(frame.word(`size${j}`));
    outer[j] = x;
    addresses.forEach((address, k) => code.set(address, i32.add(address, i32.mul(x, frame.word(`stride${k}_${j}`)))));
  }
  const start = code.let(i32.mul(innerPart, frame.word('innerStep')));
  const end = least(code, i32.add(start, frame.word('innerStep')), frame.word('innerSize'));
  const rowStart = code.let(i32.mul(rowPart, frame.word('rowStep')));
  const rowEnd = least(code, i32.add(rowStart, frame.word('rowStep')), frame.word('rowSize'));
  code.for(
    rowEnd,
    (x) => {
      if (depth >= 2) outer[depth - 2] = x;
      const starts = addresses.map((address, k) => {
        const atRow = depth >= 2 ? i32.add(address, i32.mul(x, frame.word(`stride${k}_${depth - 2}`))) : address;
        return code.let(depth >= 1 ? i32.add(atRow, i32.mul(start, frame.word(`stride${k}_${depth - 1}`))) : atRow);
      });
      row({ addresses: starts, outer, start, end });
    },
    rowStart,
  );
}

/** The words of a frame that say how units lie over `loops`, with so much work a point; and how many units there are. */
export function countUnits(words: Words, loops: readonly Loop[], workPerPoint = 1): number {
  const points = Math.max(1, Math.floor(UNIT_POINTS / workPerPoint));
  const innerSize = loops.at(-1)?.size ?? 1;
  const rowSize = loops.at(-2)?.size ?? 1;
  const innerStep = Math.min(innerSize, points);
  const rowStep = Math.max(1, Math.min(rowSize, Math.floor(points / innerStep)));
  const innerParts = Math.ceil(innerSize / innerStep);
  const rowParts = Math.ceil(rowSize / rowStep);
  const outer = loops.slice(0, -2).reduce((product, loop) => product * loop.size, 1);
  words.constant('innerSize', innerSize).constant('rowSize', rowSize).constant('innerStep', innerStep).constant('rowStep', rowStep);
  words.constant('innerParts', innerParts).constant('rowParts', rowParts);
  return outer * innerParts * rowParts;
}
