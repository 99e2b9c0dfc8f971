/**
 * Adaptive pooling: as many windows as the result has places, that cover x evenly.
 *
 * Along an axis of n cells and o places, window i is `[floor(i·n/o), ceil((i+1)·n/o))`, as in PyTorch. Where o divides n these are the
 * windows of a plain pool, else windows overlap and differ in size; then axes are pooled one after the other, by gathering.
 */

import { ShapeError } from '../errors.ts';
import { showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, floorDiv, less, minimum, mul, sub, where } from './arithmetic.ts';
import { argmax } from './arg-reduce.ts';
import { requireFloat, requireOptions } from './arguments.ts';
import { detach, toDType } from './convert.ts';
import { sum } from './expand.ts';
import { indexSelect, takeAlongAxis } from './indexing.ts';
import { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d } from './pooling.ts';
import { ramp } from './positions.ts';
import { inWideFloat, mean } from './reduce.ts';
import { reshape } from './reshape.ts';
import { perAxis } from './windows.ts';
import type { PerAxis } from './windows.ts';

/** Options of adaptive pools. */
export interface AdaptivePoolOptions {
  /** Places of the result along each spatial axis; one number stands for all. */
  readonly size: PerAxis;
}

/** Windows over one axis, as columns `[places, 1]` of int32, and the cells that the largest has. */
interface Windows {
  readonly starts: Tensor;
  readonly lengths: Tensor;
  readonly most: number;
}

function windowsOf(x: Tensor, cells: number, places: number): Windows {
  const place = reshape(ramp(0, 1, places, 'int32', nodeOf(x, 'adaptivePool').runtime), [places, 1]);
  const starts = floorDiv(mul(place, cells), places);
  // ceil(a / b) of whole numbers is floor((a + b - 1) / b), here with a = (i + 1)·n.
  const ends = floorDiv(add(mul(place, cells), cells + places - 1), places);
  let most = 0;
  for (let i = 0; i < places; i++) most = Math.max(most, Math.ceil(((i + 1) * cells) / places) - Math.floor((i * cells) / places));
  return { starts, lengths: sub(ends, starts), most };
}

/** How the windows of one axis are pooled: x with `places` along `axis`. */
type Uneven = (x: Tensor, axis: number, places: number) => Tensor;

/** Cells 0, 1, … of a window. */
const cellsOf = (x: Tensor, { most }: Windows): Tensor => ramp(0, 1, most, 'int32', nodeOf(x, 'adaptivePool').runtime);

/** x with its windows in place of `axis`: two axes, `[places, most]`. Shorter windows repeat their last cell. */
function gathered(x: Tensor, axis: number, windows: Windows): Tensor {
  const { starts, lengths } = windows;
  return indexSelect(x, add(starts, minimum(cellsOf(x, windows), sub(lengths, 1))), { axis });
}

/** A table over windows, lined up with `axis` of a tensor of `rank` (and the axis after it, where the table has two). */
function alongAxis(table: Tensor, axis: number, rank: number): Tensor {
  const { dims } = nodeOf(table, 'adaptivePool').shape;
  return reshape(table, [...dims, ...Array.from({ length: rank - axis - dims.length }, () => 1)]);
}

const averages: Uneven = (x, axis, places) => {
  const { dtype, shape } = nodeOf(x, 'adaptivePool');
  const windows = windowsOf(x, shape.dims[axis] ?? 1, places);
  const inside = alongAxis(less(cellsOf(x, windows), windows.lengths), axis, shape.rank + 1);
  const total = sum(where(inside, gathered(x, axis, windows), 0), { axis: axis + 1 });
  return div(total, toDType(alongAxis(reshape(windows.lengths, [places]), axis, shape.rank), dtype));
};

/** The first largest element of each window. */
const maxima: Uneven = (x, axis, places) => {
  const { shape } = nodeOf(x, 'adaptivePool');
  const windows = windowsOf(x, shape.dims[axis] ?? 1, places);
  const cells = argmax(gathered(detach(x), axis, windows), { axis: axis + 1 });
  return takeAlongAxis(x, add(cells, alongAxis(reshape(windows.starts, [places]), axis, shape.rank)), { axis });
};

