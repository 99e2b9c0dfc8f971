/** Differentiation as users call it: grad, valueAndGrad, backward, and where gradients stop. */

import {
  assign,
  customGradient,
  defineOp,
  detach,
  explain,
  grad,
  GradientError,
  noGrad,
  sameAs,
  scope,
  stopGradient,
  tensor,
  valueAndGrad,
  vjp,
  broadcast,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { apply, constant } from '@gradus/backend';
import { describe, expect, test } from 'vitest';

const values = (t: Tensor): number[] => [...t.dataSync()];

describe('grad', () => {
  test('gives the slope', () => {
    expect(values(grad((x) => x.square().sum())(tensor([1, 2, 3])))).toEqual([2, 4, 6]);
  });

  test('nests: third derivative of x⁴ is 24x', () => {
    const f = (x: Tensor): Tensor => x.square().square().sum();
    const third = grad((x) => grad((y) => grad(f)(y).sum())(x).sum());
    expect(values(third(tensor([1, 2])))).toEqual([24, 48]);
  });

  test('keeps inner and outer variables apart', () => {
    // d/dx [x · d/dy (x·y²) at y = 3] = d/dx [x · 2·x·3] = 12x: perturbation confusion would give another number.
    const outer = grad((x) => x.mul(grad((y) => x.mul(y.square()).sum())(tensor([3]))).sum());
    expect(values(outer(tensor([2])))).toEqual([24]);
  });

  test('passes through a change of dtype, and comes back in the argument’s', () => {
    const g = grad((x) => x.toDType('float32').square().sum().toDType('float64'))(tensor(new Float64Array([1, 2])));
    expect(g.dtype).toBe('float64');
    expect(values(g)).toEqual([2, 4]);
  });

  test('is zero where the result does not depend on the argument', () => {
    expect(values(grad(() => tensor(3))(tensor([1, 2])))).toEqual([0, 0]);
  });

  test('passes through captured parameters: a gradient penalty', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const penalty = grad((x) => x.mul(w).square().sum())(tensor([1, 1]))
      .square()
      .sum();
    penalty.backward();
    // gradient 2w²x; penalty Σ 4w⁴; d/dw = 16w³
    expect(values(w.grad as Tensor)).toEqual([16 * 8, 16 * 27]);
  });

  test('valueAndGrad gives every argument its gradient', () => {
    const { value, gradients } = valueAndGrad((a, b) => a.mul(b).sum())(tensor([1, 2]), tensor([3, 4]));
    expect(value.itemSync()).toBe(11);
    expect(gradients.map(values)).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  test('vjp takes results of any shape', () => {
    const { gradients } = vjp((x) => x.square(), [tensor([1, 2])], tensor([10, 100]));
    expect(values(gradients[0] as Tensor)).toEqual([20, 400]);
  });

  test('refuses integers, results that are no number, and says so', () => {
    expect(() => grad((x) => x.sum())(tensor([1], { dtype: 'int32' }))).toThrow(GradientError);
    expect(() => grad((x) => x.square())(tensor([1, 2]))).toThrow(/one number to differentiate, got shape \[2\]\. Fix: reduce it/);
  });
});

describe('backward', () => {
  test('accumulates until the gradient is dropped', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.square().sum().backward();
    w.square().sum().backward();
    expect(values(w.grad as Tensor)).toEqual([4, 8]);
    w.grad = null;
    w.sum().backward();
    expect(values(w.grad as unknown as Tensor)).toEqual([1, 1]);
  });

  test('releases the graph, and says so the second time', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const loss = w.exp().sum();
    loss.backward();
    loss.evaluate();
    expect(() => loss.backward()).toThrow(/released by an earlier backward\(\)\. Fix: pass \{ retainGraph: true \}/);
  });

  test('keeps the graph when asked to', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    const loss = w.square().sum();
    loss.backward({ retainGraph: true });
    loss.evaluate();
    loss.backward();
    expect(values(w.grad as Tensor)).toEqual([4, 8]);
  });

  test('works after the loss was read', async () => {
    const w = tensor([[1, 2]], { requiresGrad: true });
    const hidden = w.matmul(tensor([[1], [1]])).relu();
    const loss = hidden.square().sum();
    expect(await loss.item()).toBe(9);
    loss.backward();
    expect(values(w.grad as Tensor)).toEqual([6, 6]);
    // The contraction was not run a second time: only its gradient is.
    expect(explain()?.kernels.filter((k) => k.anchor === 'matmul')).toHaveLength(1);
  });

  test('createGraph gives gradients that can be differentiated', () => {
    const w = tensor([2], { requiresGrad: true });
    w.pow(3).sum().backward({ createGraph: true });
    const slope = w.grad as Tensor;
    w.grad = null;
    slope.sum().backward();
    expect(values(w.grad as unknown as Tensor)).toEqual([12]);
  });

  test('adds up over two versions of a parameter, and leaves the caller’s tensors alone', () => {
    const p = tensor([1], { requiresGrad: true });
    const before = p.mul(3);
    assign(p, tensor([2]));
    before.add(p.mul(10)).sum().backward();
    expect(values(p.grad as Tensor)).toEqual([13]);
    const seed = tensor([1]);
    p.add(1).backward({ gradient: seed });
    expect(seed.isDisposed).toBe(false);
    const { gradients } = vjp((x) => x.add(1), [tensor([1])], seed);
    expect(gradients[0]).not.toBe(seed);
    const own = p.mul(2).sum();
    grad(() => own)(tensor([1]));
    expect(own.isDisposed).toBe(false);
  });

  test('takes a starting gradient', () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.square().backward({ gradient: tensor([1, 10]) });
    expect(values(w.grad as Tensor)).toEqual([2, 40]);
    expect(() => w.square().backward({ gradient: tensor([1]) })).toThrow(/starting gradient of shape \[2\], got \[1\]/);
  });

  test('refuses what requires no gradient', () => {
    expect(() => tensor([1]).sum().backward()).toThrow(/depends on something with requiresGrad/);
    const w = tensor([1], { requiresGrad: true });
    expect(() => noGrad(() => w.sum()).backward()).toThrow(GradientError);
  });

  test('requiresGrad is for leaves', () => {
    const w = tensor([1], { requiresGrad: true });
    const result = w.mul(2);
    expect(() => {
      result.requiresGrad = true;
    }).toThrow(/expected a leaf, got the result of mul/);
  });
});

