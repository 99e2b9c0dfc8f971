/** `jvp`, `jacobian`, `hessian`: against formulas, each other, and differences. */

import { GradientError, floor, grad, hessian, jacobian, jvp, matmul, memory, scope, softmax, tensor, vjp } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const numbers = (t: Tensor): number[] => [...t.dataSync()];
const doubles = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor => tensor(values, { shape, dtype: 'float64' });
const close = (found: Tensor, wanted: readonly number[], digits = 12): void => {
  const values = numbers(found);
  expect(values).toHaveLength(wanted.length);
  values.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i] ?? NaN, digits);
  });
};

/** Something with every kind of dependence: [3] → [2, 2]. */
const mixed = (x: Tensor): Tensor =>
  matmul(doubles([1, 2, -1, 0.5, 3, 1], [2, 3]), softmax(x, { axis: 0 }).mul(x.sin()).reshape([3, 1]))
    .mul(doubles([1, -2], [1, 2]))
    .exp();

describe('jvp', () => {
  test('is the derivative along the tangents', () => {
    const [x, v] = [
      [0.3, -0.7, 1.1],
      [1, 0.5, -2],
    ];
    const { value, tangent } = jvp(mixed, [doubles(x)], [doubles(v)]);
    expect(value.shape).toEqual([2, 2]);
    close(value, numbers(mixed(doubles(x))));
    const h = 1e-5;
    const moved = (t: number): number[] => numbers(mixed(doubles(x.map((xi, i) => xi + t * (v[i] ?? 0)))));
    const [up, down] = [moved(h), moved(-h)];
    close(
      tangent,
      up.map((u, i) => (u - (down[i] ?? 0)) / (2 * h)),
      7,
    );
  });

  test('takes several arguments', () => {
    const { tangent } = jvp((x, y) => x.mul(y), [doubles([2, 3]), doubles([5, 7])], [doubles([1, 10]), doubles([100, 1000])]);
    close(tangent, [1 * 5 + 100 * 2, 10 * 7 + 1000 * 3]);
  });

  test('is zero where nothing depends on the argument', () => {
    close(jvp(() => doubles([4, 5]), [doubles([1])], [doubles([1])]).tangent, [0, 0]);
    close(jvp((x) => floor(x), [doubles([1.5])], [doubles([1])]).tangent, [0]);
  });

  test('of a gradient is a Hessian-vector product', () => {
    const f = (x: Tensor): Tensor => x.pow(3).sum().add(x.prod());
    const x = [2, 3, 5];
    const v = [1, -1, 0.5];
    // H = diag(6 x) + the products of the others.
    const wanted = x.map((xi, i) => 6 * xi * (v[i] ?? 0) + x.reduce((s, _, j) => (i === j ? s : s + (v[j] ?? 0) * (30 / (xi * (x[j] ?? 1)))), 0));
    close(jvp(grad(f), [doubles(x)], [doubles(v)]).tangent, wanted, 9);
  });

  test('refuses tangents of another shape', () => {
    expect(() => jvp((x) => x, [doubles([1, 2])], [doubles([1])])).toThrow(GradientError);
    expect(() => jvp((x) => x, [doubles([1, 2])], [doubles([1])])).toThrow('[jvp] expected tangents shaped like the arguments, [2], got [1]');
    expect(() => jvp((x) => x, [tensor([1, 2], { dtype: 'int32' })], [tensor([1, 2], { dtype: 'int32' })])).toThrow(GradientError);
  });
});

describe('jacobian', () => {
  test('has the shape of the value, then that of the argument; both modes agree with one vjp a row', () => {
    const x = doubles([0.3, -0.7, 1.1]);
    const reverse = jacobian(mixed)(x);
    const forward = jacobian(mixed, { mode: 'forward' })(x);
    expect(reverse.shape).toEqual([2, 2, 3]);
    expect(forward.shape).toEqual([2, 2, 3]);
    const rows = [0, 1, 2, 3].flatMap((i) =>
      numbers(
        vjp(
          mixed,
          [x],
          doubles(
            [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)),
            [2, 2],
          ),
        ).gradients[0] as Tensor,
      ),
    );
    close(reverse, rows);
    close(forward, rows);
  });

  test('of a matrix product is the other matrix, of a single number a gradient', () => {
    const a = doubles([1, 2, 3, 4, 5, 6], [2, 3]);
    const found = jacobian((x) => matmul(a, x))(doubles([7, 8, 9]).reshape([3, 1]));
    expect(found.shape).toEqual([2, 1, 3, 1]);
    close(found, [1, 2, 3, 4, 5, 6]);
    const slope = jacobian((x) => x.square().sum())(doubles([1, 2]));
    expect(slope.shape).toEqual([2]);
    close(slope, [2, 4]);
  });

  test('has no elements where the value or the argument has none', () => {
    expect(jacobian((x) => x.mul(2))(doubles([], [0])).shape).toEqual([0, 0]);
    expect(jacobian(() => doubles([], [0, 2]))(doubles([1, 2, 3])).shape).toEqual([0, 2, 3]);
  });

  test('leaves other arguments alone, and can be differentiated', () => {
    const f = (x: Tensor, y: Tensor): Tensor => x.square().mul(y);
    close(jacobian(f)(doubles([1, 2]), doubles([3, 4])), [6, 0, 0, 16]);
    close(grad((x) => jacobian((t) => t.pow(3))(x).sum())(doubles([2, 3])), [12, 18]);
  });
});

describe('hessian', () => {
  test('is the matrix of second derivatives', () => {
    const f = (x: Tensor): Tensor => x.pow(3).sum().add(x.prod());
    const found = hessian(f)(doubles([2, 3, 5]));
    expect(found.shape).toEqual([3, 3]);
    close(found, [12, 5, 3, 5, 18, 2, 3, 2, 30], 9);
  });

  test('wants a function with one number', () => {
    expect(() => hessian((x) => x)(doubles([1, 2]))).toThrow(GradientError);
    expect(() => hessian((x) => x)()).toThrow('[jacobian] expected at least one argument, got none');
  });

  test('leaves nothing behind', () => {
    const run = (): void => scope(() => void hessian((x) => x.square().prod())(doubles([1, 2, 3])).dataSync());
    run();
    const { liveBytes, backendBytes } = memory();
    for (let i = 0; i < 5; i++) run();
    expect(memory()).toMatchObject({ liveBytes, backendBytes });
  });
});
