/**
 * How a case's operands lie in their blocks: a name, and from it the layout, offset and strides for given sizes.
 *
 * Every operand has guard elements behind it, and all but the contiguous ones before it too; between the elements of a sliced one lie others.
 */

import { DTYPES } from '@gradus/backend';
import type { Capabilities, DType, Layout } from '@gradus/backend';

/** Names of the ways in which operands lie. */
export type LayoutName =
  'contiguous' | 'offset' | 'transposed' | 'sliced' | 'reversed' | 'permuted' | 'broadcast' | 'broadcast first' | 'broadcast last' | 'repeated';

/** A layout by name, or dense over some axes in the given order of memory, with stride 0 along the others. */
export type LayoutChoice = LayoutName | { readonly axes: readonly number[] };

/** Layouts in which distinct points have distinct elements: those that can be written. */
export const WRITABLE: readonly LayoutName[] = ['contiguous', 'offset', 'transposed', 'sliced', 'reversed', 'permuted'];
/** Layouts that can only be read. */
export const READABLE: readonly LayoutName[] = ['broadcast', 'broadcast first', 'broadcast last', 'repeated'];

/** Where an operand's elements are. */
export interface Placement {
  readonly layout: Layout;
  readonly offset: number;
  readonly strides: readonly number[];
  /** Elements of its block. */
  readonly elements: number;
}

/** Elements around an operand that must stay as they are: an odd number, so that packed dtypes start within a word. */
const GUARD = 5;

/** Offsets of operands of this dtype must be multiples of this many elements. */
export function alignmentOf(dtype: DType, capabilities: Pick<Capabilities, 'bindingAlignment'>): number {
  return Math.max(1, Math.ceil(capabilities.bindingAlignment / DTYPES[dtype].bytes));
}

/** Row-major strides. */
function denseStrides(sizes: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const size of sizes.toReversed()) {
    strides.unshift(stride);
    stride *= size;
  }
  return strides;
}

function broadcastStrides(sizes: readonly number[], flags: readonly boolean[]): number[] {
  const dense = denseStrides(sizes.map((size, axis) => (flags[axis] === true ? 1 : size)));
  return dense.map((stride, axis) => (flags[axis] === true ? 0 : stride));
}

/** Step between elements of a sliced operand, by axis from the last one; 1 along all others, so that twelve axes do not take a gigabyte. */
const STEPS = [2, 1, 3] as const;

function stridesOverAxes(axes: readonly number[], sizes: readonly number[]): { layout: Layout; strides: readonly number[] } {
  const dense = denseStrides(axes.map((axis) => sizes[axis] ?? 1));
  const strides = sizes.map((_, axis) => dense[axes.indexOf(axis)] ?? 0);
  const ascending = axes.every((axis, i) => i === 0 || (axes[i - 1] ?? 0) < axis);
  return { layout: ascending ? { broadcast: sizes.map((_, axis) => !axes.includes(axis)) } : 'strided', strides };
}

function stridesOf(name: LayoutChoice, sizes: readonly number[]): { layout: Layout; strides: readonly number[] } {
  if (typeof name === 'object') return stridesOverAxes(name.axes, sizes);
  const rank = sizes.length;
  const dense = denseStrides(sizes);
  const marked = (mark: (axis: number) => boolean): { layout: Layout; strides: readonly number[] } => {
    const broadcast = sizes.map((_, axis) => mark(axis));
    return { layout: { broadcast }, strides: broadcastStrides(sizes, broadcast) };
  };
  switch (name) {
    case 'contiguous':
    case 'offset':
      return { layout: 'contiguous', strides: dense };
    case 'transposed':
      return { layout: 'strided', strides: denseStrides(sizes.toReversed()).toReversed() };
    case 'sliced': {
      const step = (axis: number): number => STEPS[rank - 1 - axis] ?? 1;
      const parent = denseStrides(sizes.map((size, axis) => size * step(axis) + Number(rank - axis <= STEPS.length)));
      return { layout: 'strided', strides: parent.map((stride, axis) => stride * step(axis)) };
    }
    case 'reversed':
      return { layout: 'strided', strides: dense.map((stride) => -stride) };
    case 'permuted': {
      // The first axis moves to the end and runs backwards.
      const [first = 1, ...rest] = sizes;
      const [last = 1, ...others] = denseStrides([...rest, first]).toReversed();
      return { layout: 'strided', strides: rank === 0 ? [] : [-last, ...others.toReversed()] };
    }
    case 'broadcast':
      return marked(() => true);
    case 'broadcast first':
      return marked((axis) => axis === 0);
    case 'broadcast last':
      return marked((axis) => axis === rank - 1);
    case 'repeated':
      return {
        layout: 'strided',
        strides: broadcastStrides(
          sizes,
          sizes.map((_, axis) => axis % 2 === 1 || rank === 1),
        ),
      };
    default:
      return name satisfies never;
  }
}

/** Places an operand that ranges over `sizes`. */
export function place(name: LayoutChoice, sizes: readonly number[], align: number): Placement {
  const { layout, strides } = stridesOf(name, sizes);
  let low = 0;
  let high = 0;
  sizes.forEach((size, axis) => {
    const reach = Math.max(0, size - 1) * (strides[axis] ?? 0);
    if (reach < 0) low += reach;
    else high += reach;
  });
  const offset = name === 'contiguous' ? 0 : Math.ceil((GUARD - low) / align) * align;
  return { layout, offset, strides, elements: offset + high + 1 + GUARD };
}

/** Places an indexed operand of `length` elements. */
export function placeIndexed(length: number, align: number): Placement {
  const offset = Math.ceil(GUARD / align) * align;
  return { layout: 'indexed', offset, strides: [length], elements: offset + length + GUARD };
}

/** How a layout is written in a message. */
export function layoutText(layout: Layout): string {
  return typeof layout === 'string'
    ? layout
    : `broadcast(${layout.broadcast
        .map((flag, axis) => (flag ? axis : ''))
        .filter(String)
        .join()})`;
}
