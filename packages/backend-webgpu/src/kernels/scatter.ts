/**
 * `scatter` as WGSL. Points come in any order on a GPU, yet duplicates have to apply in that of the points; so every element of the target gets a
 * linked list of the points that go to it, and one invocation takes them in order:
 * 1. heads of lists are cleared;
 * 2. every point puts itself before the list of its element;
 * 3. every element goes along its list, sorted first where the order matters: in sums of floats.
 *
 * Lists are sorted from the bottom up by merging, which needs no memory (Knuth, The Art of Computer Programming 3, 5.2.4, algorithm L).
 */

import { DTYPES, accumulator, apply, emit } from '@gradus/backend';
import type { ScatterKernel } from '@gradus/backend';
import { NOTHING, dispatch, operandSources } from '../launch/launch.ts';
import type { Planner, Source } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { NO_ACCUMULATOR, dialectAt, gathers, slotsOf } from './expressions.ts';
import { Space, sizeOf } from './space.ts';

const WORKGROUP = 256;

/** The point of this invocation, for programs over `count` points. */
function eachOf(count: string): string {
  return `let point = group * ${WORKGROUP}u + lane;
if (point >= u32(${count})) { return; }`;
}

function clearing(lengthAt: number): Program {
  const frame = new Frame();
  const body = `${eachOf(frame.dim(lengthAt))}
store0(i32(point), 0u);`;
  return new Program('scatter: clear', [{ dtype: 'uint32', access: 'write' }], frame, body, { workgroupSize: WORKGROUP });
}

/** Operands as this kernel's programs have them: nothing but the target is written, and that by the last one alone. */
function inputs(kernel: ScatterKernel): Slot[] {
  return slotsOf(kernel).map((slot) => ({ ...slot, access: 'read' }));
}

function linking(kernel: ScatterKernel, lengthAt: number): Program {
  const frame = new Frame();
  const space = new Space(kernel, kernel.rank, kernel.rank, [kernel.position], frame);
  const { statements, values } = emit([kernel.position], dialectAt(frame, space, space.kept, NO_ACCUMULATOR));
  const heads = kernel.operands.length;
  const body = `${eachOf(frame.word((dims) => sizeOf(dims, 0, kernel.rank - 1)))}
${space.coordinates(space.kept, 'point').join('\n')}
${statements.join('\n')}
if (u32(${values[0]}) >= u32(${frame.dim(lengthAt)})) { return; }
store${heads + 1}(i32(point), exchange${heads}(${values[0]}, point + 1u));`;
  const slots: Slot[] = [...inputs(kernel), { dtype: 'uint32', access: 'readWrite', atomic: true }, { dtype: 'uint32', access: 'write' }];
  return new Program('scatter: link', slots, frame, body, { declarations: gathers(kernel, space), workgroupSize: WORKGROUP });
}

/** Sorts the list that `at` (a variable) begins, in ascending order; links are slot `links`. */
function sorting(links: number): string {
  const following = (of: string): string => `load${links}(i32(${of}) - 1)`;
  const link = (from: string, to: string): string => `store${links}(i32(${from}) - 1, ${to});`;
  const takeLeft = `taken = left; left = ${following('left')}; lefts--;`;
  const takeRight = `taken = right; right = ${following('right')}; rights--;`;
  return `for (var run = 1u; ; run *= 2u) {
var left = at;
var tail = 0u;
var merges = 0u;
at = 0u;
while (left != 0u) {
merges++;
var right = left;
var lefts = 0u;
while (lefts < run && right != 0u) { lefts++; right = ${following('right')}; }
var rights = run;
while (lefts > 0u || (rights > 0u && right != 0u)) {
var taken = 0u;
if (lefts == 0u) { ${takeRight} }
else if (rights == 0u || right == 0u || left < right) { ${takeLeft} }
else { ${takeRight} }
if (tail == 0u) { at = taken; } else { ${link('tail', 'taken')} }
tail = taken;
}
left = right;
}
${link('tail', '0u')}
if (merges <= 1u) { break; }
}`;
}

function applying(kernel: ScatterKernel, lengthAt: number): Program {
  const { mode, value, target } = kernel;
  const frame = new Frame();
  const space = new Space(kernel, kernel.rank, kernel.rank, [kernel.value], frame);
  const heads = kernel.operands.length;
  const links = heads + 1;
  const element = `${frame.dim(lengthAt - 1)} + i32(point)`;
  const dialect = dialectAt(frame, space, space.kept, () => 'old');
  const combined = mode === 'set' ? value : apply(mode, accumulator(value.dtype), value);
  const { statements, values } = emit([combined], dialect);
  // The source whose turn it is.
  const evaluate = [...space.coordinates(space.kept, 'source'), ...statements].join('\n');
  const last = `var source = at - 1u;
while (at != 0u) { source = max(source, at - 1u); at = load${links}(i32(at) - 1); }
${evaluate}
store${target}(${element}, ${values[0]});`;
  const all = `${mode === 'add' && DTYPES[value.dtype].kind === 'float' ? sorting(links) : ''}
var old = load${target}(${element});
while (at != 0u) {
let source = at - 1u;
${evaluate}
old = ${values[0]};
at = load${links}(i32(source));
}
store${target}(${element}, old);`;
  const body = `${eachOf(frame.dim(lengthAt))}
var at = load${heads}(i32(point));
if (at == 0u) { return; }
${mode === 'set' ? last : all}`;
  const slots: Slot[] = [
    ...inputs(kernel).map((slot, k): Slot => (k === target ? { ...slot, access: 'readWrite' } : slot)),
    { dtype: 'uint32', access: 'read' },
    { dtype: 'uint32', access: 'readWrite' },
  ];
  return new Program('scatter: apply', slots, frame, body, { declarations: gathers(kernel, space), workgroupSize: WORKGROUP });
}

/** Plans scatters. */
export function prepareScatter(kernel: ScatterKernel, positions: readonly number[]): Planner {
  const lengthAt = (positions[kernel.target] ?? 0) + 1;
  const [clear, link, combine] = [clearing(lengthAt), linking(kernel, lengthAt), applying(kernel, lengthAt)];
  const sources: Source[] = [...operandSources(kernel.operands.length), { scratch: 0 }, { scratch: 1 }];
  return (dims) => {
    const points = sizeOf(dims, 0, kernel.rank - 1);
    const length = dims[lengthAt] ?? 0;
    if (points === 0 || length === 0) return NOTHING;
    const groups = Math.ceil(length / WORKGROUP);
    return {
      dispatches: [
        dispatch(clear, [{ scratch: 0 }], dims, groups),
        dispatch(link, sources, dims, Math.ceil(points / WORKGROUP)),
        dispatch(combine, sources, dims, groups),
      ],
      scratch: [4 * length, 4 * points],
    };
  };
}
