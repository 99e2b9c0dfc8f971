/** Bad input: what is said, and that nothing has been written or changed. */

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AugmentError, ImageError, compose, cutMix, gaussianNoise, horizontalFlip, mixUp, readImage, rotate, writeImage } from '../src/index.ts';
import type { Sample } from '../src/index.ts';
import { crc32, pattern, photo } from './photos.ts';

/** Everything an error of gradus has to say. */
function expectTyped(error: unknown, type: typeof AugmentError | typeof ImageError, code: string, got: RegExp): void {
  expect(error).toBeInstanceOf(type);
  const { message, ...parts } = error as AugmentError;
  expect(parts.code).toBe(code);
  expect(parts.got).toMatch(got);
  expect(parts.expected).not.toBe('');
  expect(parts.fix).toMatch(/\w/);
  expect(message).toBe(`[${parts.op}] expected ${parts.expected}, got ${parts.got}. Fix: ${parts.fix}`);
}

describe('files', () => {
  let folder = '';
  const files: Readonly<Record<string, () => Uint8Array>> = {
    'cut.jpg': () => {
      const bytes = readFileSync(join(folder, 'whole.jpg'));
      return bytes.subarray(0, bytes.length - 200);
    },
    'text.jpg': () => new TextEncoder().encode('This is not a photo.'),
    'bomb.png': () => {
      const bytes = readFileSync(join(folder, 'whole.png'));
      bytes.writeUInt32BE(60_000, 16);
      bytes.writeUInt32BE(60_000, 20);
      bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
      return bytes;
    },
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gradus-bad-'));
    await writeImage(join(folder, 'whole.jpg'), photo('chelsea'));
    await writeImage(join(folder, 'whole.png'), pattern(2, 2));
    for (const [name, make] of Object.entries(files)) writeFileSync(join(folder, name), make());
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const contents = (): unknown => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]);

  test.each([
    ['a truncated JPEG', 'cut.jpg', /cut\.jpg: .*premature end/i],
    ['a text file named .jpg', 'text.jpg', /text\.jpg: .*unsupported image format/],
    ['a header of 60,000 × 60,000 pixels', 'bomb.png', /bomb\.png: .*exceeds pixel limit/],
  ])('%s', async (_, name, got) => {
    const before = contents();
    const error = await readImage(join(folder, name)).catch((thrown: unknown) => thrown);
    expectTyped(error, ImageError, 'IMAGE', got);
    expect(contents()).toEqual(before);
  });

  test('the header is refused before there is memory for its pixels', async () => {
    const before = process.memoryUsage().rss;
    await expect(readImage(join(folder, 'bomb.png'))).rejects.toThrow(ImageError);
    // The pixels would be 10 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 29);
  });
});

describe('samples', () => {
  const image = pattern(20, 10);
  const bad: readonly [string, Sample, RegExp][] = [
    [
      'a box beyond the right border',
      {
        image,
        boxes: [
          [1, 1, 5, 5],
          [0, 0, 21, 5],
        ],
      },
      /^\[0, 0, 21, 5\] at 1$/,
    ],
    ['a box beyond the top', { image, boxes: [[0, -1, 5, 5]] }, /^\[0, -1, 5, 5\] at 0$/],
    ['a box without an area', { image, boxes: [[4, 4, 4, 8]] }, /at 0$/],
    ['a box of three numbers', { image, boxes: [[1, 2, 3] as never] }, /^\[1, 2, 3\] at 0$/],
    ['a box that is none', { image, boxes: [null as never] }, /^null at 0$/],
    ['boxes that are none', { image, boxes: 7 as never }, /^7$/],
    ['a keypoint that is none', { image, keypoints: ['left' as never] }, /^'left' at 0$/],
    ['a mask of another size', { image, mask: pattern(10, 20, 1) }, /^10 × 20$/],
    ['no image', {} as Sample, /^undefined$/],
    ['no sample', undefined as never, /^undefined$/],
  ];
  const augment = compose([rotate({ degrees: [0, 90] }), horizontalFlip(), gaussianNoise({ sigma: 9 })]);

  test.each(bad)('%s', (_, sample, got) => {
    const before = structuredClone(sample);
    for (const act of [() => augment(sample), () => augment.replay(augment({ image }).record, sample)]) {
      let error: unknown;
      try {
        act();
      } catch (thrown) {
        error = thrown;
      }
      expectTyped(error, AugmentError, 'AUGMENT', got);
    }
    expect(sample).toEqual(before);
  });

  test('what is no transform', () => {
    expect(() => compose([horizontalFlip(), null as never])).toThrow(
      '[compose] expected a list of transforms, each with draw, got null at place 1. Fix: ',
    );
    expect(() => compose(horizontalFlip() as never)).toThrow(AugmentError);
  });

  test('nothing to mix', () => {
    expect(() => mixUp({ alpha: 1 })(undefined as never)).toThrow(AugmentError);
    expect(() => cutMix({ alpha: 1 })({} as never)).toThrow(AugmentError);
  });
});
