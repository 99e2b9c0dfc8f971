/** Attention and embeddings beyond their specifications: which kernels compute them, masks, heads, 16-bit floats, edges and mistakes. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import {
  ArgumentError,
  DTypeError,
  IndexError,
  ShapeError,
  compile,
  concatenate,
  embedding,
  evaluate,
  explain,
  gelu,
  grad,
  scaledDotProductAttention,
  silu,
  sum,
  tensor,
  unsqueeze,
  valueAndGrad,
  where,
  zeros,
} from '@gradus/tensor';
import type { AttentionOptions, DType, Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const device = cpu();
const plain = withoutFastPaths(cpu());

const values = (t: Tensor): number[] => [...t.dataSync()];
const near = (actual: Tensor, wanted: readonly number[], digits = 5): void => {
  expect(actual.size).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual.dataSync()[i]).toBeCloseTo(value, digits);
};

/** Reproducible numbers between -1 and 1. */
const wave = (shape: readonly number[], on: Device = device, step = 1.7, dtype: DType = 'float32'): Tensor =>
  tensor(
    Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => Math.sin(1 + i * step)),
    { shape, device: on, dtype },
  );

const kernelsOf = (...tensors: readonly Tensor[]): readonly string[] => {
  evaluate(...tensors);
  return explain(tensors[0]?.device)?.kernels.flatMap(({ kernels }) => kernels) ?? [];
};

/** q, k and v. */
const operands = (on: Device, heads = 4, keyHeads = 2, dtype: DType = 'float32'): [Tensor, Tensor, Tensor] => [
  wave([2, heads, 3, 4], on, 1.7, dtype),
  wave([2, keyHeads, 5, 4], on, 2.3, dtype),
  wave([2, keyHeads, 5, 4], on, 0.9, dtype),
];

const gradientsOf = (inputs: readonly Tensor[], options: AttentionOptions): readonly Tensor[] =>
  valueAndGrad((...[q, k, v]) => sum(scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, options).square()))(...inputs).gradients;

/** Masks by what they are called, on a device; true and 0 allow. */
const masks: Record<string, (on: Device) => AttentionOptions> = {
  'no mask': () => ({}),
  causal: () => ({ causal: true }),
  'a bool mask': (on) => ({ mask: wave([3, 5], on).greater(-0.5) }),
  'a bool mask for each batch, causal': (on) => ({ mask: wave([2, 1, 3, 5], on).greater(-0.5), causal: true }),
  'a mask of keys': (on) => ({ mask: wave([2, 1, 1, 5], on).greater(-0.5) }),
  'an added mask': (on) => ({ mask: wave([3, 5], on).mul(3) }),
  'an added mask of -Infinity': (on) => ({ mask: where(wave([3, 5], on).greater(0), 0, -Infinity).toDType('float32') }),
  'another scale': () => ({ scale: 2 }),
};

describe.each(Object.entries(masks))('with %s', (_, options) => {
  test('it is one kernel where the device claims it, and the same numbers elsewhere', () => {
    const here = operands(device);
    const choice = options(device);
    evaluate(...here, ...(choice.mask ? [choice.mask] : []));
    const y = scaledDotProductAttention(...here, choice);
    const kernels = kernelsOf(y);
    expect(kernels.filter((kind) => kind === 'attention')).toHaveLength(1);
    // A mask that repeats is written out.
    expect(kernels.length).toBeLessThanOrEqual(2);
    const composed = scaledDotProductAttention(...operands(plain), options(plain));
    expect(kernelsOf(composed)).not.toContain('attention');
    near(y, values(composed));
  });

  test('all gradients are one launch more', () => {
    const here = gradientsOf(operands(device), options(device));
    expect(kernelsOf(...here).filter((kind) => kind === 'attention')).toHaveLength(2);
    const there = gradientsOf(operands(plain), options(plain));
    expect(kernelsOf(...there)).not.toContain('attention');
    for (const [i, g] of here.entries()) near(g, values(there[i] as Tensor), 4);
  });
});

