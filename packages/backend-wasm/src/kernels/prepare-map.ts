/** From a map and the `dims` of a run to its launch; code is kept for each geometry that it was made for. */

import type { MapKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { FrameLayout } from '../launch/frame.ts';
import { NOTHING, onePhase } from '../launch/launch.ts';
import type { LaunchPlan, Phase, UnitCode } from '../launch/launch.ts';
import { Words } from '../launch/words.ts';
import { loopsOf } from '../lowering/loops.ts';
import type { Loop } from '../lowering/loops.ts';
import { namedAxes, spaceOf } from '../lowering/space.ts';
import type { Space } from '../lowering/space.ts';
import { writeMap } from './map.ts';
import { loopsKey, motions } from './signature.ts';
import { countUnits } from './units.ts';

/** Makes the launch for some `dims`. */
export type Planner = (dims: Int32Array) => LaunchPlan;

/** The words that every kernel with strided operands has: addresses, lengths, scalars; sizes and strides of its loops. */
export function commonWords(kernel: { readonly scalars: MapKernel['scalars'] }, space: Space, loops: readonly Loop[]): Words {
  const words = new Words();
  space.offsets.forEach((offset, k) => words.operand(`address${k}`, k, offset).constant(`length${k}`, space.lengths[k] ?? 0));
  loops.forEach((loop, j) => {
    words.constant(`size${j}`, loop.size);
    loop.strides.forEach((stride, k) => words.constant(`stride${k}_${j}`, stride));
  });
  kernel.scalars.forEach((dtype, index) => words.scalar(`scalar${index}`, index, dtype));
  return words;
}

/** The phase of a map over some space; `place` may say where operands lie that are no arguments. Null where there are no points. */
export type MapPlanner = (space: Space, place?: (words: Words) => void) => Phase | null;

/** Plans maps over any space. Code is kept for each geometry that it was made for. */
export function mapPlanner(kernel: MapKernel, toolchain: Toolchain): MapPlanner {
  const written = kernel.outputs.map((output) => output.operand);
  const leading = [...written, ...kernel.operands.keys()];
  const known = new Map<string, { readonly layout: FrameLayout; readonly code: UnitCode }>();
  return (space, place) => {
    if (space.axes.some((axis) => axis.size === 0)) return null;
    const loops = loopsOf(space.axes, leading);
    const inner = motions(kernel.operands, loops.at(-1));
    const key = loopsKey(loops, inner);
    let made = known.get(key);
    if (made === undefined) {
      const layout = new FrameLayout();
      const { simd } = toolchain.features;
      made = { layout, code: toolchain.build((module) => writeMap(module, kernel, { loops, inner }, layout, simd)) };
      known.set(key, made);
    }
    const words = commonWords(kernel, space, loops);
    place?.(words);
    const units = countUnits(words, loops);
    return { code: made.code, units, words: words.inOrderOf(made.layout) };
  };
}

/** Plans runs of a map. */
export function prepareMap(kernel: MapKernel, toolchain: Toolchain): Planner {
  const named = namedAxes(kernel.outputs.map((output) => output.value));
  const plan = mapPlanner(kernel, toolchain);
  return (dims) => {
    const phase = plan(spaceOf(kernel, dims, named));
    return phase === null ? NOTHING : onePhase(phase);
  };
}
