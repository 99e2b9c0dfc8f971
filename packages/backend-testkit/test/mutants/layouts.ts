/** Mutants of layouts: offsets and strides that are ignored, exchanged or misread, for each kind of required kernel; and wrong axes. */

import { axesOf, bytesPerElement, operandPositions } from '@gradus/backend';
import type { Kernel, Layout, Operand } from '@gradus/backend';
import { redimensioning, rewriting } from './mutant.ts';
import type { Mutant } from './mutant.ts';

type Kind = 'map' | 'reduce' | 'scatter';
const KINDS: readonly Kind[] = ['map', 'reduce', 'scatter'];

const CHECKS: { readonly [K in Kind]: readonly string[] } = {
  map: [
    'map / layout / offset / int32',
    'map / layout / sliced / int32',
    'map / layout / reversed / int32',
    'map / layout / transposed / int32',
    'map / layout / permuted / int32',
    'map / layout / repeated / int32',
    'map / layout / broadcast',
  ],
  reduce: ['reduce / layout'],
  scatter: ['scatter / set / int32', 'scatter / add / float32', 'scatter / expressions'],
};

/** One operand's part of dims, to be changed in place. */
interface Part {
  readonly operand: Operand;
  readonly dims: Int32Array;
  /** Index of the offset; the strides follow. */
  readonly at: number;
  readonly axes: number;
}

function strides({ dims, at, axes }: Part): Int32Array {
  return dims.subarray(at + 1, at + 1 + axes);
}

/** A backend that misreads the operands of one kind of kernel for which `applies`. */
function misreading(kind: Kind, what: string, applies: (operand: Operand) => boolean, change: (part: Part) => void): Mutant {
  return redimensioning(`${kind} ${what}`, CHECKS[kind], (kernel, dims) => {
    if (kernel.kind !== kind) return;
    const positions = operandPositions(kernel);
    kernel.operands.forEach((operand, i) => {
      if (applies(operand)) change({ operand, dims, at: positions[i] ?? 0, axes: operand.layout === 'indexed' ? 0 : axesOf(kernel, operand.space) });
    });
  });
}

const read = (operand: Operand): boolean => operand.access === 'read';
const written = (operand: Operand): boolean => operand.access !== 'read';
const indexed = (operand: Operand): boolean => operand.layout === 'indexed';
const strided = (operand: Operand): boolean => operand.layout === 'strided';

function clearOffset({ dims, at }: Part): void {
  dims[at] = 0;
}

function byteOffset({ dims, at, operand }: Part): void {
  dims[at] = (dims[at] ?? 0) * bytesPerElement(operand.dtype);
}

function reverseAxes(part: Part): void {
  const own = strides(part);
  own.set(own.toReversed());
}

/** Row-major strides, whatever they were. */
function makeDense(part: Part): void {
  const own = strides(part);
  const sizes = part.dims.subarray(0, part.axes);
  let dense = 1;
  for (let axis = part.axes - 1; axis >= 0; axis--) {
    own[axis] = dense;
    dense *= sizes[axis] ?? 1;
  }
}

function operandMutants(kind: Kind): Mutant[] {
  const common = [
    misreading(kind, 'ignores the offsets of what it reads', (o) => read(o) && !indexed(o), clearOffset),
    misreading(kind, 'takes offsets for bytes', read, byteOffset),
    misreading(kind, 'ignores strides', (o) => read(o) && strided(o), makeDense),
    misreading(kind, 'reverses the axes', (o) => read(o) && strided(o), reverseAxes),
    misreading(
      kind,
      'makes negative strides positive',
      (o) => read(o) && strided(o),
      (part) => strides(part).forEach((stride, axis, own) => (own[axis] = Math.abs(stride))),
    ),
    misreading(
      kind,
      'uses the last stride for all axes',
      (o) => read(o) && strided(o),
      (part) => strides(part).fill(strides(part).at(-1) ?? 1),
    ),
    misreading(
      kind,
      'takes the last axis for dense',
      (o) => read(o) && strided(o),
      (part) => strides(part).fill(1, -1),
    ),
  ];
  if (kind === 'scatter')
    return [
      ...common,
      misreading(kind, "ignores the target's offset", written, clearOffset),
      misreading(kind, "takes the target's offset for bytes", written, byteOffset),
    ];
  return [
    ...common,
    misreading(kind, 'ignores the offset of what it writes', written, clearOffset),
    misreading(kind, 'ignores strides of what it writes', (o) => written(o) && strided(o), makeDense),
    misreading(kind, 'reverses the axes of what it writes', (o) => written(o) && strided(o), reverseAxes),
    misreading(
      kind,
      'makes negative strides positive where it writes',
      (o) => written(o) && strided(o),
      (part) => strides(part).forEach((stride, axis, own) => (own[axis] = Math.abs(stride))),
    ),
  ];
}

