/** What becomes of the sums of a product: its outputs, at once or after the sums of spans have been added up by a second pass. */

import { keptSizes } from '@gradus/backend';
import type { ContractKernel, ConvolutionKernel, QuantizedContractKernel } from '@gradus/backend';
import { dialectAt, gathers, slotsOf, storeOutputs } from '../kernels/expressions.ts';
import { Space } from '../kernels/space.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import type { SumType } from './tiled.ts';

/** Kernels that are products. */
export type ProductKernel = ContractKernel | ConvolutionKernel | QuantizedContractKernel;

/** Invocations of a workgroup in the second pass. */
export const WORKGROUP = 256;

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

/** Elements of the result. */
export function pointsOf(kernel: ProductKernel, dims: Int32Array): number {
  return product(keptSizes(kernel, dims));
}

/** The function `output(point, value)`, which stores the outputs of point `point` (u32, row-major in the kept space). */
function outputFunction(kernel: ProductKernel, frame: Frame, rank: number, type: SumType): string {
  const expressions = kernel.outputs.map((output) => output.value);
  const space = new Space(kernel, rank, rank, expressions, frame, (dims) => Int32Array.from(keptSizes(kernel, dims)));
  const dialect = dialectAt(frame, space, space.kept, () => 'value');
  const statements = [...space.coordinates(space.kept, 'point'), ...storeOutputs(kernel.outputs, dialect, space, space.kept, 't')];
  return `${gathers(kernel, space)}
fn output(point: u32, value: ${type}) {
${statements.join('\n')}
}`;
}

/** Where an element of the result is, as texts. */
export interface Placement {
  readonly m: string;
  readonly n: string;
  /** The number of the point of `batch`, `row` and `column` (u32 names) in the kept space. */
  readonly point: string;
}

function finishing(placement: Placement, type: SumType, store: string): string {
  return `fn finish(span: u32, batch: u32, row: u32, column: u32, value: ${type}) {
if (row >= ${placement.m} || column >= ${placement.n}) { return; }
let point = ${placement.point};
${store}
}`;
}

/** The function `finish` that stores outputs. */
export function finishedAtOnce(kernel: ProductKernel, frame: Frame, rank: number, placement: Placement, type: SumType): string {
  return `${outputFunction(kernel, frame, rank, type)}
${finishing(placement, type, 'output(point, value);')}`;
}

/** The function `finish` that leaves sums of spans in slot `slot`, span by span. */
export function leftInScratch(kernel: ProductKernel, frame: Frame, slot: number, placement: Placement, type: SumType): string {
  const points = frame.word((dims) => pointsOf(kernel, dims));
  return finishing(placement, type, `store${slot}(i32(span * u32(${points}) + point), value);`);
}

/** The second pass: the sums of spans, added in ascending order, become outputs. */
export function spansTogether(kernel: ProductKernel, rank: number, type: SumType, scratch: Slot, spans: (dims: Int32Array) => number): Program {
  const frame = new Frame();
  const points = `u32(${frame.word((dims) => pointsOf(kernel, dims))})`;
  const body = `let point = group * ${WORKGROUP}u + lane;
if (point >= ${points}) { return; }
var total = ${type}();
for (var span = 0u; span < u32(${frame.word(spans)}); span++) { total += load${kernel.operands.length}(i32(span * ${points} + point)); }
output(point, total);`;
  return new Program(`${kernel.kind}: spans together`, [...slotsOf(kernel), scratch], frame, body, {
    declarations: outputFunction(kernel, frame, rank, type),
    workgroupSize: WORKGROUP,
  });
}
