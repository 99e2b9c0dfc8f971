/** Loads sharp (https://sharp.pixelplumbing.com), which decodes and encodes here and does nothing else. It is an optional peer dependency. */

import type Sharp from 'sharp';
import { ImageError } from '../errors.ts';

/** A variable, so that bundlers leave the import alone: sharp is a native library, and may not be there. */
const SHARP: string = 'sharp';

/** The constructor of sharp. @throws ImageError when it is not installed or does not run here */
export async function loadSharp(op: string): Promise<typeof Sharp> {
  try {
    return ((await import(/* webpackIgnore: true */ /* @vite-ignore */ SHARP)) as { readonly default: typeof Sharp }).default;
  } catch (cause) {
    throw new ImageError(
      { op, expected: 'the package sharp, which decodes and encodes files', got: 'none that loads', fix: 'npm install sharp' },
      { cause },
    );
  }
}

/** What a thrown value says, in one line. */
export function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).trim().split('\n', 1)[0] ?? '';
}
