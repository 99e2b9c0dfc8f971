/** Builds safetensors files for tests byte by byte, right ones and wrong ones. */

/** A file with this header text, exactly as given, and this data. */
export function buildFile(header: string | Uint8Array, data: Uint8Array | readonly number[] = [], length?: number): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  file.set(text, 8);
  file.set(data, 8 + text.length);
  return file;
}

/** A header entry as JSON. */
export function entry(dtype: string, shape: readonly number[], offsets: readonly number[]): string {
  return JSON.stringify({ dtype, shape, data_offsets: offsets });
}
