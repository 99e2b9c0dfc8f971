/**
 * `sort` as WGSL: stable sorts of rows.
 *
 * What is sorted are **pairs** of a key (`key.ts`) and the place that it comes from; no two are equal, and equal keys go by their places, so any way of
 * sorting is stable. Elements are moved at the end, by their places, as the bits that they are.
 *
 * A **tile** of pairs is sorted in workgroup memory by a bitonic network (Batcher, Sorting networks and their applications, 1968). Short rows share
 * a tile, each in a *segment* of its own. Longer rows are cut into tiles; sorted *runs* are then merged, two by two, in passes over scratch memory.
 * There every invocation finds, by bisection, what its few outputs are merged from (merge path: Odeh, Green, Mwassi, Shmueli and Birk, Merge path -
 * parallel merging made simple, 2012), so all have the same work, whatever the keys.
 */

import { bytesPerElement, operandPositions } from '@gradus/backend';
import type { DType, SortKernel } from '@gradus/backend';
import { NOTHING, dispatch, operandSources, single } from '../launch/launch.ts';
import type { Dispatch, Planner, Source } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { unpack } from '../wgsl/storage.ts';
import { keyFunction } from './key.ts';

const WORKGROUP = 256;
/** Pairs of a tile: 8 KiB, so that several workgroups fit a processor. */
const TILE = 1024;
/** Outputs that an invocation merges. It divides a tile. */
const EACH = 8;
/** The place and the key of pairs that fill a tile up: no row is so long. */
const NONE = '0xffffffffu';

const rowsOf = (dims: Int32Array): number => dims[0] ?? 0;
const columnsOf = (dims: Int32Array): number => dims[1] ?? 0;
const tilesOf = (dims: Int32Array): number => Math.ceil(columnsOf(dims) / TILE);
const chunksOf = (dims: Int32Array): number => Math.ceil(columnsOf(dims) / EACH);

/** Pairs of a tile that a row has: a power of two. */
function segmentOf(dims: Int32Array): number {
  let segment = 1;
  while (segment < Math.min(TILE, columnsOf(dims))) segment *= 2;
  return segment;
}

/** The dtype that elements are moved as: bits where these have a dtype, else floats, which keep them. */
function movedDType(dtype: DType): DType {
  const bytes = bytesPerElement(dtype);
  return bytes === 4 ? 'uint32' : bytes === 1 ? 'uint8' : dtype;
}

/** The key of `element`, as it was loaded. */
function keyOf(element: string, { descending, operands: [x] }: SortKernel): string {
  const dtype = x?.dtype ?? 'float32';
  const value = bytesPerElement(dtype) === 2 ? element : unpack(element, '0u', dtype);
  // All bits turned over: the order turned around, and NaN first.
  return `${descending ? '~' : ''}order_key(${value})`;
}

/** What is done with the pair that goes to column `c` (an i32) of the row whose first element is `first` (an i32). */
interface Target {
  readonly slots: readonly Slot[];
  readonly sources: readonly Source[];
  /** Statements, for texts of the column, the key and the place, both u32. */
  readonly put: (frame: Frame, column: string, key: string, place: string) => string;
}

const KEYS_AND_PLACES: readonly Slot['dtype'][] = ['uint32', 'uint32'];

/** Slots for pairs in scratch memory. */
function pairs(access: 'read' | 'write'): Slot[] {
  return KEYS_AND_PLACES.map((dtype) => ({ dtype, access }));
}

/** Programs over the kernel's operands, which are slots 0 to 2; where only pairs are written, slot 0 alone. */
class SortText {
  readonly kernel: SortKernel;
  readonly #positions: readonly number[];

  constructor(kernel: SortKernel) {
    this.kernel = kernel;
    this.#positions = operandPositions(kernel);
  }

  /** An element of operand `k`. */
  element(frame: Frame, k: number, column: string): string {
    return `${frame.dim(this.#positions[k] ?? 0)} + first + ${column}`;
  }

