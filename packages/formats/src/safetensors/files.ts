/**
 * Safetensors on disk, in Node.js. The file system is found when a function is called and not imported, so that the package loads in browsers,
 * and bundles for them hold nothing of it.
 */

import type * as FileSystem from 'node:fs/promises';
import { UnsupportedError } from '@gradus/backend';
import type { Tensor } from '@gradus/tensor';
import { decodeSafetensors } from './decode.ts';
import type { DecodeOptions, SafetensorsFile } from './decode.ts';
import { encodeSafetensors } from './encode.ts';

/** One read call takes at most this many bytes: systems refuse more than 2^31. */
const READ_BYTES = 2 ** 30;

/**
 * Reads a safetensors file.
 * @throws FormatError, DTypeError as {@link decodeSafetensors}; the system's error, with its `code`, for a file that cannot be read;
 * UnsupportedError outside Node.js
 */
export async function loadSafetensors(path: string | URL, options: DecodeOptions = {}): Promise<SafetensorsFile> {
  return decodeSafetensors(await readBytes(path), options);
}

/** The whole file. `readFile` would stop at 2 GiB. */
async function readBytes(path: string | URL): Promise<Uint8Array> {
  const { open } = fileSystem('loadSafetensors');
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, READ_BYTES));
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/**
 * Writes a safetensors file, and says how many bytes it has. Its folder must exist.
 *
 * The file is written under another name beside `path` and renamed when it is complete on disk: whatever happens, `path` is the old file or the
 * new one, never a part of one.
 * @param metadata free text by key, default none
 * @throws ArgumentError, TensorDisposedError as {@link encodeSafetensors}; the system's error, with its `code`, for a file that cannot be written;
 * UnsupportedError outside Node.js
 */
export async function saveSafetensors(
  path: string | URL,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<number> {
  const bytes = await encodeSafetensors(tensors, metadata);
  const { open, rename, rm, pathOf } = fileSystem('saveSafetensors');
  const target = pathOf(path);
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return bytes.length;
}

/** Node.js's file system, and the path of a file URL. @throws UnsupportedError where there is no Node.js */
function fileSystem(op: string): typeof FileSystem & { readonly pathOf: (path: string | URL) => string } {
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  if (process?.getBuiltinModule === undefined)
    throw new UnsupportedError({
      op,
      expected: 'Node.js 20.19 or newer, which has files',
      got: 'something else',
      fix: 'use encodeSafetensors and decodeSafetensors, which work on bytes.',
    });
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  return { ...process.getBuiltinModule('node:fs/promises'), pathOf: (path) => (typeof path === 'string' ? path : fileURLToPath(path)) };
}
