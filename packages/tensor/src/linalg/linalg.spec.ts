/** Specifications of linear algebra, by the textbook's slow ways: Laplace expansion, Gauss-Jordan, Gram-Schmidt, two-sided Jacobi, Taylor series. */

import { add, mul, square } from '../ops/arithmetic.ts';
import { concatenate, transpose } from '../ops/movement.ts';
import { matmul } from '../ops/matmul.ts';
import { exp } from '../ops/functions.ts';
import { array } from '../ops/specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from '../ops/specification.spec.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import * as linalg from './index.ts';
import { identityLike, scaleColumns } from './structure.ts';

type Matrix = readonly (readonly number[])[];

const build = (m: number, n: number, f: (i: number, j: number) => number): number[][] =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (__, j) => f(i, j)));
const el = (a: Matrix, i: number, j: number): number => a[i]?.[j] ?? NaN;
const width = (a: Matrix): number => a[0]?.length ?? 0;
const sumOf = (count: number, f: (k: number) => number): number => Array.from({ length: count }, (_, k) => f(k)).reduce((x, y) => x + y, 0);
const product = (a: Matrix, b: Matrix): number[][] => build(a.length, width(b), (i, j) => sumOf(b.length, (k) => el(a, i, k) * el(b, k, j)));
const flip = (a: Matrix): number[][] => build(width(a), a.length, (i, j) => el(a, j, i));
const identity = (n: number): number[][] => build(n, n, (i, j) => (i === j ? 1 : 0));
const plus = (a: Matrix, b: Matrix, by = 1): number[][] => build(a.length, width(a), (i, j) => el(a, i, j) + by * el(b, i, j));
const squares = (a: Matrix): number[][] => a.map((row) => row.map((x) => x * x));

/** Gauss-Jordan with row exchanges. */
function inverse(a: Matrix): number[][] {
  const n = a.length;
  const rows = a.map((row, i) => [...row, ...(identity(n)[i] ?? [])]);
  for (let k = 0; k < n; k++) {
    const best = rows.reduce((most, row, i) => (i > k && Math.abs(row[k] ?? 0) > Math.abs(rows[most]?.[k] ?? 0) ? i : most), k);
    [rows[k], rows[best]] = [rows[best] ?? [], rows[k] ?? []];
    const pivot = el(rows, k, k);
    rows[k] = (rows[k] ?? []).map((x) => x / pivot);
    rows.forEach((row, i) => {
      const factor = row[k] ?? 0;
      if (i !== k) rows[i] = row.map((x, j) => x - factor * el(rows, k, j));
    });
  }
  return rows.map((row) => row.slice(n));
}

function determinant(a: Matrix): number {
  if (a.length === 0) return 1;
  return sumOf(a.length, (j) => (j % 2 === 0 ? 1 : -1) * el(a, 0, j) * determinant(a.slice(1).map((row) => row.filter((_, k) => k !== j))));
}

function cholesky(a: Matrix): number[][] {
  const l = build(a.length, a.length, () => 0);
  a.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      const rest = (row[j] ?? 0) - sumOf(j, (k) => el(l, i, k) * el(l, j, k));
      (l[i] ?? [])[j] = i === j ? Math.sqrt(rest) : rest / el(l, j, j);
    }
  });
  return l;
}

/** Classical Gram-Schmidt, twice: Q and R, with a positive diagonal. */
function gramSchmidt(a: Matrix): { q: number[][]; r: number[][] } {
  const k = Math.min(a.length, width(a));
  const columns = flip(a);
  const q: number[][] = [];
  for (const column of columns.slice(0, k)) {
    let rest = [...column];
    for (const basis of [...q, ...q]) {
      const share = sumOf(rest.length, (i) => (basis[i] ?? 0) * (rest[i] ?? 0));
      rest = rest.map((x, i) => x - share * (basis[i] ?? 0));
    }
    const length = Math.hypot(...rest);
    q.push(rest.map((x) => x / length));
  }
  return { q: flip(q), r: product(q, a) };
}

/** Cyclic two-sided Jacobi: eigenvalues ascending, eigenvectors as columns. */
function jacobi(a: Matrix): { values: number[]; vectors: number[][] } {
  const n = a.length;
  let s = a.map((row) => [...row]);
  let v = identity(n);
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const angle = 0.5 * Math.atan2(2 * el(s, i, j), el(s, j, j) - el(s, i, i));
        const turn = build(n, n, (p, q) =>
          p === q ? (p === i || p === j ? Math.cos(angle) : 1) : p === i && q === j ? Math.sin(angle) : p === j && q === i ? -Math.sin(angle) : 0,
        );
        s = product(product(flip(turn), s), turn);
        v = product(v, turn);
      }
    }
  }
  const order = s.map((_, i) => i).toSorted((i, j) => el(s, i, i) - el(s, j, j));
  return { values: order.map((i) => el(s, i, i)), vectors: v.map((row) => order.map((i) => row[i] ?? NaN)) };
}