  get x(): Slot {
    return { dtype: movedDType(this.kernel.operands[0]?.dtype ?? 'float32'), access: 'read' };
  }

  /** The results, as slots 1 and 2 after x. */
  get results(): Target {
    return {
      slots: [this.x, { ...this.x, access: 'write' }, { dtype: 'int32', access: 'write' }],
      sources: operandSources(3),
      put: (frame, column, _key, place) => `store1(${this.element(frame, 1, column)}, load0(${this.element(frame, 0, `i32(${place})`)}));
store2(${this.element(frame, 2, column)}, i32(${place}));`,
    };
  }

  /** Sorts tiles. */
  tiles(target: Target): Program {
    const frame = new Frame();
    const columns = frame.word(columnsOf);
    const rows = frame.word(rowsOf);
    const segment = frame.word(segmentOf);
    const tiles = frame.word((dims) => Math.max(1, tilesOf(dims)));
    const each = (statements: string): string => `for (var i = lane; i < ${TILE}u; i += ${WORKGROUP}u) {
let row = group / u32(${tiles}) * (${TILE}u / u32(${segment})) + i / u32(${segment});
let column = group % u32(${tiles}) * ${TILE}u + i % u32(${segment});
let first = i32(row * u32(${columns}));
let exists = row < u32(${rows}) && column < u32(${columns});
${statements}
}`;
    const body = `${each(`var key = ${NONE};
if (exists) { let element = load0(${this.element(frame, 0, 'i32(column)')}); key = ${keyOf('element', this.kernel)}; }
tile_keys[i] = key;
tile_places[i] = select(${NONE}, column, exists);`)}
for (var size = 2u; size <= u32(${segment}); size *= 2u) {
for (var stride = size / 2u; stride > 0u; stride /= 2u) {
workgroupBarrier();
for (var p = lane; p < ${TILE / 2}u; p += ${WORKGROUP}u) {
let i = 2u * p - (p & (stride - 1u));
let j = i + stride;
let a = vec2u(tile_keys[i], tile_places[i]);
let b = vec2u(tile_keys[j], tile_places[j]);
// The last network of a segment leaves it in ascending order.
let ascending = (i & (u32(${segment}) - 1u) & size) == 0u;
if ((a.x > b.x || (a.x == b.x && a.y > b.y)) == ascending) {
tile_keys[i] = b.x;
tile_places[i] = b.y;
tile_keys[j] = a.x;
tile_places[j] = a.y;
}
}
}
}
workgroupBarrier();
${each(`if (exists) { ${target.put(frame, 'i32(column)', 'tile_keys[i]', 'tile_places[i]')} }`)}`;
    const declarations = `var<workgroup> tile_keys: array<u32, ${TILE}>;
var<workgroup> tile_places: array<u32, ${TILE}>;
${keyFunction(this.kernel.operands[0]?.dtype ?? 'float32')}`;
    return new Program('sort: tiles', target.slots, frame, body, { declarations, workgroupSize: WORKGROUP });
  }

