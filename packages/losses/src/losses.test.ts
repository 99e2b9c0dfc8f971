/** Losses against PyTorch's values (1.13; the inputs are those of the tables of its documentation and of `torch.nn.functional`). */

import { IndexError, ShapeError, evaluate, explain, full, grad, randn, tensor, zeros } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { crossEntropy, mse } from './index.ts';
import { accuracy } from './metrics/index.ts';

const logits = (): ReturnType<typeof tensor> =>
  tensor([
    [1, 2, 3],
    [1, -1, 0.5],
    [0, 0, 0],
  ]);
const labels = (): ReturnType<typeof tensor> => tensor([2, 0, 1], { dtype: 'int32' });

describe('crossEntropy', () => {
  test('of class indices', () => {
    expect(crossEntropy(logits(), labels()).itemSync()).toBeCloseTo(0.68705839, 6);
    expect(crossEntropy(logits(), labels(), { reduction: 'sum' }).itemSync()).toBeCloseTo(3 * 0.68705839, 5);
    expect(crossEntropy(logits(), labels(), { reduction: 'none' }).shape).toEqual([3]);
  });

  test('with label smoothing', () => {
    expect(crossEntropy(logits(), labels(), { labelSmoothing: 0.1 }).itemSync()).toBeCloseTo(0.74816948, 6);
  });

  test('of probabilities equals that of the indices they stand for', () => {
    const oneHot = tensor([
      [0, 0, 1],
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(crossEntropy(logits(), oneHot).itemSync()).toBeCloseTo(0.68705839, 6);
  });

  test('of images: classes at axis 1', () => {
    const x = tensor(
      Float32Array.from({ length: 12 }, (_, i) => i % 5),
      { shape: [1, 3, 2, 2] },
    );
    const y = tensor([0, 1, 2, 0], { shape: [1, 2, 2], dtype: 'int32' });
    const flat = crossEntropy(x.permute([0, 2, 3, 1]).reshape([4, 3]), y.reshape([4]));
    expect(crossEntropy(x, y).itemSync()).toBeCloseTo(flat.itemSync(), 6);
  });

  test('its gradient is softmax minus target, over the batch', () => {
    const g = grad((x) => crossEntropy(x, labels()))(logits());
    const expected = logits()
      .softmax()
      .sub(
        tensor([
          [0, 0, 1],
          [1, 0, 0],
          [0, 1, 0],
        ]),
      )
      .div(3);
    for (const [i, v] of expected.dataSync().entries()) expect(g.dataSync()[i]).toBeCloseTo(v, 6);
  });

  test('of logits is two kernels, and two more for their gradient', () => {
    const [x, w] = [randn([3, 6], { seed: 1 }), randn([6, 3], { seed: 2 })];
    evaluate(x, w);
    w.requiresGrad = true;
    const loss = crossEntropy(x.matmul(w), labels());
    loss.backward();
    evaluate(loss, w.grad ?? loss);
    const kernels = explain()?.kernels.filter(({ anchor }) => anchor !== 'matmul');
    const kinds = kernels?.map(({ kernels: [kind], outputs: [first] }) => `${kind} ${first?.op}`);
    expect(kinds).toEqual(['rowwise logSoftmax', 'reduce div', 'map where', 'rowwise logSoftmax backward']);
  });

  test('of no examples is NaN, summed 0', () => {
    const none = tensor([], { dtype: 'int32' });
    expect(crossEntropy(zeros([0, 3]), none).itemSync()).toBeNaN();
    expect(crossEntropy(zeros([0, 3]), none, { reduction: 'sum' }).itemSync()).toBe(0);
  });

  test('survives huge logits', () => {
    expect(crossEntropy(tensor([[1000, 0]]), tensor([0], { dtype: 'int32' })).itemSync()).toBe(0);
    expect(crossEntropy(tensor([[1000, 0]]), tensor([1], { dtype: 'int32' })).itemSync()).toBe(1000);
  });

  test('refuses labels that do not fit', () => {
    expect(() => crossEntropy(logits(), tensor([[2], [0], [1]], { dtype: 'int32' }))).toThrow(ShapeError);
    expect(() => crossEntropy(logits(), tensor([2, 0], { dtype: 'int32' }))).toThrow(/labels of shape \[3\] for logits \[3, 3\], got \[2\]/);
    expect(() => crossEntropy(logits(), tensor([2, 3, 0], { dtype: 'int32' }))).toThrow(IndexError);
    expect(() => crossEntropy(logits(), tensor([2, -1, 0], { dtype: 'int32' }))).toThrow(/indices from 0 to 2, got -1/);
    expect(() => crossEntropy(logits(), tensor([[1, 0]]))).toThrow(/one shape, got \[3, 3\] and \[1, 2\]/);
    expect(() => crossEntropy(logits(), tensor([2, 0, 1]))).toThrow(
      "[crossEntropy] expected class indices as integers, got float32 [3]. Fix: target.toDType('int32')",
    );
    expect(() => crossEntropy(logits(), [2, 0, 1] as never)).toThrow(/expected two tensors, got \[2, 0, 1\]\. Fix: make one with tensor/);
    expect(() => crossEntropy(logits(), labels(), 'sum' as never)).toThrow("expected options, got 'sum'.");
    expect(() => crossEntropy(logits(), labels(), { labelSmoothing: 2 })).toThrow(/labelSmoothing from 0 to 1/);
    expect(() => crossEntropy(logits(), labels(), { reduction: 'max' as never })).toThrow(/reduction 'mean', 'sum' or 'none'/);
  });
});

describe('mse', () => {
  test('of [1, 2] and [1.1, 1.9] is 0.01', () => {
    expect(mse(tensor([1, 2]), tensor([1.1, 1.9])).itemSync()).toBeCloseTo(0.01, 7);
    expect(mse(tensor([1, 2]), tensor([0, 0]), { reduction: 'sum' }).itemSync()).toBe(5);
    expect([...mse(tensor([1, 2]), tensor([0, 0]), { reduction: 'none' }).dataSync()]).toEqual([1, 4]);
  });

  test('refuses the silent broadcast, and names the reshape', () => {
    expect(() => mse(tensor([[1], [2]]), tensor([1, 2]))).toThrow(
      /prediction and target of one shape, got \[2, 1\] and \[2\]\. Fix: target\.reshape\(\[2, 1\]\)/,
    );
    expect(() => mse(tensor([[1, 2]]), tensor([1]))).toThrow(/expand/);
  });
});

describe('accuracy', () => {
  test('is the share of right answers', () => {
    expect(accuracy(logits(), labels()).itemSync()).toBeCloseTo(2 / 3, 6);
    expect(() => accuracy(logits(), tensor([1]))).toThrow(ShapeError);
    expect(() => accuracy(logits(), [1] as never)).toThrow('[accuracy] expected two tensors, got [1].');
  });
});

describe.each(['float16', 'bfloat16'] as const)('losses of %s', (dtype) => {
  const rounded = (value: number): number => tensor([value], { dtype }).itemSync();

  test('are calculated in float32 and rounded once', () => {
    const classes = 100_000;
    const of = (target: ReturnType<typeof tensor>, x = zeros([2, classes], { dtype })): ReturnType<typeof tensor> => crossEntropy(x, target);
    const hard = of(tensor([1, 2], { dtype: 'int32' }));
    expect([hard.dtype, hard.itemSync()]).toEqual([dtype, rounded(Math.log(classes))]);
    expect(of(full([2, classes], 2 ** -16, { dtype })).itemSync()).toBe(rounded((Math.log(classes) * classes) / 2 ** 16));
    expect(of(full([2, classes], 2 ** -16)).dtype).toBe('float32');
    // 300² is beyond float16, its mean with 0 is not.
    expect(mse(tensor([300, 0], { dtype }), zeros([2], { dtype })).itemSync()).toBe(rounded(45_000));
  });

  test('have gradients of their dtype', () => {
    const g = grad((x) => crossEntropy(x, tensor([0], { dtype: 'int32' })))(zeros([1, 4], { dtype }));
    expect([g.dtype, ...g.dataSync()]).toEqual([dtype, -0.75, 0.25, 0.25, 0.25]);
  });
});
