/**
 * Windows of a pooling as WGSL: which cells a window has, and which windows a cell is in.
 *
 * Words used here:
 * - **plane**: the spatial axes of one channel of one image; x has a plane of *cells*, y one of *windows*.
 * - **place**: where a cell or a window is in its plane, row-major.
 *
 * A window's size, stride, dilation and padding are part of the code; the sizes of planes are words of the frame.
 */

import type { Window } from '@gradus/backend';
import { sizeOf } from '../kernels/space.ts';
import type { Frame } from '../program/frame.ts';

/** One spatial axis of a window. */
interface Along {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: number;
}

function alongEach({ size, stride, dilation, padding }: Window): readonly Along[] {
  return size.map((cells, axis) => ({
    size: cells,
    stride: stride[axis] ?? 1,
    dilation: dilation[axis] ?? 1,
    padding: padding[axis] ?? 0,
  }));
}

function plus(text: string, constant: number): string {
  return constant === 0 ? text : constant < 0 ? `${text} - ${-constant}` : `${text} + ${constant}`;
}

function times(text: string, constant: number): string {
  return constant === 1 ? text : `${text} * ${constant}`;
}

/** Texts about the windows of one program; coordinates of its points are `x0` (image), `x1` (channel), `x2` and following. */
export class Geometry {
  /** Spatial axes. */
  readonly rank: number;
  readonly #axes: readonly Along[];
  readonly #frame: Frame;

  constructor(window: Window, frame: Frame) {
    this.#axes = alongEach(window);
    this.rank = this.#axes.length;
    this.#frame = frame;
  }

  /** How many planes come before that of the point. */
  get plane(): string {
    return `(x0 * ${this.#frame.dim(1)} + x1)`;
  }

  /** The size of x along a spatial axis. */
  #cells(axis: number): string {
    return this.#frame.dim(2 + axis);
  }

  /** The size of y along a spatial axis. */
  #windows(axis: number): string {
    return this.#frame.dim(2 + this.rank + axis);
  }

  /** Cells of a plane of x. */
  get planeCells(): string {
    return this.#frame.word((dims) => sizeOf(dims, 2, 1 + this.rank));
  }

  /** Windows of a plane of y. */
  get planeWindows(): string {
    return this.#frame.word((dims) => sizeOf(dims, 2 + this.rank, 1 + 2 * this.rank));
  }

  /** The place of the cell that the point is, in a backward pass. */
  get ownPlace(): string {
    return this.#axes.reduce((place, _, axis) => (axis === 0 ? 'x2' : `(${place}) * ${this.#cells(axis)} + x${2 + axis}`), '');
  }

  /** Where tap 0 of window `name(axis)` is along an axis: outside where it lies in the padding. */
  firstCell(axis: number, name: string): string {
    const { stride, padding } = this.#axes[axis] ?? { stride: 1, padding: 0 };
    return plus(times(name, stride), -padding);
  }

  /**
   * A loop over the cells of a window, in row-major order; those outside of x are left out. `first(axis)` names where tap 0 is along an axis.
   * `visit` gets the text of a cell's place; `around` stands around the cells of one row along the last axis.
   */
  eachCell(first: (axis: number) => string, visit: (place: string) => string, around: (row: string) => string = (row) => row): string {
    const nest = (axis: number, place: string): string => {
      const along = this.#axes[axis];
      if (along === undefined) return visit(place);
      const cells = this.#cells(axis);
      const here = axis === 0 ? 'c0' : `p${axis}`;
      const loop = `for (var t${axis} = 0; t${axis} < ${along.size}; t${axis}++) {
let c${axis} = ${first(axis)} + ${times(`t${axis}`, along.dilation)};
if (u32(c${axis}) >= u32(${cells})) { continue; }
${axis === 0 ? '' : `let p${axis} = ${place} * ${cells} + c${axis};`}
${nest(axis + 1, here)}
}`;
      return axis === this.rank - 1 ? around(loop) : loop;
    };
    return nest(0, '');
  }

  /**
   * A loop over the windows that the point is a cell of, in row-major order; `visit` gets the text of a window's place, and names its coordinates
   * `w0` and following.
   */
  eachWindow(visit: (place: string) => string): string {
    const nest = (axis: number, place: string): string => {
      const along = this.#axes[axis];
      if (along === undefined) return visit(place);
      const { size, stride, dilation, padding } = along;
      const reach = (size - 1) * dilation;
      const here = axis === 0 ? 'w0' : `q${axis}`;
      // Tap t of window w is cell w · stride - padding + t · dilation.
      return `let a${axis} = ${plus(`x${2 + axis}`, padding)};
let l${axis} = min(a${axis} / ${stride}, ${this.#windows(axis)} - 1);
for (var w${axis} = max(0, ${plus(`a${axis}`, stride - 1 - reach)}) / ${stride}; w${axis} <= l${axis}; w${axis}++) {
${dilation === 1 ? '' : `if ((a${axis} - ${times(`w${axis}`, stride)}) % ${dilation} != 0) { continue; }`}
${axis === 0 ? '' : `let q${axis} = ${place} * ${this.#windows(axis)} + w${axis};`}
${nest(axis + 1, here)}
}`;
    };
    return nest(0, '');
  }

  /** How many cells of window `name(axis)` are inside of x, as an int32. */
  cellsInside(name: (axis: number) => string): string {
    const counts = this.#axes.map(({ size, dilation }, axis) => {
      const first = this.firstCell(axis, name(axis));
      // Taps from the first at or after cell 0, to the last before the end.
      const below = (limit: string): string => `clamp((${limit}${dilation === 1 ? '' : ` + ${dilation - 1}`}) / ${dilation}, 0, ${size})`;
      return `(${below(`${this.#cells(axis)} - (${first})`)} - ${below(`-(${first})`)})`;
    });
    return counts.join(' * ');
  }
}
