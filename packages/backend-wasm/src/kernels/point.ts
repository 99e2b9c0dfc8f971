/**
 * Where the code of a kernel stands: at a point of its index space (or at four neighbouring ones), with an address for each operand there.
 * From it come the sources of expressions: loads, coordinates, scalars, gathers.
 */

import { DTYPES } from '@gradus/backend';
import type { DType, Operand } from '@gradus/backend';
import { i32 } from '../assembler/instructions.ts';
import type { I32, Type, Value } from '../assembler/value.ts';
import type { Elements, Step, StoredDType } from '../lanes/elements.ts';
import type { Sources } from '../lanes/expressions.ts';
import type { Lanes } from '../lanes/lanes.ts';
import type { Frame } from '../launch/frame.ts';

/** A place in the loops of a kernel. */
export interface Point {
  readonly operands: readonly Operand[];
  readonly frame: Frame;
  /** The address of each operand's element. */
  readonly addresses: readonly I32[];
  /** How each operand moves from lane to lane. */
  readonly steps: readonly Step[];
  /** The coordinate along an axis that expressions name, and whether it goes up from lane to lane. */
  readonly coordinate: (axis: number) => { readonly value: I32; readonly moves: boolean };
}

/** Finished folds, for the epilogue of a reduce. */
export interface Accumulators<F extends Type, I extends Type> {
  readonly float: (index: number) => Value<F>;
  readonly int: (index: number) => Value<I>;
}

/** For kernels without folds. */
export const NO_ACCUMULATORS: Accumulators<never, never> = {
  float: () => {
    throw new TypeError('internal: no accumulator here');
  },
  int: () => {
    throw new TypeError('internal: no accumulator here');
  },
};

/** The dtype of an operand, of those this backend stores. */
export function storedDType(operand: Operand | undefined): StoredDType {
  const dtype: DType = operand?.dtype ?? 'float32';
  if (dtype === 'float64') throw new TypeError('internal: float64 has no place here');
  return dtype;
}

/** What expressions are made of at a point. */
export function sourcesAt<F extends Type, I extends Type>(
  lanes: Lanes<F, I>,
  elements: Elements<Value<F>, Value<I>>,
  point: Point,
  accumulators: Accumulators<F, I>,
): Sources<F, I> {
  const { operands, frame, addresses, steps } = point;
  const load = (k: number) => elements.load(storedDType(operands[k]), addresses[k] ?? i32.const(0), steps[k] ?? 'none');
  const gather = (k: number, position: Value<I>) => {
    const inside = lanes.keepInt(lanes.i.ltU(position, lanes.splatInt(frame.word(`length${k}`))));
    const mask = lanes.width === 1 ? lanes.i.sub(lanes.int(0), inside) : inside;
    return { inside, loaded: elements.loadAt(storedDType(operands[k]), frame.word(`address${k}`), lanes.i.and(position, mask)) };
  };
  return {
    scalarFloat: (index) => lanes.splatFloat(frame.float(`scalar${index}`)),
    scalarInt: (index, dtype) => {
      const value = lanes.splatInt(frame.word(`scalar${index}`));
      return dtype === 'bool' ? lanes.intToMask(value) : value;
    },
    axis: (axis) => {
      const { value, moves } = point.coordinate(axis);
      return moves ? lanes.progression(value, i32.const(1)) : lanes.splatInt(value);
    },
    loadFloat: (k) => present(load(k).float),
    loadInt: (k) => present(load(k).int),
    gatherFloat: (k, position, fill) => {
      const { inside, loaded } = gather(k, position);
      return lanes.selectFloat(inside, present(loaded.float), lanes.float(fill));
    },
    gatherInt: (k, position, fill) => {
      const { inside, loaded } = gather(k, position);
      const outside = operands[k]?.dtype === 'bool' ? lanes.intToMask(lanes.int(fill)) : lanes.int(fill);
      return lanes.selectInt(inside, present(loaded.int), outside);
    },
    accumulatorFloat: accumulators.float,
    accumulatorInt: accumulators.int,
  };
}

function present<T>(value: T | null): T {
  if (value === null) throw new TypeError('internal: a value in the wrong kind of register');
  return value;
}

/** Is this a dtype that registers hold as floats? */
export function inFloats(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float';
}
