/**
 * `pool` as WGSL: one invocation for each element of the result, in one pass.
 *
 * Backward, the invocation of a cell goes through the windows that the cell is in, in row-major order. So nothing is added by several
 * invocations, and results are equal run after run. Whether the cell has a window's maximum is found by looking for a cell that beats it: the search
 * ends at the first one, and there is usually one near.
 *
 * Averages add the cells of each row of a window, then these sums; weights, `1 / divisor`, are rounded once.
 */

import { axisIndex, keptSizes, operandPositions } from '@gradus/backend';
import type { DType, PoolKernel } from '@gradus/backend';
import { dialectAt, gathers, slotsOf, storeOutputs } from '../kernels/expressions.ts';
import { foldIdentity } from '../kernels/folds.ts';
import { Space } from '../kernels/space.ts';
import { NOTHING, single } from '../launch/launch.ts';
import type { Planner } from '../launch/launch.ts';
import { keyFunction } from '../order/key.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import { cast, constant, typeOf } from '../wgsl/language.ts';
import { Geometry } from './geometry.ts';

const WORKGROUP = 256;

/** The dtype of what a maximum selects, or of what is averaged; sums are in its value type. */
function pooledDType({ mode, operands }: PoolKernel): DType {
  return operands[mode === 'max' ? 1 : 0]?.dtype ?? 'float32';
}

/** What the bodies of all passes are written from. */
interface Pooling {
  readonly kernel: PoolKernel;
  readonly geometry: Geometry;
  readonly dtype: DType;
  /** The element of an operand that lies like x, at a place of the point's plane; its plane is `cells`, as `windows` is that of one like y. */
  readonly cell: (operand: number, place: string) => string;
  readonly window: (operand: number, place: string) => string;
}

const own = (axis: number): string => `x${2 + axis}`;
const taps = (axis: number): string => `f${axis}`;
const windows = (axis: number): string => `w${axis}`;

/** Statements that name where tap 0 of window `name(axis)` is along each axis. */
function firstTaps(geometry: Geometry, name: (axis: number) => string): string {
  return Array.from({ length: geometry.rank }, (_, axis) => `let f${axis} = ${geometry.firstCell(axis, name(axis))};`).join('\n');
}

/** Statements that leave the value at the window's first maximum in `value`. */
function maximum({ kernel, geometry, dtype, cell }: Pooling): string {
  const search = geometry.eachCell(
    taps,
    (place) => `let key = order_key(load0(${cell(0, place)}));
if (best < 0 || key > largest) { best = ${place}; largest = key; }`,
  );
  const values = kernel.operands[1]?.dtype ?? dtype;
  return `${firstTaps(geometry, own)}
var best = -1;
var largest = 0u;
${search}
var value: ${typeOf(dtype)} = ${foldIdentity({ fold: 'max', value: { op: 'load', dtype: values, operand: 1 } })};
if (best >= 0) { value = load1(${cell(1, 'best')}); }`;
}

/** Statements that leave the sum of the gradients that the cell is given in `value`. */
function maximumGradient({ geometry, dtype, cell, window }: Pooling): string {
  return `let here = ${geometry.ownPlace};
let key = order_key(load0(${cell(0, 'here')}));
var value: ${typeOf(dtype)} = ${constant(0, dtype)};
${geometry.eachWindow(
  (at) => `${firstTaps(geometry, windows)}
if (wins(${['cells', 'here', 'key', ...Array.from({ length: geometry.rank }, (_, axis) => taps(axis))].join(', ')})) {
value += load1(${window(1, at)});
}`,
)}`;
}

/** Declares `wins`: has the cell at `own`, of key `key`, the maximum of the window whose tap 0 is at `f0`, … ? */
function winning({ kernel, geometry, cell }: Pooling): string {
  const first = Array.from({ length: geometry.rank }, (_, axis) => `, ${taps(axis)}: i32`).join('');
  const search = geometry.eachCell(
    taps,
    (place) => `let other = order_key(load0(${cell(0, place)}));
if (other > key || (other == key && ${place} < own)) { return false; }`,
  );
  return kernel.mode === 'max' && kernel.pass === 'backward'
    ? `fn wins(cells: i32, own: i32, key: u32${first}) -> bool {
${search}
return true;
}`
    : '';
}

