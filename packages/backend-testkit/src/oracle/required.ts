/** The three required kernels, interpreted. */

import type { MapKernel, ReduceKernel, ScatterKernel } from '@gradus/backend';
import { Folder } from './fold.ts';
import { forEachPoint } from './launch.ts';
import type { Launch } from './launch.ts';
import { operate } from './operations.ts';

export function interpretMap(kernel: MapKernel, launch: Launch): void {
  const roots = kernel.outputs.map((output) => output.value);
  forEachPoint([...launch.dims.subarray(0, kernel.rank)], (point) => launch.finish(kernel.outputs, roots, point, []));
}

export function interpretReduce(kernel: ReduceKernel, launch: Launch): void {
  const kept = kernel.rank - kernel.folded;
  const inner = [...launch.dims.subarray(kept, kernel.rank)];
  const values = kernel.folds.map((fold) => fold.value);
  const roots = kernel.outputs.map((output) => output.value);
  forEachPoint([...launch.dims.subarray(0, kept)], (outer) => {
    const folders = kernel.folds.map((fold) => new Folder(fold.fold, fold.value.dtype));
    forEachPoint(inner, (rest) => {
      launch.evaluate(values, [...outer, ...rest], []).forEach((value, i) => folders[i]?.add(value));
    });
    launch.finish(
      kernel.outputs,
      roots,
      outer,
      folders.map((folder) => folder.result),
    );
  });
}

export function interpretScatter(kernel: ScatterKernel, launch: Launch): void {
  const target = launch.view(kernel.target);
  const roots = [kernel.position, kernel.value];
  forEachPoint([...launch.dims.subarray(0, kernel.rank)], (point) => {
    const [position = -1, value = NaN] = launch.evaluate(roots, point, []);
    if (!target.has(position)) return;
    const { dtype } = kernel.value;
    const before = target.get(position);
    target.set(position, kernel.mode === 'set' ? value : operate(kernel.mode, dtype, before, value));
  });
}
