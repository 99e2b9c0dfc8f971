/** Tables of element offsets: how matrices and windows lie in memory. */

/** All sums of one entry from each list, the last list varying fastest: the offsets of a grid, given those along each axis. */
export function sums(lists: readonly (readonly number[])[]): Int32Array {
  let table = new Int32Array(1);
  for (const list of lists) {
    const next = new Int32Array(table.length * list.length);
    let at = 0;
    for (const base of table) for (const offset of list) next[at++] = base + offset;
    table = next;
  }
  return table;
}

/** `count` offsets, `step` apart, from `first` on. */
export function steps(count: number, step: number, first = 0): number[] {
  return Array.from({ length: count }, (_, i) => first + i * step);
}

/** The offsets of a row-major grid with the given strides. */
export function grid(sizes: readonly number[], strides: readonly number[]): Int32Array {
  return sums(sizes.map((size, axis) => steps(size, strides[axis] ?? 0)));
}

/** The strides of a dense row-major array. */
export function denseStrides(sizes: readonly number[]): number[] {
  const strides = sizes.map(() => 1);
  for (let axis = sizes.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * (sizes[axis + 1] ?? 1);
  return strides;
}

/** The number of points of a grid. */
export function gridSize(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}