describe('heads', () => {
  test('that share keys give what repeated keys give', () => {
    const [q, k, v] = operands(device);
    const repeat = (t: Tensor): Tensor =>
      concatenate(
        [0, 0, 1, 1].map((h) => t.slice([null, { start: h, end: h + 1 }])),
        { axis: 1 },
      );
    near(scaledDotProductAttention(q, k, v), values(scaledDotProductAttention(q, repeat(k), repeat(v))), 6);
  });

  test('with masks of their own are composed', () => {
    const mask = (on: Device): Tensor => wave([4, 3, 5], on).greater(-0.5);
    const y = scaledDotProductAttention(...operands(device), { mask: mask(device) });
    expect(kernelsOf(y)).not.toContain('attention');
    near(y, values(scaledDotProductAttention(...operands(plain), { mask: mask(plain) })));
  });

  test('without a batch, and with two axes of it', () => {
    const [q, k, v] = operands(device);
    const first = (t: Tensor): Tensor => t.slice([0]);
    const whole = scaledDotProductAttention(q, k, v);
    near(scaledDotProductAttention(first(q), first(k), first(v)), values(first(whole)), 6);
    near(scaledDotProductAttention(unsqueeze(q, 1), unsqueeze(k, 1), unsqueeze(v, 1)), values(whole), 6);
  });
});

test('a mask that wants a gradient gets one', () => {
  const [q, k, v] = operands(device);
  const mask = zeros([3, 5], { device });
  const g = grad((m) => sum(scaledDotProductAttention(q, k, v, { mask: m }).square()))(mask);
  const step = 1e-2;
  const at = (by: number): number => {
    const shifted = tensor([by, ...Array.from({ length: 14 }, () => 0)], { shape: [3, 5], device });
    return sum(scaledDotProductAttention(q, k, v, { mask: shifted }).square()).itemSync();
  };
  expect(g.dataSync()[0]).toBeCloseTo((at(step) - at(-step)) / (2 * step), 3);
});

