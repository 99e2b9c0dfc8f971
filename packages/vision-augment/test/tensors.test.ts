import { tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { AugmentError, cutMix, mixUp, normalize, toTensor } from '../src/index.ts';
import { pattern } from './photos.ts';

test('toTensor is [C, H, W] from 0 to 1', async () => {
  const image = pattern(3, 2);
  const x = toTensor(image);
  expect(x.shape).toEqual([3, 2, 3]);
  expect(x.dtype).toBe('float32');
  const expected = [0, 1, 2].map((c) =>
    [0, 1].map((row) => [0, 1, 2].map((column) => Math.fround((image.data[(row * 3 + column) * 3 + c] ?? 0) / 255))),
  );
  expect(await x.toArray()).toEqual(expected);
});

test('normalize takes the mean of each channel away and divides by its std, in images and batches', async () => {
  const x = tensor([[[1, 2]], [[3, 4]]]);
  const expected = [[[0.25, 0.75]], [[1, 1.5]]];
  expect(await normalize(x, { mean: [0.5, 1], std: [2, 2] }).toArray()).toEqual(expected);
  expect(await normalize(x.reshape([1, 2, 1, 2]), { mean: [0.5, 1], std: [2, 2] }).toArray()).toEqual([expected]);
});

describe('mixtures', () => {
  const images = tensor(
    Float32Array.from({ length: 3 * 2 * 6 * 5 }, (_, i) => Math.floor(i / 60)),
    { shape: [3, 2, 6, 5] },
  ); // image i is i everywhere
  const targets = tensor([
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]);
  const batch = { images, targets };

  test('mixUp blends images and targets by one weight', async () => {
    const mixed = mixUp({ alpha: 0.4 })(batch, { seed: 3, index: 2 });
    const { lambda } = mixed.record;
    expect(lambda).toBeGreaterThan(0);
    const levels = new Float32Array(await mixed.images.data());
    for (const [i, wanted] of [2 * (1 - lambda), 1, 2 * lambda].entries()) expect(levels[60 * i]).toBeCloseTo(wanted, 6);
    expect((await mixed.targets.data())[0]).toBeCloseTo(lambda, 6);
    expect((await mixed.targets.data())[2]).toBeCloseTo(1 - lambda, 6);
  });

  test('cutMix counts its pixels', async () => {
    for (let index = 0; index < 20; index++) {
      const mixed = cutMix({ alpha: 1 })(batch, { index });
      const first = [...(await mixed.images.data())].slice(0, 30);
      expect(first.every((level) => level === 0 || level === 2)).toBe(true);
      expect(first.filter((level) => level === 0).length / 30).toBeCloseTo(mixed.record.lambda, 12);
      expect((await mixed.targets.data())[0]).toBeCloseTo(mixed.record.lambda, 6);
    }
  });

  test.each([mixUp({ alpha: 0.2 }), cutMix({ alpha: 1 })])('replay to the bit', async (mix) => {
    const original = mix(batch, { seed: 9 });
    const again = mix.replay(JSON.parse(JSON.stringify(original.record)) as typeof original.record, batch);
    expect(await again.images.data()).toEqual(await original.images.data());
    expect(await again.targets.data()).toEqual(await original.targets.data());
  });

  test('say what is wrong', () => {
    expect(() => mixUp({ alpha: 0 })).toThrow(AugmentError);
    expect(() => mixUp({ alpha: 1 })({ images, targets: tensor([0, 1, 2]) })).toThrow(/oneHot/);
    expect(() => cutMix({ alpha: 1 }).replay({ op: 'cutMix', lambda: 0.5, x: 3, y: 0, width: 3, height: 1 }, batch)).toThrow(AugmentError);
    expect(() => normalize(images, { mean: [0], std: [1] })).toThrow(AugmentError);
    expect(() => normalize(images, { mean: [0, 0], std: [1, 0] })).toThrow(AugmentError);
  });
});
