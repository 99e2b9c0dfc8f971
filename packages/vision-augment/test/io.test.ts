import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ImageError, createImage, readImage, writeImage } from '../src/index.ts';
import { largestDifference, pattern } from './photos.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gradus-images-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(['png', 'tiff'])('%s', (ending) => {
  test.each([1, 3, 4] as const)('keeps every byte of %i channels', async (channels) => {
    const image = pattern(9, 5, channels);
    const path = join(folder, `same-${channels}.${ending}`);
    await writeImage(path, image);
    expect(await readImage(path, { channels })).toEqual(image);
  });
});

test.each(['jpg', 'webp', 'avif', 'gif'])('%s keeps the picture nearly', async (ending) => {
  const path = join(folder, `near.${ending}`);
  await writeImage(path, createImage({ width: 24, height: 16 }, 120));
  const back = await readImage(path);
  expect([back.width, back.height, back.channels]).toEqual([24, 16, 3]);
  expect(largestDifference(back, createImage({ width: 24, height: 16 }, 120))).toBeLessThan(6);
});

test('the channels are those asked for, whatever the file has', async () => {
  const grey = join(folder, 'grey.png');
  await writeImage(grey, pattern(4, 3, 1));
  const levels = pattern(4, 3, 1).data;
  expect((await readImage(grey)).data).toEqual(Uint8Array.from({ length: 36 }, (_, i) => levels[Math.floor(i / 3)] ?? 0));
  expect((await readImage(grey, { channels: 4 })).data.subarray(0, 4)).toEqual(Uint8Array.of(levels[0] ?? 0, levels[0] ?? 0, levels[0] ?? 0, 255));
  const color = join(folder, 'color.png');
  await writeImage(color, createImage({ width: 1, height: 1 }, Uint8Array.of(255, 0, 0)));
  expect([...(await readImage(color, { channels: 1 })).data]).toEqual([76]);
});

test('EXIF orientation is applied', async () => {
  const image = pattern(6, 4);
  const turned = await sharp(image.data, { raw: { width: 6, height: 4, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const back = await readImage(new Uint8Array(turned));
  expect([back.width, back.height]).toEqual([4, 6]);
  expect(back.data.subarray(0, 3)).toEqual(image.data.subarray(3 * 18, 3 * 18 + 3)); // 6: the first column is the top, from the right
});

test('16 bits become 8', async () => {
  const deep = await sharp(Uint16Array.of(0, 0x8080, 0xffff), { raw: { width: 3, height: 1, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
  expect((await sharp(deep).metadata()).depth).toBe('ushort');
  expect([...(await readImage(new Uint8Array(deep), { channels: 1 })).data]).toEqual([0, 128, 255]);
});

describe('what cannot be read', () => {
  const refused = async (source: string | Uint8Array, message: RegExp, options = {}): Promise<void> => {
    const error = await readImage(source, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ImageError);
    expect(String(error)).toMatch(message);
  };

  test('a missing file', () => refused(join(folder, 'nowhere.png'), /ENOENT/));

  test('an empty file', () => refused(new Uint8Array(0), /readImage/));

  test('a format that may ask for other files', async () => {
    await refused(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), /svg/);
  });

  test('more pixels than are allowed', () =>
    refused(new Uint8Array(readFileSync(join(folder, 'same-3.png'))), /exceeds pixel limit/, { pixelLimit: 44 }));
});

describe('what cannot be written leaves nothing', () => {
  test.each([
    ['an ending that is no format', 'image.xyz', pattern(2, 2)],
    ['alpha in a JPEG', 'alpha.jpg', pattern(2, 2, 4)],
    ['a folder that is not there', 'nowhere/image.png', pattern(2, 2)],
    ['a picture too wide for the format', 'wide.webp', createImage({ width: 20_000, height: 1 })],
  ])('%s', async (_, name, image) => {
    const before = readdirSync(folder);
    await expect(writeImage(join(folder, name), image)).rejects.toThrow(ImageError);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('without sharp', () => {
  test('everything else works, and reading and writing say what to install', async () => {
    vi.resetModules();
    vi.doMock('sharp', () => {
      throw new Error('not installed');
    });
    try {
      const { compose, createImage: create, readImage: read, resize, writeImage: write } = await import('../src/index.ts');
      expect(compose([resize([3, 2])])({ image: create({ width: 6, height: 4 }) }).image.width).toBe(3);
      const before = readdirSync(folder);
      const refusal = { code: 'IMAGE', got: 'none that loads', fix: 'npm install sharp' };
      await expect(read(join(folder, 'same-3.png'))).rejects.toMatchObject(refusal);
      await expect(write(join(folder, 'new.png'), create({ width: 1, height: 1 }))).rejects.toMatchObject(refusal);
      expect(readdirSync(folder)).toEqual(before);
    } finally {
      vi.doUnmock('sharp');
      vi.resetModules();
    }
  });

  test('outside Node.js reading and writing say what there is instead', async () => {
    vi.stubGlobal('process', undefined);
    // The file system is looked for before anything is waited for.
    const attempts = [readImage('x.png'), writeImage('x.png', createImage({ width: 1, height: 1 }))].map((each) =>
      each.catch((error: unknown) => error),
    );
    vi.unstubAllGlobals();
    for (const error of await Promise.all(attempts))
      expect(error).toMatchObject({
        code: 'IMAGE',
        expected: expect.stringContaining('Node.js') as string,
        fix: expect.stringContaining('createImage') as string,
      });
  });

  test('neither it nor Node.js is imported before a file is read or written', () => {
    const source = new URL('../src/', import.meta.url);
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const atImport = files.flatMap((file) => [...readFileSync(new URL(file, source), 'utf8').matchAll(/^import (?!type ).*? from '([^']+)'/gms)]);
    const outside = new Set(atImport.map(([, target = '']) => target).filter((target) => !target.startsWith('.')));
    expect([...outside].toSorted()).toEqual(['@gradus/backend', '@gradus/tensor']);
  });
});
