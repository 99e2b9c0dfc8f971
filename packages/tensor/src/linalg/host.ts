/**
 * Ops that are calculated in JavaScript, one matrix after the other, in float64.
 *
 * Decompositions are sequences of small dependent steps with decisions in between: no graph of kernels says that well. So these ops read
 * their inputs at the call, which computes them, and their results are data; gradients are written in ops. They need a device that can be
 * read synchronously (cpu, wasm), and a compiled function, in which nothing has a value yet, refuses them.
 */

import { withRule } from '../define-op.ts';
import type { CustomRule } from '../define-op.ts';
import { LinearAlgebraError, ShapeError, SynchronousReadError } from '../errors.ts';
import { broadcastShapes, shapeOf, showDims } from '../graph/shape.ts';
import { tracing } from '../graph/tracing.ts';
import { compose } from '../memory/scope.ts';
import { requireFloat } from '../ops/arguments.ts';
import { expand } from '../ops/expand.ts';
import { dataSync } from '../read.ts';
import { Tensor, nodeOf } from '../tensor.ts';
import type { Dims } from '../tensor.ts';
import { fromElements } from '../transfer.ts';

/** Sizes of `a` `[..., m, n]`. */
export interface MatrixSizes {
  readonly batch: Dims;
  readonly m: number;
  readonly n: number;
}

/** @throws ShapeError, DTypeError unless `a` is `[..., m, n]` of floats */
export function matrixSizes(op: string, a: Tensor): MatrixSizes {
  const { shape, dtype } = nodeOf(a, op);
  requireFloat(op, dtype);
  if (shape.rank < 2) throw new ShapeError({ op, expected: 'a matrix or a batch of them, [..., m, n]', got: showDims(shape.dims) });
  return { batch: shape.dims.slice(0, -2), m: shape.dims.at(-2) ?? 0, n: shape.dims.at(-1) ?? 0 };
}

/** The same of square matrices; m is n. @throws ShapeError, DTypeError */
export function squareSizes(op: string, a: Tensor): MatrixSizes {
  const sizes = matrixSizes(op, a);
  if (sizes.m !== sizes.n) throw new ShapeError({ op, expected: 'square matrices, [..., n, n]', got: showDims([...sizes.batch, sizes.m, sizes.n]) });
  return sizes;
}

/** Two tensors of matrices with their batch axes broadcast. @throws ShapeError */
export function sameBatch(op: string, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const x = nodeOf(a, op).shape.dims;
  const y = nodeOf(b, op).shape.dims;
  const batch = broadcastShapes(op, shapeOf(x.slice(0, -2)), shapeOf(y.slice(0, -2))).dims;
  return [expand(a, [...batch, ...x.slice(-2)]), expand(b, [...batch, ...y.slice(-2)])];
}

/** What calculates one result from the inputs' matrices, all row-major; `fail` throws the error that names the matrix. */
type PerMatrix = (inputs: readonly Float64Array[], result: Float64Array, fail: (expected: string, got: string) => never) => void;

/** A host op: what it reads, the shape of one result, how that is calculated, and how gradients pass. */
export interface HostOp {
  readonly op: string;
  /** Matrices `[...batch, m, n]`, of one dtype and batch. */
  readonly inputs: readonly Tensor[];
  /** The result is `[...batch, ...result]`. */
  readonly result: Dims;
  readonly calculate: PerMatrix;
  /** Null where the result does not change continuously. */
  readonly gradient: CustomRule | null;
}

/** Runs it on every matrix of the batch. @throws TraceError, SynchronousReadError, and what `calculate` fails with */
export function hostOp({ op, inputs, result, calculate, gradient }: HostOp): Tensor {
  const nodes = inputs.map((t) => nodeOf(t, op));
  const [first] = nodes;
  if (first === undefined) throw new ShapeError({ op, expected: 'a tensor', got: 'none' });
  const { runtime, dtype, shape } = first;
  refuseUnreadable(op, runtime.backend);
  const batch = shape.dims.slice(0, -2);
  const count = batch.reduce((n, size) => n * size, 1);
  const length = result.reduce((n, size) => n * size, 1);
  return compose(() => {
    const given = inputs.map((t) => Float64Array.from(dataSync(t)));
    const sizes = given.map((data) => (count === 0 ? 0 : data.length / count));
    const values = new Float64Array(count * length);
    for (let i = 0; i < count; i++) {
      const blocks = given.map((data, k) => data.slice(i * (sizes[k] ?? 0), (i + 1) * (sizes[k] ?? 0)));
      calculate(blocks, values.subarray(i * length, (i + 1) * length), (expected, got) => {
        throw new LinearAlgebraError({ op, expected, got: batch.length === 0 ? got : `${got} in matrix ${placeIn(batch, i)} of the batch` });
      });
    }
    const made = new Tensor(fromElements(op, values, shapeOf([...batch, ...result], op), dtype, runtime));
    return gradient === null ? made : withRule(made, inputs, gradient);
  });
}

/** Are the values of tensors within reach? @throws TraceError in a compiled function; SynchronousReadError on devices that only read asynchronously */
export function refuseUnreadable(op: string, backend: { readonly name: string; readonly readSync?: unknown }): void {
  tracing.active?.refuse({
    op,
    expected: 'matrices with values: it is calculated on the host',
    got: `${op}(…) in a compiled function`,
    fix: 'call it outside and pass its result as an argument.',
  });
  if (backend.readSync !== undefined) return;
  throw new SynchronousReadError({
    op,
    expected: 'a device that can be read synchronously, as the calculation is the host’s',
    got: backend.name,
    fix: 'move the matrices to cpu first: await a.to(cpu()).',
  });
}

/** Number `i` of the batch, as an index. */
function placeIn(batch: Dims, i: number): string {
  const { strides } = shapeOf(batch);
  return showDims(batch.map((size, axis) => Math.floor(i / (strides[axis] ?? 1)) % size));
}
