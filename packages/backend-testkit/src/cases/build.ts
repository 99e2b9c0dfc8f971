/**
 * Builds cases from short descriptions: sizes, operands with a layout name and values, and expressions.
 *
 * Each operand gets a block of its own with guard elements; `dims` follows from the placements.
 */

import type { DType, Expression, Fold, Kernel, Operand, Output } from '@gradus/backend';
import { forEachPoint } from '../oracle/launch.ts';
import type { Point } from '../oracle/launch.ts';
import { hold } from '../oracle/number.ts';
import { accumulationError } from '../tolerances.ts';
import type { Tolerance } from '../tolerances.ts';
import { Case } from './case.ts';
import type { BlockImage } from './case.ts';
import { alignmentOf, place, placeIndexed } from './layouts.ts';
import type { LayoutChoice, Placement } from './layouts.ts';
import { seedOf } from './random.ts';
import { poison, wholeValues } from './values.ts';

/** What case builders need to know of the device. */
export interface Placing {
  readonly bindingAlignment: number;
}

/** One operand of a case. */
export interface OperandSpec {
  readonly dtype: DType;
  /** Default `read`. */
  readonly access?: Operand['access'];
  /** Default `contiguous`. Ignored where `length` is given. */
  readonly layout?: LayoutChoice;
  /** Default `full`; of written operands of a reduce, `kept`. */
  readonly space?: Operand['space'];
  /** An indexed operand of so many elements. */
  readonly length?: number;
  /** Elements, in row-major order of its space (or by position), each once. Default small random whole numbers; repeated if too few. */
  readonly values?: readonly number[];
}

/** What all kinds of case have. */
export interface CaseSpec {
  readonly name: string;
  readonly rule: string;
  /** Sizes of the index space. */
  readonly sizes: readonly number[];
  readonly operands: readonly OperandSpec[];
  readonly scalars?: readonly (readonly [DType, number])[];
  readonly tolerance?: Tolerance;
  readonly bounds?: ReadonlyMap<number, Float64Array>;
}

/** A map case: `outputs` belong to the written operands in their order. */
export interface MapSpec extends CaseSpec {
  readonly outputs: readonly Expression[];
}

export interface ReduceSpec extends MapSpec {
  readonly folded: number;
  readonly folds: readonly Fold[];
}

export interface ScatterSpec extends CaseSpec {
  readonly mode: 'set' | 'add' | 'max';
  readonly target: number;
  readonly position: Expression;
  readonly value: Expression;
  readonly deterministic?: boolean;
}

/** An operand placed in memory. */
interface Placed {
  readonly operand: Operand;
  readonly placement: Placement;
  readonly image: BlockImage;
}

/** Lays out operand number `salt` of a case over `sizes` and fills its block: poison, then its values. */
function placeOperand(spec: OperandSpec, space: Operand['space'], sizes: readonly number[], placing: Placing, name: string, salt: number): Placed {
  const { dtype, access = 'read', layout = 'contiguous', length } = spec;
  const align = alignmentOf(dtype, placing);
  const placement = length === undefined ? place(layout, sizes, align) : placeIndexed(length, align);
  const image = new Float64Array(placement.elements);
  for (let i = 0; i < image.length; i++) image[i] = poison(dtype, i, salt, access === 'read');
  if (access !== 'write') {
    const own = ownSizes(placement, sizes);
    const values =
      spec.values ??
      wholeValues(
        dtype,
        own.reduce((a, b) => a * b, 1),
        seedOf(name) + salt,
      );
    const held = values.map((value) => hold(dtype, value));
    let next = 0;
    forEachElement(placement, own, (address) => {
      image[address] = held[next++ % held.length] ?? NaN;
    });
  }
  return { operand: { dtype, access, layout: placement.layout, space }, placement, image: { dtype, values: image } };
}

/** Sizes of the operand without repetition: its length, or its space with axes of stride 0 visited once. */
function ownSizes({ layout, strides }: Placement, sizes: readonly number[]): readonly number[] {
  return layout === 'indexed' ? strides : sizes.map((size, axis) => (strides[axis] === 0 ? Math.min(size, 1) : size));
}

