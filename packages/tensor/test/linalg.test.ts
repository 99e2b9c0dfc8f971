/** Linear algebra: PyTorch's numbers, residuals of decompositions, and refusals. */

import { cpu } from '@gradus/backend-cpu';
import {
  ArgumentError,
  DTypeError,
  LinearAlgebraError,
  ShapeError,
  SynchronousReadError,
  TraceError,
  compile,
  scope,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import * as linalg from '@gradus/tensor/linalg';
import { describe, expect, test } from 'vitest';
import { specifications } from '../src/linalg/linalg.spec.ts';
import { goldenTests, one, two } from './golden.ts';

type Options = Readonly<Record<string, unknown>>;
const order = ({ order: given }: Options): number => (given === 'Infinity' ? Infinity : given === '-Infinity' ? -Infinity : (given as number));

describe('golden values', () => {
  goldenTests(
    'linalg',
    {
      cholesky: one((x) => linalg.cholesky(x)),
      inverse: one((x, { transposed }) => linalg.inverse(transposed === true ? x.transpose() : x)),
      det: one((x) => linalg.det(x)),
      slogdet: one((x) => linalg.slogdet(x).logAbsDet),
      eigvalsh: one((x) => linalg.eigvalsh(x)),
      'eigh v∘v': one((x) => linalg.eigh(x).eigenvectors.square()),
      matrixExp: one((x) => linalg.matrixExp(x)),
      matrixPower: one((x, { power }) => linalg.matrixPower(x, power as number)),
      'qr q': one((x) => linalg.qr(x).q),
      'qr r': one((x) => linalg.qr(x).r),
      svdvals: one((x) => linalg.svdvals(x)),
      'svd u∘u': one((x) => linalg.svd(x).u.square()),
      'svd vt∘vt': one((x) => linalg.svd(x).vt.square()),
      pinv: one((x) => linalg.pinv(x)),
      matrixNorm: one((x, options) => linalg.matrixNorm(x, { order: order(options) })),
      matrixRank: one((x) => linalg.matrixRank(x)),
      vectorNorm: one((x, options) => linalg.vectorNorm(x, { order: order(options), axis: 1 })),
      solve: two((a, b) => linalg.solve(a, b)),
      triangularSolve: two((a, b, options) => linalg.triangularSolve(a, b, options as unknown as linalg.TriangularSolveOptions)),
      lstsq: two((a, b) => linalg.lstsq(a, b)),
    },
    { float64: 1e-11, float32: 2e-4 },
  );
});

test('every function has a specification', () => {
  const named = new Set(specifications.map(({ name }) => name.split(/[ ,]/)[0]));
  expect(Object.keys(linalg).filter((name) => !named.has(name))).toEqual([]);
});

describe('residuals are a few n·ε', () => {
  const EPSILON = 2 ** -52;
  const device = cpu();
  const random = (...shape: number[]): Tensor => {
    const size = shape.reduce((n, d) => n * d, 1);
    return tensor(
      Float64Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 0.3 * i * i)),
      { shape, device },
    );
  };
  const distance = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().itemSync();
  const identity = (n: number): Tensor => linalg.matrixPower(zeros([n, n], { dtype: 'float64', device }), 0);
  const sizes = [1, 2, 5, 40];

  test.each(sizes)('cholesky of %i', (n) => {
    scope(() => {
      const x = random(n, n);
      const a = x.matmul(x.transpose()).add(identity(n));
      const l = linalg.cholesky(a);
      expect(distance(l.matmul(l.transpose()), a)).toBeLessThan(4 * n * EPSILON * a.abs().max().itemSync());
    });
  });

  test.each([...sizes.map((n) => [n, n]), [40, 12], [12, 40], [30, 29]])('qr and svd of %i × %i', (m, n) => {
    scope(() => {
      const a = random(m, n);
      const k = Math.min(m, n);
      const { q, r } = linalg.qr(a);
      expect(distance(q.matmul(r), a)).toBeLessThan(10 * m * EPSILON);
      expect(distance(q.transpose().matmul(q), identity(k))).toBeLessThan(10 * m * EPSILON);
      const { u, singularValues, vt } = linalg.svd(a);
      expect(distance(u.mul(singularValues).matmul(vt), a)).toBeLessThan(20 * Math.max(m, n) * EPSILON);
      expect(distance(u.transpose().matmul(u), identity(k))).toBeLessThan(20 * Math.max(m, n) * EPSILON);
      expect(distance(vt.matmul(vt.transpose()), identity(k))).toBeLessThan(20 * Math.max(m, n) * EPSILON);
    });
  });

  test.each(sizes)('eigh of %i', (n) => {
    scope(() => {
      const x = random(n, n);
      const a = x.add(x.transpose());
      const { eigenvalues, eigenvectors: v } = linalg.eigh(a);
      expect(distance(a.matmul(v), v.mul(eigenvalues))).toBeLessThan(20 * n * EPSILON);
      expect(distance(v.transpose().matmul(v), identity(n))).toBeLessThan(20 * n * EPSILON);
      const found = [...eigenvalues.dataSync()];
      expect(found).toEqual(found.toSorted((p, q) => p - q));
    });
  });

  test('of deficient, graded and zero matrices', () => {
    scope(() => {
      const x = random(6, 2);
      const deficient = x.matmul(x.transpose());
      const graded = random(6, 6).mul(tensor(Float64Array.from([1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-150]), { device }));
      for (const a of [deficient, graded, zeros([6, 6], { dtype: 'float64', device }), identity(6)]) {
        const { u, singularValues, vt } = linalg.svd(a);
        expect(distance(u.mul(singularValues).matmul(vt), a)).toBeLessThan(100 * EPSILON);
        expect(distance(u.transpose().matmul(u), identity(6))).toBeLessThan(100 * EPSILON);
      }
      const { eigenvalues, eigenvectors: v } = linalg.eigh(deficient);
      expect(distance(deficient.matmul(v), v.mul(eigenvalues))).toBeLessThan(200 * EPSILON);
    });
  });

  test('singular values of the Hilbert matrix of order 8 have the condition number that is known of it', () => {
    const hilbert = Float64Array.from({ length: 64 }, (_, i) => 1 / (Math.floor(i / 8) + (i % 8) + 1));
    const values = linalg.svdvals(tensor(hilbert, { shape: [8, 8], device })).dataSync();
    // 1.5257575538060041e10: Higham, "Accuracy and Stability of Numerical Algorithms", table 28.1 has 1.53e10.
    expect((values[0] ?? 0) / (values[7] ?? 1) / 1.5257575538060041e10).toBeCloseTo(1, 5);
  });
});

