/**
 * Shapes, interned: equal sizes are one object, so that comparing shapes is comparing references and a plan's key can name
 * a shape by a small integer. Broadcasting remembers its answers.
 */

import { MAX_RANK } from '@gradus/backend';
import { ShapeError } from '../errors.ts';

/** An interned shape. */
export interface Shape {
  /** A small integer, unique in this process. */
  readonly id: number;
  readonly dims: readonly number[];
  readonly rank: number;
  /** Number of elements. */
  readonly size: number;
  /** Row-major strides in elements. */
  readonly strides: readonly number[];
  /** Broadcast results with other shapes, by their id; null where they do not fit. */
  readonly broadcasts: Map<number, Shape | null>;
}

interface Branch {
  shape: Shape | null;
  readonly next: Map<number, Branch>;
}

const root: Branch = { shape: null, next: new Map() };
let count = 0;

/** Row-major strides, in elements, of the given sizes. */
export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides = Array.from(dims, () => 1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * Math.max(dims[axis + 1] ?? 1, 1);
  return strides;
}

/** The one shape object for these sizes. @throws ShapeError for a negative or fractional size, or more than 12 axes */
export function shapeOf(dims: readonly number[], op = 'shape'): Shape {
  // Callers without types pass sizes one by one.
  if (!Array.isArray(dims)) throw new ShapeError({ op, expected: 'sizes in an array, such as [2, 3]', got: String(dims) });
  let branch = root;
  for (const size of dims as readonly number[]) {
    let next = branch.next.get(size);
    if (next === undefined) {
      if (!Number.isSafeInteger(size) || size < 0)
        throw new ShapeError({ op, expected: 'sizes that are whole numbers of at least 0', got: showDims(dims) });
      next = { shape: null, next: new Map() };
      branch.next.set(size, next);
    }
    branch = next;
  }
  if (branch.shape !== null) return branch.shape;
  if (dims.length > MAX_RANK) throw new ShapeError({ op, expected: `at most ${MAX_RANK} axes`, got: `${dims.length}: ${showDims(dims)}` });
  const own = Object.freeze([...dims]);
  let size = 1;
  for (const n of own) size *= n;
  branch.shape = { id: count++, dims: own, rank: own.length, size, strides: Object.freeze(rowMajorStrides(own)), broadcasts: new Map() };
  return branch.shape;
}

/** The shape of a single number. */
export const SCALAR_SHAPE: Shape = /* @__PURE__ */ shapeOf([]);

/** `[2, 3]`, for messages. */
export function showDims(dims: readonly number[]): string {
  return `[${dims.join(', ')}]`;
}

function computeBroadcast(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.rank, b.rank);
  const dims: number[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a.dims[i - rank + a.rank] ?? 1;
    const y = b.dims[i - rank + b.rank] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return null;
    dims.push(x === 1 ? y : x);
  }
  return shapeOf(dims);
}

/** The shape two operands broadcast to, aligned at the last axis. @throws ShapeError naming `op` */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (a === b) return a;
  let result = a.broadcasts.get(b.id);
  if (result === undefined) {
    result = computeBroadcast(a, b);
    a.broadcasts.set(b.id, result);
  }
  if (result === null) {
    throw new ShapeError({
      op,
      expected: 'shapes that broadcast: aligned at the last axis, each pair of sizes equal or one of them 1',
      got: `${showDims(a.dims)} and ${showDims(b.dims)}`,
      fix: 'reshape or unsqueeze one of them.',
    });
  }
  return result;
}
