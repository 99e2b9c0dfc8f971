/**
 * Linear algebra on matrices `[..., m, n]`, batched over the axes in front.
 *
 * Decompositions, solutions and inverses are calculated in float64 on the host, at the call, on devices that can be read synchronously (cpu,
 * wasm), whatever the dtype of the input; a compiled function refuses them. Their gradients are written in ops, and differentiate again.
 */

export { cholesky, eigh, eigvalsh, qr, svd, svdvals } from './decompositions.ts';
export type { Eigh, QR, SVD } from './decompositions.ts';
export { det, slogdet } from './determinants.ts';
export type { SignAndLogarithm } from './determinants.ts';
export { lstsq, matrixRank, pinv } from './least-squares.ts';
export type { RankOptions } from './least-squares.ts';
export { matrixExp, matrixNorm, matrixPower, trace, vectorNorm } from './norms.ts';
export type { MatrixNormOptions, VectorNormOptions } from './norms.ts';
export { inverse, solve, triangularSolve } from './solve.ts';
export type { TriangularSolveOptions } from './solve.ts';