describe('refusals', () => {
  const square = zeros([3, 3]);
  const cases: readonly [string, () => unknown, new (...args: never[]) => Error, string][] = [
    ['a vector', () => linalg.cholesky(zeros([3])), ShapeError, '[cholesky] expected a matrix or a batch of them, [..., m, n], got [3].'],
    ['a wide matrix', () => linalg.inverse(zeros([2, 3])), ShapeError, '[inverse] expected square matrices, [..., n, n], got [2, 3].'],
    ['integers', () => linalg.svd(zeros([2, 2], { dtype: 'int32' })), DTypeError, '[svd] expected a floating-point tensor, got int32.'],
    ['other rows', () => linalg.solve(square, zeros([2, 2])), ShapeError, '[solve] expected a right side [..., 3, k], got [2, 2].'],
    ['other batches', () => linalg.solve(zeros([2, 3, 3]), zeros([4, 3, 1])), ShapeError, '[solve]'],
    ['no half', () => linalg.triangularSolve(square, square, undefined as never), ArgumentError, '[triangularSolve] expected options'],
    [
      'a singular matrix of a batch',
      () =>
        linalg.inverse(
          tensor([
            [
              [1, 0],
              [0, 1],
            ],
            [
              [1, 2],
              [2, 4],
            ],
          ]),
        ),
      LinearAlgebraError,
      '[inverse] expected an invertible matrix, got a singular one (pivot 2 is 0) in matrix [1] of the batch.',
    ],
    [
      'a singular system',
      () => linalg.solve(square, square),
      LinearAlgebraError,
      '[solve] expected an invertible matrix, got a singular one (pivot 1 is 0).',
    ],
    [
      'an indefinite matrix',
      () =>
        linalg.cholesky(
          tensor([
            [1, 2],
            [2, 1],
          ]),
        ),
      LinearAlgebraError,
      '[cholesky] expected a positive definite matrix, got one whose leading minor of order 2 is not.',
    ],
    [
      'NaN',
      () =>
        linalg.eigh(
          tensor([
            [NaN, 0],
            [0, 1],
          ]),
        ),
      LinearAlgebraError,
      '[eigh] expected a matrix of finite numbers, got NaN or ∞.',
    ],
    [
      '∞',
      () =>
        linalg.svdvals(
          tensor([
            [Infinity, 0],
            [0, 1],
          ]),
        ),
      LinearAlgebraError,
      '[svdvals] expected a matrix of finite numbers',
    ],
    ['another order', () => linalg.matrixNorm(square, { order: 3 }), ArgumentError, "[matrixNorm] expected an order of 'frobenius'"],
    ['one axis twice', () => linalg.matrixNorm(square, { axes: [0, 0] }), Error, '[matrixNorm] expected each axis once'],
    ['half a power', () => linalg.matrixPower(square, 0.5), ArgumentError, '[matrixPower] expected a whole power, got 0.5.'],
    ['NaN to exponentiate', () => linalg.matrixExp(tensor([[NaN]])), ArgumentError, '[matrixExp] expected finite numbers'],
    [
      'a compiled function',
      () => compile((x: Tensor) => linalg.det(x))(square),
      TraceError,
      '[det] expected matrices with values: it is calculated on the host',
    ],
  ];

  test.each(cases)('%s', (_, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  test('a device that can only be read asynchronously', () => {
    const inner = cpu();
    const device: Device = new Proxy(inner, {
      get: (target, key) => {
        if (key === 'readSync') return undefined;
        if (key === 'name') return 'remote';
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const a = tensor(
      [
        [1, 0],
        [0, 1],
      ],
      { device },
    );
    expect(() => linalg.inverse(a)).toThrow(SynchronousReadError);
    expect(() => linalg.inverse(a)).toThrow(
      '[inverse] expected a device that can be read synchronously, as the calculation is the host’s, got remote.',
    );
  });

  test('empty matrices have results', () => {
    expect([...linalg.det(zeros([2, 0, 0])).dataSync()]).toEqual([1, 1]);
    expect(linalg.svd(zeros([0, 3])).vt.shape).toEqual([0, 3]);
    expect(linalg.pinv(zeros([0, 3])).shape).toEqual([3, 0]);
    expect([...linalg.matrixRank(zeros([2, 0, 3])).dataSync()]).toEqual([0, 0]);
    expect(linalg.solve(zeros([0, 0]), zeros([0, 2])).shape).toEqual([0, 2]);
    expect(linalg.qr(zeros([3, 0])).q.shape).toEqual([3, 0]);
    expect(linalg.matrixExp(zeros([0, 0])).shape).toEqual([0, 0]);
  });
});
