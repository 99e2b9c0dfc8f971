/**
 * `scan`: running folds, one element after the other.
 *
 * Float sums and products are carried in float64 and rounded where they are stored; everything else is carried as registers hold it.
 */

import { DTYPES } from '@gradus/backend';
import type { ScanKernel } from '@gradus/backend';
import type { Code } from '../assembler/code.ts';
import { i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { I32 } from '../assembler/value.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { OneAccumulator } from '../kernels/folds.ts';
import { inFloats, storedDType } from '../kernels/point.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { scalarElements } from '../lanes/elements.ts';
import { scalarLanes } from '../lanes/scalar.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { denseWords, divideRows, writeRows } from './dense.ts';

/** The statements for one row of `columns` elements, from `x` and `result` on. */
function writeRow(code: Code, { fold, exclusive, reverse, operands }: ScanKernel, x: I32, result: I32, columns: I32): void {
  const dtype = storedDType(operands[0]);
  const { bytes } = DTYPES[dtype];
  const lanes = scalarLanes(code);
  const elements = scalarElements(lanes);
  const carried = new OneAccumulator(lanes, { fold, value: { op: 'load', dtype, operand: 0 } });
  carried.begin();
  const first = code.let(reverse ? i32.mul(i32.sub(columns, i32.const(1)), i32.const(bytes)) : i32.const(0));
  const from = code.let(i32.add(x, first));
  const to = code.let(i32.add(result, first));
  const floats = inFloats(dtype);
  const store = (): void => elements.store(dtype, to, 'unit', floats ? code.let(carried.float) : null, floats ? null : code.let(carried.int));
  const step = i32.const(reverse ? -bytes : bytes);
  code.for(columns, () => {
    const { float, int } = elements.load(dtype, from, 'unit');
    if (exclusive) store();
    if (float !== null) carried.addFloat(float);
    if (int !== null) carried.addInt(int);
    if (!exclusive) store();
    code.set(from, i32.add(from, step));
    code.set(to, i32.add(to, step));
  });
}

function writeScan(module: ModuleWriter, kernel: ScanKernel, layout: FrameLayout): void {
  const { bytes } = DTYPES[storedDType(kernel.operands[0])];
  writeRows(module, layout, (code, frame) => {
    const columns = frame.preload('columns');
    const [x, result] = [frame.preload('address0'), frame.preload('address1')];
    const rowBytes = code.let(i32.mul(columns, i32.const(bytes)));
    return (row) => {
      const offset = code.let(i32.mul(row, rowBytes));
      writeRow(code, kernel, code.let(i32.add(x, offset)), code.let(i32.add(result, offset)), columns);
    };
  });
}

/** Plans runs of a running fold. */
export function prepareScan(kernel: ScanKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  return (dims) => {
    const [rows = 0, columns = 0] = dims;
    if (rows === 0 || columns === 0) return NOTHING;
    code ??= toolchain.build((module) => writeScan(module, kernel, layout));
    const words = denseWords(kernel, dims);
    const units = divideRows(words, rows, columns);
    return onePhase({ code, units, words: words.inOrderOf(layout) });
  };
}
