/** Gzip, by the platform's own `DecompressionStream`: no dependency, in Node.js and browsers alike. */

import { DataFormatError } from '../errors.ts';

/** The largest file that is inflated, in bytes: a small file can ask for any amount of memory. MNIST's largest has 47 million. */
const MAX_INFLATED_BYTES = 2 ** 31;

/** Do these bytes begin as a gzip file does (RFC 1952, section 2.3.1)? No IDX file begins so. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** What a gzip file holds. @throws DataFormatError for one that is damaged, cut off, or holds more than `limit` bytes */
export async function gunzip(bytes: Uint8Array, limit = MAX_INFLATED_BYTES): Promise<Uint8Array> {
  // A copy for shared memory, which a Blob refuses.
  const stream = new Blob([
    bytes.buffer instanceof ArrayBuffer ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes.slice(),
  ]).stream();
  const reader = stream.pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw damaged(cause);
    });
    if (done) return join(chunks, length);
    const chunk = value as Uint8Array;
    length += chunk.length;
    if (length > limit) {
      await reader.cancel();
      throw new DataFormatError({ op: 'readIdx', expected: `a gzip file that holds at most ${limit} bytes`, got: 'more' });
    }
    chunks.push(chunk);
  }
}

function damaged(cause: unknown): DataFormatError {
  const got = cause instanceof Error ? cause.message : String(cause);
  return new DataFormatError({ op: 'readIdx', expected: 'a whole gzip file', got, fix: 'the file is damaged or cut off: get it again.' }, { cause });
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