describe('where gradients stop', () => {
  test('detach and stopGradient', () => {
    expect(values(grad((x) => x.mul(detach(x)).sum())(tensor([3])))).toEqual([3]);
    expect(values(grad((x) => x.mul(stopGradient(x)).sum())(tensor([3])))).toEqual([3]);
  });

  test('noGrad', () => {
    const w = tensor([3], { requiresGrad: true });
    const y = noGrad(() => w.mul(2)).add(w);
    y.sum().backward();
    expect(values(w.grad as Tensor)).toEqual([1]);
  });
});

describe('ops of one’s own', () => {
  test('a composite is differentiable and fused', () => {
    const swish = defineOp({ name: 'swish', shape: sameAs(0), decompose: (x: Tensor) => x.mul(x.sigmoid()) });
    const x = tensor([-1, 0, 2]);
    const y = swish(x);
    expect(values(y)).toEqual(values(x.mul(x.sigmoid())));
    expect(explain()?.launches).toBe(1);
    const s = 1 / (1 + Math.exp(-2));
    expect(grad((t) => swish(t).sum())(x).dataSync()[2]).toBeCloseTo(s + 2 * s * (1 - s), 5);
  });

  test('an elementwise op has an expression and a gradient', () => {
    const cube = defineOp<[Tensor]>({
      name: 'cube',
      lower: (x) => apply('multiply', apply('multiply', x, x), x),
      grad: (g, [x]) => [g.mul(x.square()).mul(3)],
    });
    expect(values(cube(tensor([1, 2, -3])))).toEqual([1, 8, -27]);
    expect(values(grad((x) => cube(x).sum())(tensor([1, 2])))).toEqual([3, 12]);
    expect(values(grad((x) => grad((y) => cube(y).sum())(x).sum())(tensor([1, 2])))).toEqual([6, 12]);
  });

  test('a composite may have a gradient of its own', () => {
    const straightThrough = defineOp({
      name: 'roundSte',
      shape: sameAs(0),
      decompose: (x: Tensor) => x.mul(2).sub(0.25).add(0.25).div(2),
      grad: (g) => [g],
    });
    expect(
      values(
        grad((x) =>
          straightThrough(x)
            .mul(tensor([5, 7]))
            .sum(),
        )(tensor([0.4, 0.6])),
      ),
    ).toEqual([5, 7]);
  });

  test('customGradient', () => {
    const clipped = customGradient((x: Tensor) => ({ value: x.mul(1), gradient: (g: Tensor) => [g.clamp({ min: -1, max: 1 })] }));
    expect(values(grad((x) => clipped(x).mul(100).sum())(tensor([1, 2])))).toEqual([1, 1]);
  });

  test('a wrong shape rule is reported', () => {
    const wrong = defineOp({ name: 'wrong', shape: sameAs(0), decompose: (x: Tensor) => x.sum() });
    expect(() => wrong(tensor([1, 2]))).toThrow(/\[wrong\] expected a result of shape \[2\], as its shape rule says, got \[\]/);
  });

  test('shape rules broadcast', () => {
    expect(broadcast([[2, 1], [3]])).toEqual([2, 3]);
    const addPlusOne = defineOp<[Tensor, Tensor]>({ name: 'addPlusOne', lower: (a, b) => apply('add', apply('add', a, b), constant('float32', 1)) });
    expect(addPlusOne(tensor([[1], [2]]), tensor([10, 20])).shape).toEqual([2, 2]);
  });
});

test('a rule that differentiates inside leaves the pass that called it alone', () => {
  const squared = defineOp({
    name: 'squared',
    shape: sameAs(0),
    decompose: (x: Tensor) => x.square(),
    grad: (g, [x]) => vjp((t) => t.square(), [x], g).gradients,
  });
  const fourth = (x: Tensor): Tensor => squared(x).mul(squared(x)).sum();
  expect(values(grad((x) => grad(fourth)(x).sum())(tensor([1, 2])))).toEqual([12, 48]);
  expect(values(grad((x) => grad((y) => grad(fourth)(y).sum())(x).sum())(tensor([1, 2])))).toEqual([24, 48]);
});

test('nothing of a gradient outlives its scope', () => {
  const x = tensor([1, 2]);
  const g = scope(() => grad((t) => t.exp().sum())(x));
  expect(g.isDisposed).toBe(false);
  g.dispose();
  expect(x.isDisposed).toBe(false);
});
