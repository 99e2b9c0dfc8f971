/** `scan`: running folds. Floats are folded in float64 and rounded where they are stored; integers in 32 bits, which wrap as narrower ones do. */

import { isFloat } from '@gradus/backend';
import type { FoldKind, ScanKernel, TypedArray } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { DenseOperands } from '../dense/operands.ts';
import { foldIdentity } from '../lowering/fold.ts';

function foldFloat(fold: FoldKind, a: number, b: number): number {
  switch (fold) {
    case 'sum':
      return a + b;
    case 'prod':
      return a * b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    default:
      return fold satisfies never;
  }
}

function foldInteger(fold: FoldKind, a: number, b: number): number {
  if (fold === 'sum') return (a + b) | 0;
  return fold === 'prod' ? Math.imul(a, b) : foldFloat(fold, a, b);
}

/** Folds one row of `columns` elements, `step` apart from `at` on. */
type ScanRow = (x: TypedArray, result: TypedArray, at: number, step: number, columns: number) => void;

function inclusive(fold: FoldKind, combine: typeof foldFloat, identity: number): ScanRow {
  return (x, result, at, step, columns) => {
    let value = identity;
    for (let i = 0; i < columns; i++, at += step) {
      value = combine(fold, value, x[at] as number);
      result[at] = value;
    }
  };
}

function exclusive(fold: FoldKind, combine: typeof foldFloat, identity: number): ScanRow {
  return (x, result, at, step, columns) => {
    let value = identity;
    for (let i = 0; i < columns; i++, at += step) {
      result[at] = value;
      value = combine(fold, value, x[at] as number);
    }
  };
}

/** Code for a running fold. */
export function prepareScan(kernel: ScanKernel): KernelCode {
  const { fold, reverse } = kernel;
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  const scanRow = (kernel.exclusive ? exclusive : inclusive)(
    fold,
    isFloat(dtype) ? foldFloat : foldInteger,
    foldIdentity({ fold, value: { dtype } }),
  );
  return (views, _scalars, dims) => {
    const [rows = 0, columns = 0] = dims;
    const run = new DenseOperands(kernel, views, dims);
    const x = run.read(0);
    const result = run.write(1);
    for (let row = 0; row < rows; row++) {
      const first = row * columns;
      if (reverse) scanRow(x, result, first + columns - 1, -1, columns);
      else scanRow(x, result, first, 1, columns);
    }
    run.finish();
  };
}