describe.each([
  ['the kernel', device],
  ['the composition', plain],
])('a query that may look at nothing, in %s', (_, on) => {
  test.each([
    ['a bool mask', tensor([true, true, false, false], { shape: [2, 2], device: on })],
    ['an added mask', tensor([0, 0, -Infinity, -Infinity], { shape: [2, 2], device: on })],
  ])('gives 0 with zero gradients: %s', (_name, mask) => {
    const [q, k, v] = [wave([1, 2, 3], on), wave([1, 2, 3], on, 2.3), wave([1, 2, 3], on, 0.9)] as const;
    const y = scaledDotProductAttention(q, k, v, { mask });
    expect(values(y).slice(3)).toEqual([0, 0, 0]);
    const gradients = gradientsOf([q, k, v], { mask });
    expect(values(gradients[0] as Tensor).slice(3)).toEqual([0, 0, 0]);
    const alone = gradientsOf([q.slice([null, { end: 1 }]), k, v], {});
    near(gradients[1] as Tensor, values(alone[1] as Tensor));
    near(gradients[2] as Tensor, values(alone[2] as Tensor));
  });

  test('so does one without keys; no queries give nothing, and keys no gradient', () => {
    const q = wave([1, 2, 3], on);
    const none = zeros([1, 0, 3], { device: on });
    expect(values(scaledDotProductAttention(q, none, none))).toEqual([0, 0, 0, 0, 0, 0]);
    const gradients = gradientsOf([q, none, none], {});
    expect(values(gradients[0] as Tensor)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(gradients[1]?.shape).toEqual([1, 0, 3]);
    expect(scaledDotProductAttention(none, q, q).shape).toEqual([1, 0, 3]);
    expect(values(gradientsOf([none, q, q], { causal: true })[2] as Tensor)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

test.each(['float16', 'bfloat16'] as const)('%s is calculated in float32', (dtype) => {
  const inputs = operands(device, 4, 2, dtype);
  const wide = inputs.map((t) => t.toDType('float32')) as [Tensor, Tensor, Tensor];
  const digits = dtype === 'float16' ? 3 : 2;
  const y = scaledDotProductAttention(...inputs, { causal: true });
  expect(y.dtype).toBe(dtype);
  near(y, values(scaledDotProductAttention(...wide, { causal: true })), digits);
  const composed = scaledDotProductAttention(...operands(plain, 4, 2, dtype), { causal: true });
  expect(composed.dtype).toBe(dtype);
  near(y, values(composed), digits);
  for (const [i, g] of gradientsOf(inputs, {}).entries()) {
    expect(g.dtype).toBe(dtype);
    near(g, values(gradientsOf(wide, {})[i] as Tensor), digits - 1);
  }
  expect(scaledDotProductAttention(inputs[0], wide[1], wide[2]).dtype).toBe('float32');
});

test('a step of training keeps log-sum-exps from the forward pass', () => {
  const [q, k, v] = operands(device);
  evaluate(q, k, v);
  for (const t of [q, k, v]) t.requiresGrad = true;
  const y = scaledDotProductAttention(q, k, v);
  expect(kernelsOf(y)).toEqual(['attention']);
  y.backward({ gradient: wave([2, 4, 3, 4]) });
  // The forward kernel does not run again.
  expect(kernelsOf(...[q, k, v].map((t) => t.grad as Tensor)).filter((kind) => kind === 'attention')).toHaveLength(1);
});

test('compiled it is the same', () => {
  const inputs = operands(device);
  const compiled = compile((...[q, k, v]: Tensor[]) => gradientsOf([q as Tensor, k as Tensor, v as Tensor], { causal: true })[1] as Tensor);
  const wanted = values(gradientsOf(inputs, { causal: true })[1] as Tensor);
  for (let i = 0; i < 3; i++) expect(values(compiled(...inputs))).toEqual(wanted);
});

describe('mistakes', () => {
  const x = (...shape: number[]): Tensor => zeros(shape);
  const attend = scaledDotProductAttention;
  const h = x(2, 3, 4);
  test.each<[string, new (...args: never[]) => Error, () => unknown, RegExp]>([
    [
      'no axis of heads',
      ShapeError,
      () => attend(x(3, 4), x(3, 4), x(3, 4)),
      /q \[\.\.\., heads, T, D\].*got \[3, 4\], \[3, 4\], \[3, 4\]\. Fix: unsqueeze/,
    ],
    ['keys of another size', ShapeError, () => attend(h, x(2, 3, 5), x(2, 3, 5)), /^\[scaledDotProductAttention\]/],
    ['fewer values than keys', ShapeError, () => attend(h, h, x(2, 2, 4)), /equal leading axes/],
    ['batches that differ', ShapeError, () => attend(x(2, 2, 3, 4), x(1, 2, 3, 4), x(1, 2, 3, 4)), /equal leading axes/],
    ['heads that do not divide', ShapeError, () => attend(x(3, 3, 4), h, h), /heads of k divide, got 3 and 2/],
    ['a mask that does not broadcast', ShapeError, () => attend(h, h, h, { mask: x(2, 3) }), /broadcasts to \[2, 3, 3\], got \[2, 3\]/],
    ['a mask of integers', DTypeError, () => attend(h, h, h, { mask: zeros([3, 3], { dtype: 'int32' }) }), /mask of bool.*got int32\. Fix: cast/],
    [
      'integers',
      DTypeError,
      () => attend(zeros([1, 1, 1], { dtype: 'int32' }), zeros([1, 1, 1], { dtype: 'int32' }), zeros([1, 1, 1], { dtype: 'int32' })),
      /floating-point/,
    ],
    ['a scale that is no number', ArgumentError, () => attend(h, h, h, { scale: NaN }), /finite scale, got NaN/],
    ['a mask in place of options', ArgumentError, () => attend(h, h, h, x(3, 3) as never), /expected options/],
    [
      'a table that is no matrix',
      ShapeError,
      () => embedding(x(3), tensor([0], { dtype: 'int32' })),
      /^\[embedding\] expected weight of shape \[count, D\]/,
    ],
    ['an index out of range', IndexError, () => embedding(x(3, 2), tensor([3], { dtype: 'int32' })), /indices from 0 to 2, got 3/],
    ['an index from the end', IndexError, () => embedding(x(3, 2), tensor([-1], { dtype: 'int32' })), /indices from 0 to 2, got -1/],
    ['indices that are no integers', DTypeError, () => embedding(x(3, 2), tensor([1])), /integer indices/],
    [
      'a paddingIdx out of range',
      IndexError,
      () => embedding(x(3, 2), tensor([1], { dtype: 'int32' }), { paddingIdx: 3 }),
      /paddingIdx from -3 to 2, got 3/,
    ],
    ['another approximation', ArgumentError, () => gelu(x(3), { approximate: 'erf' as never }), /approximate 'none' or 'tanh', got 'erf'/],
  ])('%s', (_, kind, act, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});

describe('embedding', () => {
  const table = (): Tensor => tensor([1, 2, 3, 4, 5, 6], { shape: [3, 2] });
  const index = tensor([2, 0, 2, 1], { shape: [2, 2], dtype: 'int32' });

  test('takes rows, whose gradients add up', () => {
    const rows = embedding(table(), index);
    expect(rows.shape).toEqual([2, 2, 2]);
    expect(values(rows)).toEqual([5, 6, 1, 2, 5, 6, 3, 4]);
    expect(values(grad((w) => sum(embedding(w, index)))(table()))).toEqual([1, 1, 1, 1, 2, 2]);
  });

  test.each([2, -1])('gives the row of paddingIdx %d no gradient', (paddingIdx) => {
    expect(values(embedding(table(), index, { paddingIdx }))).toEqual([5, 6, 1, 2, 5, 6, 3, 4]);
    expect(values(grad((w) => sum(embedding(w, index, { paddingIdx }).square()))(table()))).toEqual([2, 4, 6, 8, 0, 0]);
    const second = grad((w) => sum(grad((t) => sum(embedding(t, index, { paddingIdx }).square()))(w)))(table());
    expect(values(second)).toEqual([2, 2, 2, 2, 0, 0]);
  });

  test('takes small integers as indices', () => {
    expect(values(embedding(table(), tensor([1], { dtype: 'uint8' })))).toEqual([3, 4]);
  });
});

describe('activations', () => {
  const x = [-3, -1, -0.5, 0.5, 1, 3];
  test('gelu, values of PyTorch', () => {
    near(gelu(tensor(x)), [-0.00404987, -0.15865529, -0.15426879, 0.3457312, 0.84134471, 2.99595022], 6);
    near(gelu(tensor(x), { approximate: 'tanh' }), [-0.00363743, -0.15880799, -0.154286, 0.345714, 0.84119201, 2.99636269], 6);
  });

  test('are one op, and round once', () => {
    for (const f of [silu, gelu, (t: Tensor) => gelu(t, { approximate: 'tanh' })]) {
      const y = f(wave([8]));
      evaluate(y);
      expect(explain(device)?.kernels.map(({ fused }) => fused.length)).toEqual([1]);
      const halves = wave([64], device, 0.37, 'bfloat16');
      expect(values(f(halves))).toEqual(values(f(halves.toDType('float32')).toDType('bfloat16')));
      expect(grad((t) => sum(f(t)))(halves).dtype).toBe('bfloat16');
      expect(f(tensor([1], { dtype: 'int32' })).dtype).toBe('float32');
    }
  });

  test('silu of numbers far from 0 is 0 or the number', () => {
    expect(values(silu(tensor([-1000, 0, 1000])))).toEqual([-0, 0, 1000]);
    expect(values(grad((t) => sum(silu(t)))(tensor([-1000, 0, 1000])))).toEqual([-0, 0.5, 1]);
  });
});
