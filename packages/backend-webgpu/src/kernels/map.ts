/** `map` as WGSL: one invocation a point. */

import type { MapKernel } from '@gradus/backend';
import { NOTHING, single } from '../launch/launch.ts';
import type { Planner } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import { NO_ACCUMULATOR, dialectAt, gathers, slotsOf, storeOutputs } from './expressions.ts';
import { Space, sizeOf } from './space.ts';

const WORKGROUP = 256;

/** Plans maps. */
export function prepareMap(kernel: MapKernel): Planner {
  const frame = new Frame();
  const space = new Space(
    kernel,
    kernel.rank,
    kernel.rank,
    kernel.outputs.map((output) => output.value),
    frame,
  );
  const points = (dims: Int32Array): number => sizeOf(dims, 0, kernel.rank - 1);
  const count = frame.word(points);
  const dialect = dialectAt(frame, space, space.kept, NO_ACCUMULATOR);
  const body = [
    `let point = group * ${WORKGROUP}u + lane;`,
    `if (point >= u32(${count})) { return; }`,
    ...space.coordinates(space.kept, 'point'),
    ...storeOutputs(kernel.outputs, dialect, space, space.kept, 't'),
  ].join('\n');
  const program = new Program('map', slotsOf(kernel), frame, body, { declarations: gathers(kernel, space), workgroupSize: WORKGROUP });
  return (dims) => {
    const total = points(dims);
    return total === 0 ? NOTHING : single(program, dims, Math.ceil(total / WORKGROUP));
  };
}