/** The weight of window `name(axis)`, in text. */
function weight({ kernel: { countPadding, window }, geometry }: Pooling, name: (axis: number) => string): string {
  if (countPadding) return constant(Math.fround(1 / window.size.reduce((product, size) => product * size, 1)), 'float32');
  return `float_divide(1f, f32(${geometry.cellsInside(name)}))`;
}

function average(pooling: Pooling): string {
  const { geometry, cell } = pooling;
  const add = geometry.eachCell(
    taps,
    (place) => `row += load0(${cell(0, place)});`,
    (row) => `var row = 0f;
${row}
value += row;`,
  );
  return `${firstTaps(geometry, own)}
var value = 0f;
${add}
value = value * ${weight(pooling, own)};`;
}

function averageGradient(pooling: Pooling): string {
  const { geometry, window } = pooling;
  return `var value = 0f;
${geometry.eachWindow((at) => `value += load0(${window(0, at)}) * ${weight(pooling, windows)};`)}`;
}

function bodyOf(pooling: Pooling): string {
  const { mode, pass } = pooling.kernel;
  if (mode === 'max') return pass === 'forward' ? maximum(pooling) : maximumGradient(pooling);
  return pass === 'forward' ? average(pooling) : averageGradient(pooling);
}

/** Plans poolings. */
export function preparePool(kernel: PoolKernel): Planner {
  const frame = new Frame();
  const geometry = new Geometry(kernel.window, frame);
  const rank = 2 + geometry.rank;
  const points = (dims: Int32Array): number => keptSizes(kernel, dims).reduce((product, size) => product * size, 1);
  // Every coordinate is needed: naming them keeps the axes apart.
  const named = Array.from({ length: rank }, (_, axis) => axisIndex(axis));
  const expressions = [...named, ...kernel.outputs.map(({ value }) => value)];
  const space = new Space(kernel, rank, rank, expressions, frame, (dims) => Int32Array.from(keptSizes(kernel, dims)));

  const positions = operandPositions(kernel);
  const element = (plane: string) => (operand: number, place: string) => `${frame.dim(positions[operand] ?? 0)} + ${plane} + ${place}`;
  const dtype = pooledDType(kernel);
  const pooling: Pooling = { kernel, geometry, dtype, cell: element('cells'), window: element('windows') };
  const count = frame.word(points);
  // Sums of 16-bit floats are rounded before expressions see them.
  const accumulator = typeOf(dtype) === 'f32' ? cast('value', 'float32', dtype) : 'value';
  const body = `let point = group * ${WORKGROUP}u + lane;
if (point >= u32(${count})) { return; }
${space.coordinates(space.kept, 'point').join('\n')}
let cells = ${geometry.plane} * ${geometry.planeCells};
let windows = ${geometry.plane} * ${geometry.planeWindows};
${bodyOf(pooling)}
let pooled = ${accumulator};
${storeOutputs(
  kernel.outputs,
  dialectAt(frame, space, space.kept, () => 'pooled'),
  space,
  space.kept,
  'e',
).join('\n')}`;
  const program = new Program(`pool: ${kernel.mode} ${kernel.pass}`, slotsOf(kernel), frame, body, {
    declarations: `${kernel.mode === 'max' ? keyFunction(kernel.operands[0]?.dtype ?? 'float32') : ''}
${winning(pooling)}
${gathers(kernel, space)}`,
    workgroupSize: WORKGROUP,
  });
  return (dims) => {
    const total = points(dims);
    return total === 0 ? NOTHING : single(program, dims, Math.ceil(total / WORKGROUP));
  };
}
