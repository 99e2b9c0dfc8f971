/** Builds IDX files for tests. */

/** A file with this element type, these sizes and these bytes of elements, right or wrong. */
export function idxFile(code: number, shape: readonly number[], elements: Uint8Array | readonly number[]): Uint8Array {
  const start = 4 + 4 * shape.length;
  const file = new Uint8Array(start + elements.length);
  const view = new DataView(file.buffer);
  file.set([0, 0, code, shape.length]);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  file.set(elements, start);
  return file;
}

/** `count` images of `height` × `width`: pixel p of image i is (10 · i + p) mod 256. */
export function imageFile(count: number, height: number, width: number): Uint8Array {
  const size = height * width;
  return idxFile(
    0x08,
    [count, height, width],
    Array.from({ length: count * size }, (_, at) => (10 * Math.floor(at / size) + (at % size)) % 256),
  );
}

/** `count` labels: label i is i mod 10. */
export function labelFile(count: number): Uint8Array {
  return idxFile(
    0x08,
    [count],
    Array.from({ length: count }, (_, i) => i % 10),
  );
}
