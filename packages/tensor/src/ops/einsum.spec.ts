/** Specifications of contractions and distances. */

import { cdist, corrcoef, cov } from './distances.ts';
import { bilinear, chainMatmul, dot, einsum, inner, kron, outer, tensordot } from './einsum.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';

const real = (...dims: number[]): InputSpecification => ({ dims, low: -1, high: 1 });

/** The sum of products by brute force: labels are letters, sizes are looked up. */
const sums =
  (terms: readonly string[], output: string): OpSpecification['reference'] =>
  (...inputs) => {
    const sizes = new Map<string, number>();
    terms.forEach((term, i) =>
      term.split('').forEach((letter, axis) => sizes.set(letter, Math.max(sizes.get(letter) ?? 0, inputs[i]?.dims[axis] ?? 0))),
    );
    const inside = [...sizes.keys()].filter((letter) => !output.includes(letter));
    const dimsOf = (letters: readonly string[]): number[] => letters.map((letter) => sizes.get(letter) ?? 1);
    return array(dimsOf(output.split('')), (outer_) => {
      let total = 0;
      array(dimsOf(inside), (inner_) => {
        const place = (letter: string): number => (output.includes(letter) ? outer_[output.indexOf(letter)] : inner_[inside.indexOf(letter)]) ?? 0;
        total += inputs.reduce(
          (product, x, i) =>
            product *
            at(
              x,
              (terms[i] ?? '').split('').map((letter, axis) => (x.dims[axis] === 1 ? 0 : place(letter))),
            ),
          1,
        );
        return 0;
      });
      return total;
    });
  };

const einsumOf = (equation: string, ...dims: readonly (readonly number[])[]): OpSpecification => {
  const [left = '', right = ''] = equation.split('->');
  return {
    name: `einsum ${equation}`,
    run: (...operands) => einsum(equation, ...operands),
    reference: sums(left.split(','), right),
    cases: [dims.map((each) => real(...each))],
  };
};

const x = (inputs: readonly Reference[], i: number): Reference => {
  const found = inputs[i];
  if (found === undefined) throw new Error('missing input');
  return found;
};

/** The distance of two rows by p. */
const distances = (p: number): OpSpecification => ({
  name: `cdist, p = ${p}`,
  run: (a, b) => cdist(a, b, { p }),
  reference: (...inputs) =>
    array([2, 3], ([i = 0, j = 0]) => {
      const parts = [0, 1, 2].map((k) => Math.abs(at(x(inputs, 0), [i, k]) - at(x(inputs, 1), [j, k])));
      return p === Infinity ? Math.max(...parts) : parts.reduce((sum, d) => sum + d ** p, 0) ** (1 / p);
    }),
  cases: [[real(2, 3), real(3, 3)]],
  tolerance: 5e-6,
});

const covariances = (t: Reference, correction: number): Reference => {
  const [rows = 0, columns = 0] = t.dims;
  const row = (i: number): number[] => Array.from({ length: columns }, (_, j) => at(t, [i, j]));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / columns;
  return array([rows, rows], ([i = 0, j = 0]) => {
    const [a, b] = [row(i), row(j)];
    return a.reduce((sum, value, k) => sum + (value - mean(a)) * ((b[k] ?? 0) - mean(b)), 0) / (columns - correction);
  });
};

export const specifications: readonly OpSpecification[] = [
  einsumOf('ij,jk->ki', [2, 3], [3, 2]),
  einsumOf('iij->ji', [2, 2, 3]),
  einsumOf('bij,bkj->bik', [2, 2, 3], [2, 2, 3]),
  einsumOf('abc,dcb->ad', [2, 2, 3], [2, 3, 2]),
  einsumOf('ij,jk,kl,il->i', [2, 3], [3, 2], [2, 3], [2, 3]),
  einsumOf('ij,ij->i', [2, 3], [2, 3]),
  einsumOf('ij,jk->ik', [2, 1], [3, 2]),
  { ...einsumOf('aij,abjk->abik', [2, 2, 3], [2, 2, 3, 2]), name: 'einsum with an ellipsis', run: (a, b) => einsum('a...ij,ab...jk->ab...ik', a, b) },
  {
    name: 'tensordot',
    run: (a, b) =>
      tensordot(a, b, {
        axes: [
          [0, -1],
          [1, 0],
        ],
      }),
    reference: sums(['ijk', 'kil'], 'jl'),
    cases: [[real(2, 3, 2), real(2, 2, 2)]],
  },
  { name: 'dot', run: (a, b) => dot(a, b), reference: sums(['i', 'i'], ''), cases: [[real(5), real(5)]] },
  { name: 'outer', run: (a, b) => outer(a, b), reference: sums(['i', 'j'], 'ij'), cases: [[real(3), real(2)]] },
  { name: 'inner', run: (a, b) => inner(a, b), reference: sums(['aik', 'bk'], 'aib'), cases: [[real(2, 2, 3), real(2, 3)]] },
  {
    name: 'kron',
    run: (a, b) => kron(a, b),
    reference: (...inputs) => array([4, 6], ([i = 0, j = 0]) => at(x(inputs, 0), [i >> 1, j >> 1]) * at(x(inputs, 1), [i % 2, j % 2])),
    cases: [[real(2, 3), real(2, 2)]],
  },
  {
    name: 'bilinear',
    run: (a, b, weight, bias) => bilinear(a, b, weight, { bias }),
    reference: (...inputs) => {
      const products = sums(['ni', 'nj', 'oij'], 'no')(...inputs.slice(0, 3));
      return array(products.dims, (index) => at(products, index) + at(x(inputs, 3), [index[1] ?? 0]));
    },
    cases: [[real(2, 2), real(2, 3), real(2, 2, 3), real(2)]],
  },
  {
    name: 'chainMatmul',
    run: (...matrices) => chainMatmul(matrices),
    reference: sums(['ab', 'bc', 'cd', 'd'], 'a'),
    cases: [[real(2, 3), real(3, 2), real(2, 3), real(3)]],
  },
  ...[1, 1.5, 2, 3, Infinity].map(distances),
  { name: 'cov', run: (t) => cov(t, { correction: 0 }), reference: (...inputs) => covariances(x(inputs, 0), 0), cases: [[real(2, 4)]] },
  {
    name: 'corrcoef',
    run: (t) => corrcoef(t),
    reference: (...inputs) => {
      const c = covariances(x(inputs, 0), 1);
      return array(c.dims, ([i = 0, j = 0]) => (i === j ? 1 : at(c, [i, j]) / Math.sqrt(at(c, [i, i]) * at(c, [j, j]))));
    },
    cases: [[real(3, 5)]],
    tolerance: 5e-6,
  },
];