function exponential(a: Matrix): number[][] {
  let total = identity(a.length);
  let term = identity(a.length);
  for (let k = 1; k < 60; k++) {
    term = product(term, a).map((row) => row.map((x) => x / k));
    total = plus(total, term);
  }
  return total;
}

/** `f` of the matrices of each input; the batch is the first input's. */
function matrices(f: (...inputs: Matrix[]) => Matrix): OpSpecification['reference'] {
  return (...inputs: Reference[]) => {
    const batch = inputs[0]?.dims.slice(0, -2) ?? [];
    const count = batch.reduce((n, size) => n * size, 1);
    const results = Array.from({ length: count }, (_, b) =>
      f(
        ...inputs.map(({ dims, data }) => {
          const m = dims.at(-2) ?? 0;
          const n = dims.at(-1) ?? 0;
          const start = data.length === m * n ? 0 : b * m * n;
          return build(m, n, (i, j) => data[start + i * n + j] ?? NaN);
        }),
      ),
    );
    const [first = []] = results;
    return { dims: [...batch, first.length, width(first)], data: Float64Array.from(results.flat(2)) };
  };
}

/** The same for a number or a vector of each matrix. */
function vectors(f: (...inputs: Matrix[]) => readonly number[]): OpSpecification['reference'] {
  const whole = matrices((...inputs) => [f(...inputs)]);
  return (...inputs) => {
    const { dims, data } = whole(...inputs);
    return { dims: [...dims.slice(0, -2), dims.at(-1) ?? 0], data };
  };
}

function numbers(f: (...inputs: Matrix[]) => number): OpSpecification['reference'] {
  const whole = matrices((...inputs) => [[f(...inputs)]]);
  return (...inputs) => {
    const { dims, data } = whole(...inputs);
    return { dims: dims.slice(0, -2), data };
  };
}

const plain = (...dims: number[]): InputSpecification => ({ dims, low: -1, high: 1 });
const SQUARE = [[plain(3, 3)], [plain(2, 2, 2)]];

/** x + 3·I: far from singular. */
const shifted = (x: Tensor): Tensor => add(x, mul(identityLike(x, nodeOf(x, 'shifted').shape.dims.at(-1) ?? 0), 3));
const shiftedMatrix = (a: Matrix): Matrix => plus(a, identity(a.length), 3);
const positive = (x: Tensor): Tensor => shifted(matmul(x, transpose(x)));
const symmetric = (x: Tensor): Tensor => add(x, transpose(x));
const symmetricMatrix = (a: Matrix): Matrix => plus(a, flip(a));

const triangle = (a: Matrix, upper: boolean, unit: boolean): Matrix =>
  a.map((row, i) => row.map((x, j) => (i === j ? (unit ? 1 : x) : upper === j > i ? x : 0)));

const vectorNorms: readonly (readonly [number, (v: readonly number[]) => number])[] = [
  [2, (v) => Math.hypot(...v)],
  [1, (v) => sumOf(v.length, (i) => Math.abs(v[i] ?? 0))],
  [3, (v) => Math.cbrt(sumOf(v.length, (i) => Math.abs(v[i] ?? 0) ** 3))],
  [-1.5, (v) => sumOf(v.length, (i) => Math.abs(v[i] ?? 0) ** -1.5) ** (-1 / 1.5)],
  [Infinity, (v) => Math.max(...v.map(Math.abs))],
  [-Infinity, (v) => Math.min(...v.map(Math.abs))],
];

const singular = (a: Matrix): number[] =>
  (a.length < width(a) ? jacobi(product(a, flip(a))) : jacobi(product(flip(a), a))).values.map((x) => Math.sqrt(x)).toReversed();
const columnSums = (a: Matrix): number[] => flip(a).map((column) => sumOf(column.length, (i) => Math.abs(column[i] ?? 0)));

const matrixNorms: readonly (readonly [NonNullable<linalg.MatrixNormOptions['order']>, (a: Matrix) => number])[] = [
  ['frobenius', (a) => Math.hypot(...a.flat())],
  ['nuclear', (a) => singular(a).reduce((x, y) => x + y, 0)],
  [2, (a) => singular(a)[0] ?? NaN],
  [-2, (a) => singular(a).at(-1) ?? NaN],
  [1, (a) => Math.max(...columnSums(a))],
  [-1, (a) => Math.min(...columnSums(a))],
  [Infinity, (a) => Math.max(...columnSums(flip(a)))],
  [-Infinity, (a) => Math.min(...columnSums(flip(a)))],
];

