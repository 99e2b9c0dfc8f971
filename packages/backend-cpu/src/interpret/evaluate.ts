/** Scalar expressions evaluated step by step, one closure for each sub-expression: what generated code does, where code may not be made. */

import { evaluationOrder, fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { DType, Expression, TypedArray } from '@gradus/backend';

import { ROUND } from '../numerics/scalar.ts';
import { bitConversion, conversion, operation } from './operations.ts';

/** The state of a run at one point of the index space. */
export interface Point {
  readonly views: readonly TypedArray[];
  readonly scalars: readonly number[];
  /** The element index of each strided operand; the offset of each indexed one. */
  readonly pointers: Int32Array;
  /** The length of each indexed operand. */
  readonly lengths: Int32Array;
  readonly coordinates: Int32Array;
  readonly accumulators: Float64Array;
}

type Step = (point: Point, values: Float64Array) => number;

/** Some expressions, ready to be evaluated. */
export type Evaluate = (point: Point) => Float64Array;

/** Element `at` of a view as a number. */
export function readElement(view: TypedArray | undefined, at: number, dtype: DType): number {
  const element = view?.[at] ?? 0;
  if (dtype === 'float16') return fromFloat16Bits(element);
  return dtype === 'bfloat16' ? fromBfloat16Bits(element) : element;
}

/** Stores a number that is already of its dtype. */
export function writeElement(view: TypedArray | undefined, at: number, value: number, dtype: DType): void {
  if (view === undefined) return;
  view[at] = dtype === 'float16' ? toFloat16Bits(value) : dtype === 'bfloat16' ? toBfloat16Bits(value) : value;
}

function stepOf(e: Expression, slot: (e: Expression) => number): Step {
  switch (e.op) {
    case 'constant': {
      const value = ROUND[e.dtype](e.value);
      return () => value;
    }
    case 'scalar':
      return ({ scalars }) => scalars[e.index] ?? 0;
    case 'axis':
      return ({ coordinates }) => coordinates[e.axis] ?? 0;
    case 'load':
      return ({ views, pointers }) => readElement(views[e.operand], pointers[e.operand] ?? 0, e.dtype);
    case 'gather': {
      const at = slot(e.position);
      const fill = ROUND[e.dtype](e.fill);
      return ({ views, pointers, lengths }, values) => {
        const position = values[at] ?? 0;
        const inside = position >= 0 && position < (lengths[e.operand] ?? 0);
        return inside ? readElement(views[e.operand], (pointers[e.operand] ?? 0) + position, e.dtype) : fill;
      };
    }
    case 'accumulator':
      return ({ accumulators }) => accumulators[e.index] ?? 0;
    case 'cast':
    case 'bitcast': {
      const at = slot(e.value);
      const convert = (e.op === 'cast' ? conversion : bitConversion)(e.value.dtype, e.dtype);
      return (_, values) => convert(values[at] ?? 0);
    }
    case 'where': {
      const [condition, then, otherwise] = [slot(e.condition), slot(e.then), slot(e.otherwise)];
      return (_, values) => values[values[condition] === 0 ? otherwise : then] ?? 0;
    }
    default: {
      const [a, b = a] = e.args;
      const [first, second] = [slot(a), slot(b)];
      const apply = operation(e.op, a.dtype, e.dtype);
      return (_, values) => apply(values[first] ?? 0, values[second] ?? 0);
    }
  }
}

/** Prepares `roots`. The result's first entries are their values, in order; it is overwritten by the next call. */
export function evaluator(roots: readonly Expression[]): Evaluate {
  const order = evaluationOrder(roots);
  const slots = new Map(order.map((e, i) => [e, roots.length + i]));
  const slot = (e: Expression): number => slots.get(e) ?? 0;
  const steps = order.map((e) => stepOf(e, slot));
  const results = roots.map(slot);
  const values = new Float64Array(roots.length + steps.length);
  return (point) => {
    steps.forEach((step, i) => {
      values[roots.length + i] = step(point, values);
    });
    results.forEach((from, i) => {
      values[i] = values[from] ?? 0;
    });
    return values;
  };
}
