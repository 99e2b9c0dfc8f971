import { ArgumentError, IndexError, ShapeError, State, assign, memory, scope, tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { ArrayDataset, tensorDataset } from './array-dataset.ts';
import { subset } from './dataset.ts';

const dataset = new ArrayDataset([
  { data: Float32Array.of(0, 1, 10, 11, 20, 21, 30, 31), shape: [2] },
  { data: Int16Array.of(0, -1, -2, -3) },
  { data: Uint8Array.of(0, 1, 2, 255), dtype: 'float16', table: Float32Array.from({ length: 256 }, (_, i) => i / 2) },
]);

describe('ArrayDataset', () => {
  test('gives the samples asked for, in their order, as often as asked for', () => {
    expect(dataset.length).toBe(4);
    expect(dataset.batch(Int32Array.of(3, 0, 3))).toEqual([
      { data: Float32Array.of(30, 31, 0, 1, 30, 31), shape: [3, 2], dtype: 'float32' },
      { data: Int32Array.of(-3, 0, -3), shape: [3], dtype: 'int32' },
      { data: Float32Array.of(127.5, 0, 127.5), shape: [3], dtype: 'float16' },
    ]);
  });

  test('gives an empty batch', () => {
    expect(dataset.batch(new Int32Array())[0]).toEqual({ data: new Float32Array(), shape: [0, 2], dtype: 'float32' });
  });

  test('fills arrays that are handed back if they fit', () => {
    const first = dataset.batch(Int32Array.of(0, 1));
    const second = dataset.batch(Int32Array.of(2, 3), first);
    expect(second[0].data).toBe(first[0].data);
    expect([...second[0].data]).toEqual([20, 21, 30, 31]);
    expect(dataset.batch(Int32Array.of(2), second)[0].data).not.toBe(second[0].data);
  });

  test('converts to the dtype asked for', () => {
    const converted = new ArrayDataset([{ data: Float64Array.of(1.5, -2.5), dtype: 'int32' }]);
    expect(converted.batch(Int32Array.of(0, 1))[0].data).toEqual(Int32Array.of(1, -2));
  });

  test.each([-1, 4, 2 ** 31 - 1])('refuses sample %d', (index) => {
    expect(() => dataset.batch(Int32Array.of(0, index))).toThrow(IndexError);
  });

  test('refuses columns that do not fit', () => {
    expect(() => new ArrayDataset([])).toThrow(ArgumentError);
    expect(() => new ArrayDataset([{ data: new Float32Array(7), shape: [2] }])).toThrow(/whole samples of shape \[2\], got 7 elements/);
    expect(() => new ArrayDataset([{ data: new Float32Array(7), shape: [0] }])).toThrow(ShapeError);
    expect(() => new ArrayDataset([{ data: new Float32Array(2) }, { data: new Float32Array(3) }])).toThrow(/the same length, got 2 and 3/);
    expect(() => new ArrayDataset([{ data: new Uint8Array(2), table: new Float32Array(10) }])).toThrow(/256 values, for bytes, got 10/);
    expect(() => new ArrayDataset([{ data: new Int8Array(2), table: new Float32Array(256) }])).toThrow(/for bytes, got .* for int8/);
  });
});

describe('tensorDataset', () => {
  test('gives samples of tensors, with their dtypes', async () => {
    using x = tensor([[1, 2], [3, 4]], { dtype: 'bfloat16' }); // prettier-ignore
    using y = tensor([true, false]);
    const made = tensorDataset(x, y);
    expect(made.length).toBe(2);
    const [xs, ys] = await made.batch(Int32Array.of(1));
    expect(xs).toEqual({ data: Float32Array.of(3, 4), shape: [1, 2], dtype: 'bfloat16' });
    expect(ys).toEqual({ data: Uint8Array.of(0), shape: [1], dtype: 'bool' });
  });

  test('takes the values at the call, and needs the tensors no more', async () => {
    const before = memory().liveBytes;
    const made = scope(() => {
      const x = new State(tensor([1, 2, 3]));
      const taken = tensorDataset(x);
      assign(x, tensor([4, 5, 6]));
      x.dispose();
      return taken;
    });
    expect([...(await made.batch(Int32Array.of(2)))[0].data]).toEqual([3]);
    expect(memory().liveBytes).toBe(before);
  });

  test('refuses tensors that do not fit', () => {
    expect(() => tensorDataset()).toThrow(ArgumentError);
    expect(() => tensorDataset(tensor(1))).toThrow(ShapeError);
    expect(() => tensorDataset(tensor([1]), tensor([[1], [2]]))).toThrow(/first axes are equal.*got \[1\] and \[2, 1\]/);
  });
});

describe('subset', () => {
  test('numbers samples from its start', async () => {
    const part = subset(dataset, 1, 3);
    expect(part.length).toBe(2);
    expect([...(await part.batch(Int32Array.of(1, 0)))[1].data]).toEqual([-2, -1]);
    expect(subset(dataset, 3).length).toBe(1);
    expect(subset(dataset, 4).length).toBe(0);
    expect([...(await subset(part, 1).batch(Int32Array.of(0)))[1].data]).toEqual([-2]);
  });

  test.each([
    [-1, 2],
    [3, 2],
    [0, 5],
    [0.5, 2],
    [0, NaN],
  ])('refuses %d to %d', (start, end) => {
    expect(() => subset(dataset, start, end)).toThrow(ArgumentError);
  });
});
