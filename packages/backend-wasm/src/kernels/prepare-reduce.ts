/** From a reduce and the `dims` of a run to its launch. */

import type { ReduceKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { UnitCode } from '../launch/launch.ts';
import { loopsOf, pointsOf } from '../lowering/loops.ts';
import type { Loop } from '../lowering/loops.ts';
import { namedAxes, spaceOf } from '../lowering/space.ts';
import { isVectorisable } from './folds.ts';
import { commonWords } from './prepare-map.ts';
import type { Planner } from './prepare-map.ts';
import { writeReduce } from './reduce.ts';
import type { Direction, ReduceShape } from './reduce.ts';
import { loopsKey, motions } from './signature.ts';
import { countUnits } from './units.ts';

/** Loops shorter than a few vectors are not worth them. */
const SHORTEST_VECTOR_LOOP = 4;

/** How well an innermost loop suits vectors: operands that are neighbours, less those that are far apart. */
function fitness(kernel: ReduceKernel, loop: Loop | undefined): number {
  if (loop === undefined || loop.size < SHORTEST_VECTOR_LOOP) return -Infinity;
  let sum = 0;
  motions(kernel.operands, loop).forEach((motion, k) => {
    if (kernel.operands[k]?.space !== 'full') return;
    if (motion === 'unit') sum++;
    else if (motion === 'far') sum--;
  });
  return sum;
}

function directionOf(kernel: ReduceKernel, kept: readonly Loop[], folded: readonly Loop[], simd: boolean): Direction {
  if (!simd || !kernel.folds.every(isVectorisable)) return 'single';
  const along = fitness(kernel, folded.at(-1));
  const across = fitness(kernel, kept.at(-1));
  if (along === -Infinity && across === -Infinity) return 'single';
  return along >= across ? 'along' : 'across';
}

/** Plans runs of a reduce. */
export function prepareReduce(kernel: ReduceKernel, toolchain: Toolchain): Planner {
  const named = namedAxes([...kernel.folds.map((fold) => fold.value), ...kernel.outputs.map((output) => output.value)]);
  const inputs = kernel.operands.flatMap((operand, k) => (operand.space === 'full' && operand.layout !== 'indexed' ? [k] : []));
  const leading = [...inputs, ...kernel.operands.keys()];
  const known = new Map<string, { readonly layout: FrameLayout; readonly code: UnitCode }>();
  return (dims) => {
    const space = spaceOf(kernel, dims, named);
    const axesKept = space.axes.slice(0, kernel.rank - kernel.folded);
    if (axesKept.some((axis) => axis.size === 0)) return NOTHING;
    const kept = loopsOf(axesKept, leading);
    const folded = loopsOf(space.axes.slice(kernel.rank - kernel.folded), leading);
    const direction = directionOf(kernel, kept, folded, toolchain.features.simd);
    const keptInner = motions(kernel.operands, kept.at(-1));
    const foldedInner = motions(kernel.operands, folded.at(-1));
    const key = `${direction}|${loopsKey(kept, keptInner)}|${loopsKey(folded, foldedInner)}`;
    let made = known.get(key);
    if (made === undefined) {
      const layout = new FrameLayout();
      const shape: ReduceShape = { kept, folded, keptInner, foldedInner, direction };
      made = { layout, code: toolchain.build((module) => writeReduce(module, kernel, shape, layout)) };
      known.set(key, made);
    }
    const words = commonWords(kernel, space, kept);
    folded.forEach((loop, j) => {
      words.constant(`foldSize${j}`, loop.size);
      loop.strides.forEach((stride, k) => words.constant(`foldStride${k}_${j}`, stride));
    });
    const units = countUnits(words, kept, Math.max(1, pointsOf(folded)));
    return onePhase({ code: made.code, units, words: words.inOrderOf(made.layout) });
  };
}
