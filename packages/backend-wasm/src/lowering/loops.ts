/**
 * Loops: an index space as few loops as its strides allow.
 *
 * Axes of size 1 go; axes are ordered by how far apart the elements of the leading operand lie; neighbours that every operand
 * walks as one become one loop. So code is made for what a kernel does in memory, not for how its shapes are written.
 */

/** One axis of an index space, with the stride of each operand along it, in bytes. */
export interface Axis {
  readonly size: number;
  readonly strides: readonly number[];
  /** Its number, where expressions ask for its coordinate: such an axis stays a loop of its own. Null otherwise. */
  readonly name: number | null;
}

/** Several axes walked as one. */
export type Loop = Axis;

/** Farthest apart first, by the first operand of `leading` that tells two axes apart. */
function byDistance(leading: readonly number[]): (a: Axis, b: Axis) => number {
  return (a, b) => {
    for (const operand of leading) {
      const difference = Math.abs(b.strides[operand] ?? 0) - Math.abs(a.strides[operand] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

function joins(outer: Axis, inner: Axis): boolean {
  return outer.name === null && inner.name === null && outer.strides.every((stride, k) => stride === (inner.strides[k] ?? 0) * inner.size);
}

/** The loops for some axes, outermost first. `leading` are the operands whose order in memory counts, most important first. */
export function loopsOf(axes: readonly Axis[], leading: readonly number[]): Loop[] {
  const loops: Loop[] = [];
  const kept = axes.filter((axis) => axis.size !== 1 || axis.name !== null);
  for (const axis of kept.toSorted(byDistance(leading))) {
    const last = loops.at(-1);
    if (last !== undefined && joins(last, axis)) loops[loops.length - 1] = { ...axis, size: axis.size * last.size };
    else loops.push(axis);
  }
  return loops;
}

/** Elements of an index space. */
export function pointsOf(loops: readonly Loop[]): number {
  return loops.reduce((product, loop) => product * loop.size, 1);
}
