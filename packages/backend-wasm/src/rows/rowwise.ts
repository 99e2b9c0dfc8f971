/** `rowwise`: plans runs of normalisations, whose formulas are in `normalise.ts`. */

import { DTYPES, denseOperands } from '@gradus/backend';
import type { RowwiseKernel } from '@gradus/backend';
import { f64, i32 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import type { Toolchain } from '../engine/toolchain.ts';
import { storedDType } from '../kernels/point.ts';
import type { Planner } from '../kernels/prepare-map.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { denseWords, divideRows, writeRows } from './dense.ts';
import { NORMALISATIONS } from './normalise.ts';
import { Row } from './passes.ts';

/** Two rows and three columns: sizes that tell the shapes of operands apart. */
const SIZES = Int32Array.of(2, 3);

/** How many elements an operand moves on from row to row: all columns, one, or (what all rows share) none. */
type Stride = 'columns' | 'one' | 'none';

function stridesOf(kernel: RowwiseKernel): Stride[] {
  return denseOperands(kernel).map(({ shape }) => {
    const axes = shape(SIZES);
    if (axes.length === 2) return 'columns';
    return axes[0] === SIZES[0] ? 'one' : 'none';
  });
}

function writeRowwise(module: ModuleWriter, kernel: RowwiseKernel, layout: FrameLayout, simd: boolean): void {
  const dtype = storedDType(kernel.operands[0]);
  const strides = stridesOf(kernel);
  writeRows(module, layout, (code, frame) => {
    const columns = frame.preload('columns');
    strides.forEach((_, k) => frame.preload(`address${k}`));
    const eps = kernel.scalars.length > 0 ? code.let(frame.float('scalar0')) : code.local('f32');
    const count = code.let(f64.convertI32S(columns));
    const bytes = i32.const(DTYPES[dtype].bytes);
    const rowBytes = code.let(i32.mul(columns, bytes));
    return (row) => {
      const starts = strides.map((stride, k) => {
        const address = frame.word(`address${k}`);
        return stride === 'none' ? address : code.let(i32.add(address, i32.mul(row, stride === 'one' ? bytes : rowBytes)));
      });
      const context = { row: new Row(code, dtype, starts, columns, simd), columns: count, eps, exact: dtype === 'float32' };
      NORMALISATIONS[kernel.pass][kernel.function](context);
    };
  });
}

/** Plans runs of a normalisation. */
export function prepareRowwise(kernel: RowwiseKernel, toolchain: Toolchain): Planner {
  const layout = new FrameLayout();
  let code: UnitCode | null = null;
  return (dims) => {
    const [rows = 0, columns = 0] = dims;
    if (rows === 0) return NOTHING;
    code ??= toolchain.build((module) => writeRowwise(module, kernel, layout, toolchain.features.simd));
    const words = denseWords(kernel, dims);
    const units = divideRows(words, rows, columns);
    return onePhase({ code, units, words: words.inOrderOf(layout) });
  };
}