/** A backend that is told another layout. */
function relaid(name: string, change: (layout: Layout) => Layout): Mutant {
  return rewriting(name, ['map / layout / broadcast', 'reduce / layout / broadcast'], (kernel: Kernel) => {
    const operands = kernel.operands.map((operand) => ({ ...operand, layout: change(operand.layout) }));
    return operands.every((operand, i) => operand.layout === kernel.operands[i]?.layout) ? kernel : { ...kernel, operands };
  });
}

function broadcastMutants(): Mutant[] {
  return [
    relaid('broadcast axes are dense', (layout) => (typeof layout === 'object' && layout.broadcast.includes(true) ? 'contiguous' : layout)),
    relaid('broadcast flags are reversed', (layout) =>
      typeof layout === 'object' && layout.broadcast.length > 1 ? { broadcast: layout.broadcast.toReversed() } : layout,
    ),
    relaid('broadcast flags are inverted', (layout) =>
      typeof layout === 'object' && layout.broadcast.length > 0 ? { broadcast: layout.broadcast.map((flag) => !flag) } : layout,
    ),
    relaid('every broadcast is of one element', (layout) =>
      typeof layout === 'object' && layout.broadcast.includes(false) ? { broadcast: layout.broadcast.map(() => true) } : layout,
    ),
  ];
}

/** Sizes read wrongly. */
function sizeMutants(): Mutant[] {
  const swap = (dims: Int32Array, a: number, b: number): void => {
    [dims[a], dims[b]] = [dims[b] ?? 0, dims[a] ?? 0];
  };
  return [
    redimensioning('map exchanges its last two sizes', CHECKS.map, (kernel, dims) => {
      if (kernel.kind === 'map' && kernel.rank > 1) swap(dims, kernel.rank - 2, kernel.rank - 1);
    }),
    redimensioning('map visits one axis fewer from rank 8', ['map / many axes'], (kernel, dims) => {
      if (kernel.kind === 'map' && kernel.rank >= 8) dims[7] = Math.min(1, dims[7] ?? 1);
    }),
    redimensioning('map visits one axis fewer from rank 11', ['map / many axes'], (kernel, dims) => {
      if (kernel.kind === 'map' && kernel.rank >= 11) dims[10] = Math.min(1, dims[10] ?? 1);
    }),
    redimensioning('reduce visits one axis fewer from rank 11', ['reduce / many axes'], (kernel, dims) => {
      if (kernel.kind === 'reduce' && kernel.rank >= 11) dims[10] = Math.min(1, dims[10] ?? 1);
    }),
    redimensioning('scatter visits one axis fewer from rank 11', ['scatter / expressions'], (kernel, dims) => {
      if (kernel.kind === 'scatter' && kernel.rank >= 11) dims[11] = Math.min(1, dims[11] ?? 1);
    }),
    redimensioning('empty index spaces have one point', ['map / layout / contiguous / int32'], (kernel, dims) => {
      if (kernel.kind === 'map') for (let axis = 0; axis < kernel.rank; axis++) dims[axis] = Math.max(1, dims[axis] ?? 1);
    }),
    redimensioning('empty folds fold one value', ['reduce / sum / int32', 'reduce / max / float32'], (kernel, dims) => {
      if (kernel.kind === 'reduce')
        for (let axis = kernel.rank - kernel.folded; axis < kernel.rank; axis++) dims[axis] = Math.max(1, dims[axis] ?? 1);
    }),
  ];
}

export function layoutMutants(): Mutant[] {
  return [...KINDS.flatMap(operandMutants), ...broadcastMutants(), ...sizeMutants()];
}
