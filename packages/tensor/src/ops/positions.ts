/** Numbers made of places: ranges, and the coordinate along an axis. */

import { apply, cast } from '@gradus/backend';
import type { DType, Expression } from '@gradus/backend';
import { requireDType } from '../dtype-names.ts';
import { ArgumentError } from '../errors.ts';
import type { OpRow } from '../graph/op.ts';
import { record, scalarNode } from '../graph/record.ts';
import { shapeOf } from '../graph/shape.ts';
import { defaultRuntime, runtimeOf } from '../runtime.ts';
import type { Device, Runtime } from '../runtime.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { requireOptions } from './arguments.ts';
import { elementwiseRow } from './elementwise.ts';
import { reshape } from './reshape.ts';

/** Inputs: start and step, numbers. */
const ARANGE: OpRow = /* @__PURE__ */ elementwiseRow({ name: 'arange' }, ([start, step], context) => {
  const place = cast(context.position([1]), context.dtype);
  return apply('add', start as Expression, apply('multiply', place, step));
});

/** Options of creation functions. */
export interface CreationOptions {
  /** Default float32 (int32 for whole ranges). */
  readonly dtype?: DType;
  /** Default {@link defaultDevice}. */
  readonly device?: Device;
}

/** `count` numbers from `start` by `step`, each calculated as `start + i · step`. */
export function ramp(start: number, step: number, count: number, dtype: DType, runtime: Runtime): Tensor {
  requireDType('arange', dtype);
  return record(ARANGE, [scalarNode(start, dtype, runtime), scalarNode(step, dtype, runtime)], shapeOf([count], 'arange'), dtype);
}

/** Numbers from `start` (default 0) up to, without, `end`, by `step` (default 1). int32 when all three are whole, else float32. */
export function arange(end: number, options?: CreationOptions): Tensor;
export function arange(start: number, end: number, step?: number, options?: CreationOptions): Tensor;
export function arange(first: number, second?: number | CreationOptions, step = 1, more: CreationOptions = {}): Tensor {
  const [start, end, options] = typeof second === 'number' ? [first, second, more] : [0, first, second ?? {}];
  const count = Math.ceil((end - start) / step);
  if (!Number.isFinite(count) || step === 0)
    throw new ArgumentError({ op: 'arange', expected: 'finite bounds and a step other than 0', got: `${start} to ${end} by ${step}` });
  const whole = [start, end, step].every((n) => Number.isInteger(n));
  return ramp(start, step, Math.max(0, count), options.dtype ?? (whole ? 'int32' : 'float32'), runtimeFor(options, 'arange'));
}

/** The runtime that creation options name. @throws ArgumentError naming `op` for what is no options object */
export function runtimeFor(options: { readonly device?: Device }, op = 'creation'): Runtime {
  requireOptions(op, options, "{ dtype: 'int32' }");
  return options.device === undefined ? defaultRuntime() : runtimeOf(options.device);
}

/** The coordinate along `axis` as int32, of size 1 along all other axes of `x`, or of a tensor of these sizes. */
export function positionsAlong(x: Tensor, axis: number, sizes?: Dims): Tensor {
  const { runtime, shape } = nodeOf(x, 'positions');
  const dims = sizes ?? shape.dims;
  const size = dims[axis] ?? 1;
  return reshape(
    ramp(0, 1, size, 'int32', runtime),
    dims.map((_, i) => (i === axis ? size : 1)),
  );
}