/** (AᵀA)⁻¹Aᵀ of tall matrices, Aᵀ(AAᵀ)⁻¹ of wide ones. */
const pseudoInverse = (a: Matrix): Matrix =>
  a.length >= width(a) ? product(inverse(product(flip(a), a)), flip(a)) : product(flip(a), inverse(product(a, flip(a))));

const away = (...dims: number[]): InputSpecification => ({ dims, low: 0.3, high: 2 });

export const specifications: readonly OpSpecification[] = [
  {
    name: 'cholesky',
    run: (x) => linalg.cholesky(positive(x)),
    reference: matrices((a) => cholesky(shiftedMatrix(product(a, flip(a))))),
    cases: SQUARE,
  },
  {
    name: 'qr, squares of Q',
    run: (x) => square(linalg.qr(x).q),
    reference: matrices((a) => squares(gramSchmidt(a).q)),
    cases: [[away(4, 3)], [plain(2, 3, 3)], [plain(2, 4)]],
    tolerance: 1e-5,
  },
  {
    name: 'qr, squares of R',
    run: (x) => square(linalg.qr(x).r),
    reference: matrices((a) => squares(gramSchmidt(a).r)),
    cases: [[away(4, 3)], [plain(2, 3, 3)], [plain(2, 4)]],
    tolerance: 1e-5,
  },
  {
    name: 'eigh, a function of the matrix',
    run: (x) => {
      const { eigenvalues, eigenvectors } = linalg.eigh(symmetric(x));
      return matmul(scaleColumns(eigenvectors, exp(eigenvalues)), transpose(eigenvectors));
    },
    reference: matrices((a) => exponential(symmetricMatrix(a))),
    cases: SQUARE,
    tolerance: 1e-5,
  },
  {
    name: 'eigh, squares of eigenvectors',
    run: (x) => square(linalg.eigh(symmetric(x)).eigenvectors),
    reference: matrices((a) => squares(jacobi(symmetricMatrix(a)).vectors)),
    cases: SQUARE,
    tolerance: 1e-5,
  },
  {
    name: 'eigvalsh',
    run: (x) => linalg.eigvalsh(symmetric(x)),
    reference: vectors((a) => jacobi(symmetricMatrix(a)).values),
    cases: SQUARE,
    tolerance: 1e-5,
  },
  {
    name: 'svd, a function of the matrix',
    run: (x) => {
      const { u, singularValues, vt } = linalg.svd(x);
      return matmul(scaleColumns(u, mul(square(singularValues), singularValues)), vt);
    },
    reference: matrices((a) => product(product(a, flip(a)), a)),
    cases: [[away(4, 2)], [plain(2, 2, 3)], [plain(3, 3)]],
    tolerance: 1e-5,
  },
  {
    name: 'svd, squares of both sides',
    run: (x) => {
      const { u, vt } = linalg.svd(x);
      return concatenate([square(u), square(transpose(vt))], { axis: -2 });
    },
    reference: matrices((a) => {
      const k = Math.min(a.length, width(a));
      const side = (b: Matrix): number[][] => squares(jacobi(product(b, flip(b))).vectors.map((row) => row.toReversed().slice(0, k)));
      return [...side(a), ...side(flip(a))];
    }),
    cases: [[away(3, 2)], [plain(2, 3)]],
    tolerance: 1e-5,
  },
  { name: 'svdvals', run: (x) => linalg.svdvals(x), reference: vectors(singular), cases: [[away(4, 2)], [plain(2, 2, 3)]], tolerance: 1e-5 },
  {
    name: 'solve',
    run: (a, b) => linalg.solve(shifted(a), b),
    reference: matrices((a, b) => product(inverse(shiftedMatrix(a)), b)),
    cases: [
      [plain(3, 3), plain(3, 2)],
      [plain(2, 2, 2), plain(2, 2, 1)],
      [plain(2, 2, 2), plain(2, 3)],
    ],
  },
  {
    name: 'solve with a vector',
    run: (a, b) => linalg.solve(shifted(a), b),
    reference: (a, b) => {
      const column = { dims: [3, 1], data: b.data };
      const x = matrices((m, c) => product(inverse(shiftedMatrix(m)), c))(a, column);
      return { dims: [3], data: x.data };
    },
    cases: [[plain(3, 3), plain(3)]],
  },
  ...[true, false].flatMap((upper) =>
    [true, false].map((unitriangular): OpSpecification => ({
      name: `triangularSolve ${JSON.stringify({ upper, unitriangular })}`,
      run: (a, b) => linalg.triangularSolve(shifted(a), b, { upper, unitriangular }),
      reference: matrices((a, b) => product(inverse(triangle(shiftedMatrix(a), upper, unitriangular)), b)),
      cases: [
        [plain(3, 3), plain(3, 2)],
        [plain(2, 2, 2), plain(2, 1)],
      ],
    })),
  ),
  { name: 'inverse', run: (x) => linalg.inverse(shifted(x)), reference: matrices((a) => inverse(shiftedMatrix(a))), cases: SQUARE },
  { name: 'det', run: (x) => linalg.det(x), reference: numbers(determinant), cases: SQUARE },
  {
    name: 'det of singular matrices',
    run: (x) => linalg.det(x),
    reference: numbers(determinant),
    cases: [
      [{ dims: [2, 2], values: [1, 2, 2, 4] }],
      [{ dims: [3, 3], values: [1, 2, 3, 2, 4, 6, 0, 1, 5] }],
      [{ dims: [2, 2], values: [0, 0, 0, 0] }],
    ],
  },
  {
    name: 'slogdet',
    run: (x) => linalg.slogdet(shifted(x)).logAbsDet,
    reference: numbers((a) => Math.log(Math.abs(determinant(shiftedMatrix(a))))),
    cases: SQUARE,
  },
  {
    name: 'slogdet, sign',
    run: (x) => linalg.slogdet(x).sign,
    reference: numbers((a) => Math.sign(determinant(a))),
    cases: [...SQUARE, [{ dims: [2, 2], values: [1, 2, 2, 4] }]],
    differentiable: false,
  },
  { name: 'pinv', run: (x) => linalg.pinv(x), reference: matrices(pseudoInverse), cases: [[away(4, 2)], [plain(2, 2, 3)]], tolerance: 2e-5 },
  {
    name: 'lstsq',
    run: (a, b) => linalg.lstsq(a, b),
    reference: matrices((a, b) => product(pseudoInverse(a), b)),
    cases: [
      [away(4, 2), plain(4, 2)],
      [plain(2, 2, 3), plain(2, 2, 1)],
    ],
    tolerance: 2e-5,
  },
  {
    name: 'matrixRank',
    run: (x) => linalg.matrixRank(x),
    reference: numbers((a) => (Math.abs(determinant(a)) > 1e-9 ? 2 : a.flat().some((v) => v !== 0) ? 1 : 0)),
    cases: [[plain(2, 2, 2)], [{ dims: [2, 2], values: [1, 2, 2, 4] }], [{ dims: [2, 2], values: [0, 0, 0, 0] }]],
    differentiable: false,
  },
  ...vectorNorms.map(([order, f]): OpSpecification => ({
    name: `vectorNorm of order ${order}`,
    run: (x) => linalg.vectorNorm(x, { order, axis: -1 }),
    reference: vectors((a) => a.map((row) => f(row))),
    cases: [[away(3, 4)], [plain(2, 2, 3)]],
    tolerance: 1e-5,
  })),
  {
    name: 'vectorNorm of order 0',
    run: (x) => linalg.vectorNorm(x, { order: 0 }),
    reference: (x) => array([], () => x.data.filter((v) => v !== 0).length),
    cases: [[{ dims: [4], values: [0, 1, -2, 0] }]],
    differentiable: false,
  },
  ...matrixNorms.map(([order, f]): OpSpecification => ({
    name: `matrixNorm of order ${order}`,
    run: (x) => linalg.matrixNorm(x, { order }),
    reference: numbers(f),
    cases: [[away(3, 2)], [plain(2, 2, 3)]],
    tolerance: 1e-5,
  })),
  {
    name: 'trace',
    run: (x) => linalg.trace(x),
    reference: numbers((a) => sumOf(Math.min(a.length, width(a)), (i) => el(a, i, i))),
    cases: [[plain(3, 3)], [plain(2, 2, 3)], [plain(3, 2)]],
  },
  ...[-2, 0, 1, 3].map((power): OpSpecification => ({
    name: `matrixPower ${power}`,
    run: (x) => linalg.matrixPower(shifted(x), power),
    reference: matrices((a) => {
      const base = power < 0 ? inverse(shiftedMatrix(a)) : shiftedMatrix(a);
      return Array.from({ length: Math.abs(power) }).reduce<number[][]>((p) => product(p, base), identity(a.length));
    }),
    cases: SQUARE,
    ...(power === 0 && { differentiable: false }),
  })),
  { name: 'matrixExp', run: (x) => linalg.matrixExp(x), reference: matrices(exponential), cases: SQUARE },
  {
    name: 'matrixExp, squared twice',
    run: (x) => linalg.matrixExp(mul(x, 8)),
    reference: matrices((a) => exponential(a.map((row) => row.map((v) => 8 * v)))),
    cases: [[{ dims: [2, 2], low: -1, high: 0.2 }]],
    tolerance: 1e-4,
  },
];
