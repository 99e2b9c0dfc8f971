/** The three required kernels, interpreted. Slow, and to the bit what generated code gives. */

import type { MapKernel, Output, ReduceKernel, ScatterKernel } from '@gradus/backend';

import type { KernelCode } from '../codegen/compile.ts';
import { accumulationDType, foldIdentity, foldStep, scatterStep } from '../lowering/fold.ts';
import { ROUND } from '../numerics/scalar.ts';
import { evaluator, readElement, writeElement } from './evaluate.ts';
import type { Point } from './evaluate.ts';
import { Walker } from './walker.ts';

/** Evaluates the outputs at a point, then stores them. */
function storer(outputs: readonly Output[]): (point: Point) => void {
  const evaluate = evaluator(outputs.map((output) => output.value));
  return (point) => {
    const values = evaluate(point);
    outputs.forEach(({ operand, value }, i) => writeElement(point.views[operand], point.pointers[operand] ?? 0, values[i] ?? 0, value.dtype));
  };
}

export function interpretMap(kernel: MapKernel): KernelCode {
  const walker = new Walker(kernel);
  const store = storer(kernel.outputs);
  return (views, scalars, dims) => {
    const point = walker.start(views, scalars, dims, kernel.rank, 0);
    walker.walk(point, dims, 0, kernel.rank, () => store(point));
  };
}

export function interpretReduce(kernel: ReduceKernel): KernelCode {
  const { folds, rank } = kernel;
  const kept = rank - kernel.folded;
  const walker = new Walker(kernel);
  const step = evaluator(folds.map(foldStep));
  const store = storer(kernel.outputs);
  const identities = folds.map(foldIdentity);
  return (views, scalars, dims) => {
    const point = walker.start(views, scalars, dims, rank, folds.length);
    const { accumulators } = point;
    walker.walk(point, dims, 0, kept, () => {
      accumulators.set(identities);
      walker.walk(point, dims, kept, rank, () => accumulators.set(step(point).subarray(0, folds.length)));
      folds.forEach((fold, i) => {
        if (accumulationDType(fold) !== fold.value.dtype) accumulators[i] = ROUND[fold.value.dtype](accumulators[i] ?? 0);
      });
      store(point);
    });
  };
}

export function interpretScatter(kernel: ScatterKernel): KernelCode {
  const { position, target, value } = kernel;
  const walker = new Walker(kernel);
  const locate = evaluator([position]);
  const combine = evaluator([scatterStep(kernel)]);
  return (views, scalars, dims) => {
    const point = walker.start(views, scalars, dims, kernel.rank, 1);
    const length = point.lengths[target] ?? 0;
    walker.walk(point, dims, 0, kernel.rank, () => {
      const to = locate(point)[0] ?? 0;
      if (to < 0 || to >= length) return;
      const at = (point.pointers[target] ?? 0) + to;
      point.accumulators[0] = readElement(views[target], at, value.dtype);
      writeElement(views[target], at, combine(point)[0] ?? 0, value.dtype);
    });
  };
}
