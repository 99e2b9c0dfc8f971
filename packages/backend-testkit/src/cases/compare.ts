/** Compares what a backend left in a case's blocks with what the oracle did, element by element, untouched ones included. */

import { DTYPES, axesOf, bytesPerElement, isFloat, keptSizes, operandPositions } from '@gradus/backend';
import type { DType } from '@gradus/backend';
import { View, forEachPoint } from '../oracle/launch.ts';
import type { Point } from '../oracle/launch.ts';
import { bitsText, decode, encode, isDenormal, ulp } from '../oracle/number.ts';
import { ConformanceError } from '../error.ts';
import type { Tolerance } from '../tolerances.ts';
import type { Case } from './case.ts';
import { kernelText, numberText } from './text.ts';

/** May `got` stand where the exact result is `expected`? */
function close(dtype: DType, got: number, expected: number, { ulps, absolute = 0 }: Tolerance, bound: number, denormals: boolean): boolean {
  if (Object.is(got, expected)) return true;
  if (!isFloat(dtype) || Number.isNaN(got) || Number.isNaN(expected)) return false;
  // Devices that flush do so before they round: what rounds up to the smallest normal number may be 0 as well.
  if (!denormals && got === 0 && (isDenormal(dtype, expected) || isDenormal(dtype, expected / (1 + DTYPES[dtype].epsilon)))) return true;
  const allowed = Math.max(ulps * ulp(dtype, expected), absolute, bound);
  if (allowed === 0) return false;
  if (got === expected) return true; // zeros of different sign
  // Inf is the next value after the largest one: a result there may be either when the error allows it.
  const { max } = DTYPES[dtype];
  const beyond = dtype === 'float64' ? max : max + ulp(dtype, max);
  const finite = (x: number): number => (Number.isFinite(x) ? x : Math.sign(x) * beyond);
  return Math.abs(finite(got) - finite(expected)) <= allowed;
}

/** @throws ConformanceError naming the first element that differs */
export function compare(check: string, c: Case, got: readonly Uint8Array[], denormals: boolean): void {
  c.blocks.forEach(({ dtype }, block) => {
    const after = c.after[block];
    const bytes = got[block];
    if (after === undefined || bytes === undefined) return;
    const size = bytesPerElement(dtype);
    const values = decode(dtype, bytes);
    const before = c.before[block] ?? new Uint8Array();
    const bounds = c.bounds.get(block);
    const wrong: number[] = [];
    after.values.forEach((expected, i) => {
      const same =
        after.written[i] === 0
          ? equalBytes(bytes, before, i * size, size)
          : close(dtype, values[i] ?? NaN, expected, c.tolerance, bounds?.[i] ?? 0, denormals);
      if (!same) wrong.push(i);
    });
    const [first] = wrong;
    if (first === undefined) return;
    const operand = c.bindings.indexOf(block);
    const bits = (of: Uint8Array): string => bitsText(of.subarray(first * size, first * size + size));
    const untouched = after.written[first] === 0;
    const readOnly = c.kernel.operands[operand]?.access === 'read';
    const why = untouched ? (readOnly ? ' as it was (the operand is only read)' : ' as it was (the kernel does not write this element)') : '';
    const point = pointOf(c, operand, first);
    const place = point === null ? '' : ` (point [${point.join()}])`;
    throw new ConformanceError({
      where: `${check} / ${c.name}`,
      expected: `${numberText(after.values[first] ?? NaN)} (${bits(encode(dtype, after.values))}) in element ${first} of operand ${operand}${place}${why}`,
      got: `${numberText(values[first] ?? NaN)} (${bits(bytes)}); ${wrong.length} of ${values.length} elements differ`,
      rule: untouched ? 'a kernel writes the elements of its written operands and nothing else' : c.rule,
      kernel: kernelText(c.kernel, c.dims),
      ...(point === null ? {} : { inputs: inputsText(c, point) }),
    });
  });
}

function equalBytes(a: Uint8Array, b: Uint8Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (a[i] !== b[i]) return false;
  return true;
}

function viewOf(c: Case, operand: number): View {
  const at = operandPositions(c.kernel);
  const cells = { values: c.blocks[c.bindings[operand] ?? 0]?.values ?? new Float64Array(), written: new Uint8Array() };
  return new View(cells, c.dims[at[operand] ?? 0] ?? 0, [...c.dims.subarray((at[operand] ?? 0) + 1, at[operand + 1])]);
}

/** The point of the result that lies in an element; null for indexed operands and for elements between points. */
function pointOf(c: Case, operand: number, element: number): Point | null {
  if (c.kernel.operands[operand]?.layout === 'indexed') return null;
  const view = viewOf(c, operand);
  let found: Point | null = null;
  forEachPoint(keptSizes(c.kernel, c.dims), (point) => {
    if (found === null && view.address(point) === element) found = [...point];
  });
  return found;
}

/** Values listed of one operand. */
const LISTED = 8;

/** What strided operands hold at a point of the result: one value, or those along the folded axes. */
function inputsText(c: Case, point: Point): string {
  const folded = c.kernel.kind === 'reduce' ? [...c.dims.subarray(c.kernel.rank - c.kernel.folded, c.kernel.rank)] : [];
  const shown = c.kernel.operands.flatMap((operand, i) => {
    const axes = axesOf(c.kernel, operand.space);
    if (operand.access === 'write' || operand.layout === 'indexed' || (axes !== point.length && axes !== point.length + folded.length)) return [];
    const view = viewOf(c, i);
    const values: string[] = [];
    forEachPoint(axes === point.length ? [] : folded, (rest) => {
      if (values.length <= LISTED) values.push(values.length < LISTED ? numberText(view.load([...point, ...rest])) : '…');
    });
    return [`operand ${i} = ${values.join(' ')}`];
  });
  const scalars = c.scalars.map((value, i) => `scalar ${i} = ${numberText(value)}`);
  return [...shown, ...scalars].join(', ') || 'none';
}