function forEachElement(placement: Placement, sizes: readonly number[], visit: (address: number) => void): void {
  const strides = placement.layout === 'indexed' ? [1] : placement.strides;
  forEachPoint(sizes, (point: Point) => visit(strides.reduce((at, stride, axis) => at + stride * (point[axis] ?? 0), placement.offset)));
}

/** Sizes, then offset and strides (or length) of every operand. */
function dimsOf(sizes: readonly number[], placed: readonly Placed[]): Int32Array {
  return Int32Array.from([...sizes, ...placed.flatMap(({ placement }) => [placement.offset, ...placement.strides])]);
}

/** Pairs the written operands with their values. */
export function outputsOf(operands: readonly OperandSpec[], values: readonly Expression[]): Output[] {
  const written = operands.flatMap(({ access = 'read' }, i) => (access === 'read' ? [] : [i]));
  return written.map((operand, i) => {
    const value = values[i];
    if (value === undefined) throw new RangeError(`internal: no value for operand ${operand}`);
    return { operand, value };
  });
}

/** Finishes a case of any kernel: `kernel` gets the placed operands. */
export function buildCase(
  spec: CaseSpec,
  spaces: Readonly<Record<Operand['space'], readonly number[]>>,
  placing: Placing,
  kernel: (operands: readonly Operand[]) => Kernel,
): Case {
  const placed = spec.operands.map((operand, i) => {
    const space = operand.space ?? (spaces.full !== spaces.kept && (operand.access ?? 'read') !== 'read' ? 'kept' : 'full');
    return placeOperand(operand, space, spaces[space], placing, spec.name, i);
  });
  return new Case({
    name: spec.name,
    rule: spec.rule,
    kernel: kernel(placed.map(({ operand }) => operand)),
    dims: dimsOf(spec.sizes, placed),
    blocks: placed.map(({ image }) => image),
    bindings: placed.map((_, i) => i),
    scalars: (spec.scalars ?? []).map(([, value]) => value),
    ...(spec.tolerance === undefined ? {} : { tolerance: spec.tolerance }),
    ...(spec.bounds === undefined ? {} : { bounds: spec.bounds }),
  });
}

const scalarTypes = (spec: CaseSpec): DType[] => (spec.scalars ?? []).map(([dtype]) => dtype);

export function mapCase(spec: MapSpec, placing: Placing): Case {
  const outputs = outputsOf(spec.operands, spec.outputs);
  return buildCase(spec, { full: spec.sizes, kept: spec.sizes }, placing, (operands) => ({
    kind: 'map',
    rank: spec.sizes.length,
    operands,
    scalars: scalarTypes(spec),
    outputs,
  }));
}

export function reduceCase(spec: ReduceSpec, placing: Placing): Case {
  const outputs = outputsOf(spec.operands, spec.outputs);
  const rank = spec.sizes.length;
  return buildCase(spec, { full: spec.sizes, kept: spec.sizes.slice(0, rank - spec.folded) }, placing, (operands) => ({
    kind: 'reduce',
    rank,
    folded: spec.folded,
    folds: spec.folds,
    operands,
    scalars: scalarTypes(spec),
    outputs,
  }));
}

export function scatterCase(spec: ScatterSpec, placing: Placing): Case {
  const { mode, target, position, value, deterministic = true } = spec;
  return buildCase(spec, { full: spec.sizes, kept: spec.sizes }, placing, (operands) => ({
    kind: 'scatter',
    rank: spec.sizes.length,
    mode,
    target,
    position,
    value,
    deterministic,
    operands,
    scalars: scalarTypes(spec),
  }));
}

/**
 * Bounds for block `block` of `exact` when its elements are sums (or products) of `count` values, from a case whose result is the sum of the
 * values' magnitudes (for products, the magnitude of the product).
 */
export function accumulationBounds(magnitudes: Case, block: number, dtype: DType, count: number): ReadonlyMap<number, Float64Array> {
  const relative = accumulationError(dtype, count);
  const sums = magnitudes.after[block]?.values ?? new Float64Array();
  return new Map([[block, sums.map((sum) => (Number.isFinite(sum) ? Math.abs(sum) * relative : 0))]]);
}
