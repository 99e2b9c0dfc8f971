/** Parts of matrices, as ops: halves, diagonals, the identity. The matrices are the last two axes. */

import { add, equal, greaterEqual, mul, sub, where } from '../ops/arithmetic.ts';
import { toDType } from '../ops/convert.ts';
import { sum } from '../ops/expand.ts';
import { transpose } from '../ops/movement.ts';
import { ramp } from '../ops/positions.ts';
import { reshape, unsqueeze } from '../ops/reshape.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

function places(like: Tensor, m: number, n: number): { readonly rows: Tensor; readonly columns: Tensor } {
  const { runtime } = nodeOf(like, 'linalg');
  return { rows: reshape(ramp(0, 1, m, 'int32', runtime), [m, 1]), columns: ramp(0, 1, n, 'int32', runtime) };
}

const lastTwo = (x: Tensor): readonly [number, number] => {
  const { dims } = nodeOf(x, 'linalg').shape;
  return [dims.at(-2) ?? 0, dims.at(-1) ?? 0];
};

/** Ones on the diagonal of `[m, n]`, bool. */
function onDiagonal(like: Tensor, m: number, n: number): Tensor {
  const { rows, columns } = places(like, m, n);
  return equal(rows, columns);
}

/** The lower half of x `[..., m, n]`, up to the diagonal number `upTo` (0 is the main one, -1 the one below); 0 elsewhere. */
export function lowerPart(x: Tensor, upTo = 0): Tensor {
  const { rows, columns } = places(x, ...lastTwo(x));
  return where(greaterEqual(rows, sub(columns, upTo)), x, 0);
}

/** The upper half, from the diagonal number `from` on. */
export function upperPart(x: Tensor, from = 0): Tensor {
  const { rows, columns } = places(x, ...lastTwo(x));
  return where(greaterEqual(columns, add(rows, from)), x, 0);
}

/** The main diagonals of x `[..., m, n]`: `[..., min(m, n)]`. */
export function diagonalOf(x: Tensor): Tensor {
  const [m, n] = lastTwo(x);
  return sum(where(onDiagonal(x, m, n), x, 0), { axis: m <= n ? -1 : -2 });
}

/** Diagonal matrices `[..., n, n]` of v `[..., n]`. */
export function diagonalMatrix(v: Tensor): Tensor {
  const n = nodeOf(v, 'linalg').shape.dims.at(-1) ?? 0;
  return where(onDiagonal(v, n, n), unsqueeze(v, -1), 0);
}

/** The identity `[n, n]` in the dtype of `like`. */
export function identityLike(like: Tensor, n: number): Tensor {
  return toDType(onDiagonal(like, n, n), nodeOf(like, 'linalg').dtype);
}

/** Columns of x `[..., m, n]` times v `[..., n]`. */
export function scaleColumns(x: Tensor, v: Tensor): Tensor {
  return mul(x, unsqueeze(v, -2));
}

/** Both orders of the last two axes, added and halved. */
export function symmetricPart(x: Tensor): Tensor {
  return mul(add(x, transpose(x)), 0.5);
}