  /** Merges runs of a width that follows the kernel's `dims`; the pairs are the two slots after those of the target. */
  merge(target: Target): Program {
    const frame = new Frame();
    const columns = frame.word(columnsOf);
    const chunks = frame.word(chunksOf);
    const count = frame.word((dims) => rowsOf(dims) * chunksOf(dims));
    const width = frame.word((dims) => dims[dims.length - 1] ?? 0);
    const [keys, places] = [target.slots.length, target.slots.length + 1];
    const body = `let chunk = group * ${WORKGROUP}u + lane;
if (chunk >= u32(${count})) { return; }
let first = i32(chunk / u32(${chunks}) * u32(${columns}));
let begin = chunk % u32(${chunks}) * ${EACH}u;
let end = min(begin + ${EACH}u, u32(${columns}));
let left = begin / (2u * u32(${width})) * (2u * u32(${width}));
let right = min(left + u32(${width}), u32(${columns}));
let last = min(right + u32(${width}), u32(${columns}));
// Of the outputs before the first, how many come from the left run: the fewest after which the next of it goes behind the last taken of the right.
let before = begin - left;
var low = max(before, last - right) - (last - right);
var high = min(before, right - left);
while (low < high) {
let middle = (low + high) / 2u;
if (load${keys}(first + i32(left + middle)) <= load${keys}(first + i32(right + before - 1u - middle))) { low = middle + 1u; }
else { high = middle; }
}
var l = left + low;
var r = right + before - low;
var left_key = 0u;
var right_key = 0u;
if (l < right) { left_key = load${keys}(first + i32(l)); }
if (r < last) { right_key = load${keys}(first + i32(r)); }
for (var c = begin; c < end; c++) {
let takes_left = l < right && (r >= last || left_key <= right_key);
let key = select(right_key, left_key, takes_left);
let place = load${places}(first + i32(select(r, l, takes_left)));
if (takes_left) {
l++;
if (l < right) { left_key = load${keys}(first + i32(l)); }
} else {
r++;
if (r < last) { right_key = load${keys}(first + i32(r)); }
}
${target.put(frame, 'i32(c)', 'key', 'place')}
}`;
    return new Program('sort: merge', [...target.slots, ...pairs('read')], frame, body, { workgroupSize: WORKGROUP });
  }
}

/** Pairs of scratch memory: two pieces from number `piece` on. `base` slots come before them. */
function scratchTarget(base: readonly Slot[], sources: readonly Source[], piece: number): Target {
  const [keys, places] = [base.length, base.length + 1];
  return {
    slots: [...base, ...pairs('write')],
    sources: [...sources, { scratch: piece }, { scratch: piece + 1 }],
    put: (_frame, column, key, place) => `store${keys}(first + ${column}, ${key}); store${places}(first + ${column}, ${place});`,
  };
}

/** Programs for rows of several tiles: tiles to scratch, scratch to scratch, scratch to results. */
interface LongRows {
  readonly tiles: Program;
  readonly merge: Program;
  readonly last: Program;
}

/** Plans sorts. */
export function prepareSort(kernel: SortKernel): Planner {
  const text = new SortText(kernel);
  const results = text.results;
  const tilesTo = scratchTarget([text.x], [{ operand: 0 }], 0);
  const mergeTo = (piece: number): Target => scratchTarget([], [], piece);
  const from = (piece: number): Source[] => [{ scratch: piece }, { scratch: piece + 1 }];
  let short: Program | null = null;
  let long: LongRows | null = null;
  return (dims) => {
    const [rows, columns] = [rowsOf(dims), columnsOf(dims)];
    if (rows === 0 || columns === 0) return NOTHING;
    if (columns <= TILE) return single((short ??= text.tiles(results)), dims, Math.ceil((rows * segmentOf(dims)) / TILE));
    const { tiles, merge, last } = (long ??= { tiles: text.tiles(tilesTo), merge: text.merge(mergeTo(0)), last: text.merge(results) });
    const dispatches: Dispatch[] = [dispatch(tiles, tilesTo.sources, dims, rows * tilesOf(dims))];
    const groups = Math.ceil((rows * chunksOf(dims)) / WORKGROUP);
    let [at, other] = [0, 2];
    let width = TILE;
    for (; 2 * width < columns; width *= 2) {
      dispatches.push(dispatch(merge, [...mergeTo(other).sources, ...from(at)], Int32Array.of(...dims, width), groups));
      [at, other] = [other, at];
    }
    dispatches.push(dispatch(last, [...results.sources, ...from(at)], Int32Array.of(...dims, width), groups));
    const bytes = 4 * rows * columns;
    return { dispatches, scratch: [bytes, bytes, bytes, bytes] };
  };
}
