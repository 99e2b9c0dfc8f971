import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { memory, tensor } from '@gradus/tensor';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { buildFile, entry } from '../../test/build-file.ts';
import { FormatError } from '../errors.ts';
import { loadSafetensors, saveSafetensors } from './files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gradus-formats-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('saveSafetensors and loadSafetensors', () => {
  test('what is saved is loaded again', async () => {
    const path = join(folder, 'model.safetensors');
    const bytes = await saveSafetensors(path, { weight: tensor([[1, 2]]) }, { epoch: '3' });
    expect((await readFile(path)).length).toBe(bytes);
    const { tensors, metadata } = await loadSafetensors(path);
    expect(await tensors['weight']?.toArray()).toEqual([[1, 2]]);
    expect(metadata).toEqual({ epoch: '3' });
  });

  test('both take a URL', async () => {
    const url = pathToFileURL(join(folder, 'with space.safetensors'));
    await saveSafetensors(url, { a: tensor([1]) });
    expect(Object.keys((await loadSafetensors(url)).tensors)).toEqual(['a']);
  });

  test('a file is replaced, and nothing else is left in the folder', async () => {
    const path = join(folder, 'model.safetensors');
    await saveSafetensors(path, { a: tensor([1]) });
    await saveSafetensors(path, { a: tensor([2]) });
    expect(await (await loadSafetensors(path)).tensors['a']?.toArray()).toEqual([2]);
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  });

  test('a failure leaves the old file and no other', async () => {
    const path = join(folder, 'model.safetensors');
    await saveSafetensors(path, { a: tensor([1]) });
    const disposed = tensor([1]);
    disposed.dispose();
    await expect(saveSafetensors(path, { a: disposed })).rejects.toThrow('gone');
    // A folder cannot be replaced by a file: the rename fails after everything was written.
    await expect(saveSafetensors(folder, { a: tensor([1]) })).rejects.toThrow(expect.objectContaining({ syscall: 'rename' }));
    expect(await readdir(folder)).toEqual(['model.safetensors']);
    expect(await readdir(join(folder, '..')).then((names) => names.filter((name) => name.startsWith(folder.split('/').at(-1) ?? '')))).toHaveLength(
      1,
    );
  });

  test('a missing file or folder is the system error', async () => {
    await expect(loadSafetensors(join(folder, 'none'))).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }));
    await expect(saveSafetensors(join(folder, 'none', 'x'), { a: tensor([1]) })).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('outside Node.js it says what there is instead', async () => {
    vi.stubGlobal('process', undefined);
    // The file system is looked for before anything is waited for.
    const attempt = loadSafetensors('x').catch((error: unknown) => error);
    vi.unstubAllGlobals();
    expect(await attempt).toMatchObject({ code: 'UNSUPPORTED', op: 'loadSafetensors', fix: expect.stringContaining('decodeSafetensors') as string });
  });

  const one = entry('F32', [1], [0, 4]);
  test.each<[string, Uint8Array]>([
    ['of the wrong length', buildFile(`{"a":${one}}`, new Uint8Array(3))],
    ['with overlapping offsets', buildFile(`{"a":${one},"b":${entry('F32', [1], [2, 6])}}`, new Uint8Array(6))],
    ['with a huge header', buildFile('{}', [], 2 ** 40)],
    ['with duplicate keys', buildFile(`{"a":${one},"a":${one}}`, new Uint8Array(4))],
  ])('a file %s is refused with what to do; nothing is made, written or changed', async (_, bytes) => {
    const path = join(folder, 'bad.safetensors');
    await writeFile(path, bytes);
    const live = memory().liveBytes;
    const error = await loadSafetensors(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FormatError);
    const { code, op, expected, got, fix, message } = error as FormatError;
    expect(code).toBe('FORMAT');
    expect(fix).toMatch(/\w/);
    expect(message).toBe(`[${op}] expected ${expected}, got ${got}. Fix: ${fix}`);
    expect(memory().liveBytes).toBeLessThanOrEqual(live);
    expect(await readdir(folder)).toEqual(['bad.safetensors']);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
  });

  test('a file that is something else is a FormatError', async () => {
    const path = join(folder, 'empty');
    await writeFile(path, '');
    await expect(loadSafetensors(path)).rejects.toThrow(FormatError);
  });
});