/** One of the two kinds: a plain pool of each rank, and how to pool one axis in uneven windows. */
interface Kind {
  readonly plain: readonly ((x: Tensor, options: { readonly size: PerAxis }) => Tensor)[];
  readonly uneven: Uneven;
}

const AVERAGE: Kind = { plain: [avgPool1d, avgPool2d, avgPool3d], uneven: averages };
const MAXIMUM: Kind = { plain: [maxPool1d, maxPool2d, maxPool3d], uneven: maxima };

/** Checked sizes of the result. @throws ShapeError, DTypeError, ArgumentError */
function sizesOf(op: string, rank: number, x: Tensor, options: AdaptivePoolOptions): readonly number[] {
  const { dtype, shape } = nodeOf(x, op);
  requireOptions(op, options, '{ size: 1 }');
  requireFloat(op, dtype);
  if (shape.rank !== rank + 2)
    throw new ShapeError({ op, expected: `x of rank ${rank + 2} [N, C, …]`, got: showDims(shape.dims), fix: 'unsqueeze a single image at axis 0.' });
  if (shape.dims.slice(2).includes(0)) throw new ShapeError({ op, expected: 'at least one cell along each spatial axis', got: showDims(shape.dims) });
  return perAxis(op, 'size', options.size, rank, 1);
}

function adaptivePool(kind: Kind, x: Tensor, size: readonly number[]): Tensor {
  const cells = nodeOf(x, 'adaptivePool').shape.dims.slice(2);
  const plain = kind.plain[size.length - 1];
  if (plain !== undefined && size.every((places, i) => (cells[i] ?? 0) % places === 0))
    return plain(x, { size: size.map((places, i) => (cells[i] ?? 0) / places) });
  // The last axis first, so that of equal maxima the first one in row-major order is taken.
  return size.reduceRight((y, places, i) => (places === cells[i] ? y : kind.uneven(y, 2 + i, places)), x);
}

function adaptiveAvgPool(op: string, rank: number, x: Tensor, options: AdaptivePoolOptions): Tensor {
  const size = sizesOf(op, rank, x, options);
  // One place: an ordinary mean, which fuses with what is around it.
  if (size.every((places) => places === 1)) return mean(x, { axis: size.map((_, i) => 2 + i), keepDims: true });
  return inWideFloat(op, x, (wide) => adaptivePool(AVERAGE, wide, size));
}

function adaptiveMaxPool(op: string, rank: number, x: Tensor, options: AdaptivePoolOptions): Tensor {
  const size = sizesOf(op, rank, x, options);
  return compose(() => adaptivePool(MAXIMUM, x, size));
}

/** Means of x `[N, C, L]` in evenly spread windows: `[N, C, size]`; size 1 is global pooling. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveAvgPool1d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool1d', 1, x, options);
}

/** Means of x `[N, C, H, W]` in evenly spread windows: `[N, C, ...size]`; size 1 is global pooling. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveAvgPool2d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool2d', 2, x, options);
}

/** Means of x `[N, C, D, H, W]` in evenly spread windows: `[N, C, ...size]`; size 1 is global pooling. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveAvgPool3d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool3d', 3, x, options);
}

/** Largest values of x `[N, C, L]` in evenly spread windows: `[N, C, size]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveMaxPool1d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool1d', 1, x, options);
}

/** Largest values of x `[N, C, H, W]` in evenly spread windows: `[N, C, ...size]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveMaxPool2d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool2d', 2, x, options);
}

/** Largest values of x `[N, C, D, H, W]` in evenly spread windows: `[N, C, ...size]`; the first one takes the gradient. @throws ShapeError, DTypeError, ArgumentError */
export function adaptiveMaxPool3d(x: Tensor, options: AdaptivePoolOptions): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool3d', 3, x, options);
}
