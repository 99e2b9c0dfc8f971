/**
 * Tiles: how the result of a product is divided among workgroups, and which division a product gets.
 *
 * Words used here:
 * - **tile**: the part of the result that one workgroup computes. It reads `rows` rows of a and `columns` columns of b, `inner` values of each at a
 *   time, into memory that its invocations share; so all of a is read `n / columns` times from the device's memory, and all of b `m / rows` times.
 * - **block**: the part of a tile that one invocation keeps in registers.
 * - **span**: consecutive values of k that are added up in a row; sums of spans are added in ascending order. Spans depend on k alone, and whether
 *   the spans of a result are computed by one workgroup or by many decides nothing about the order: so results have equal bits with any tile.
 */

/** Sizes of a product: `batch` matrices of `m` rows and `n` columns, sums over `k` values. */
export interface ProductShape {
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A tile and the block of one invocation. All are powers of two; a block has 1, 4 or 8 rows, and as many columns. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly blockRows: 1 | 4 | 8;
  readonly blockColumns: 1 | 4 | 8;
}

/** The tiles there are, by name. All of them fit in the 16 KiB of shared memory and the 256 invocations that every adapter has. */
export const TILES = {
  '64x64': { rows: 64, columns: 64, inner: 16, blockRows: 4, blockColumns: 4 },
  '32x32': { rows: 32, columns: 32, inner: 16, blockRows: 4, blockColumns: 4 },
  '16x16': { rows: 16, columns: 16, inner: 16, blockRows: 1, blockColumns: 1 },
  '128x64': { rows: 128, columns: 64, inner: 16, blockRows: 8, blockColumns: 4 },
  '128x128': { rows: 128, columns: 128, inner: 8, blockRows: 8, blockColumns: 8 },
  '4x64': { rows: 4, columns: 64, inner: 16, blockRows: 1, blockColumns: 1 },
  '64x4': { rows: 64, columns: 4, inner: 16, blockRows: 1, blockColumns: 1 },
} as const satisfies Readonly<Record<string, Tile>>;

/** The name of a tile. */
export type TileName = keyof typeof TILES;

/** How a product is computed. */
export interface TileChoice {
  readonly tile: TileName;
  /** Do workgroups share the spans of a result? A second pass then adds up what they leave in scratch memory. */
  readonly split: boolean;
}

/** Choices that were measured, by {@link shapeClass}. */
export type TunedTiles = ReadonlyMap<string, TileChoice>;

/** What a choice has to keep to. */
export interface TileLimits {
  /** Is there a second pass for this product? */
  readonly splits: boolean;
}

/** Where fewer values than this are added, one span has them all. */
const SPAN = 512;
/** The most values that are added in a row; it is what the contract asks of sums of floats. */
const LONGEST_SPAN = 4096;
/** A tile of few rows, or of few columns, is for products that have no more of them. */
const FEW = 8;
/** Workgroups that keep a graphics card busy. */
const BUSY = 64;
/** With fewer workgroups of 32 by 32 than this, smaller tiles are better. */
const SMALL = 16;
/** With fewer workgroups than this, and at least so many spans, the spans are shared out. */
const IDLE = 32;
const SPANS_TO_SHARE = 4;
/** Bytes of scratch memory that sums of spans may take. */
const MOST_SCRATCH = 64 * 2 ** 20;

/** Values of a span of `k`: about as many as there are spans, so that errors stay small, within bounds. */
export function spanOf(k: number): number {
  let span = SPAN;
  while (span < LONGEST_SPAN && span * span < k) span *= 2;
  return span;
}

/** Spans of `k` values; one at least. */
export function spansOf(k: number): number {
  return Math.max(1, Math.ceil(k / spanOf(k)));
}

/** Tiles along one axis. */
export function tilesAlong(size: number, tile: number): number {
  return Math.ceil(size / tile);
}

/** Workgroups of a choice. */
export function workgroupsOf({ batch, m, n, k }: ProductShape, { tile, split }: TileChoice): number {
  const { rows, columns } = TILES[tile];
  return batch * tilesAlong(m, rows) * tilesAlong(n, columns) * (split ? spansOf(k) : 1);
}

/** Bytes that the sums of all spans take. */
export function scratchOf({ batch, m, n, k }: ProductShape): number {
  return 4 * batch * m * n * spansOf(k);
}

/** May the spans of such a product be shared among workgroups? */
export function maySplit(shape: ProductShape, { splits }: TileLimits): boolean {
  return splits && spansOf(shape.k) > 1 && scratchOf(shape) <= MOST_SCRATCH;
}

/** The products that one measured choice is for: those whose sizes have the same powers of two below them. */
export function shapeClass({ batch, m, n, k }: ProductShape): string {
  return [batch, m, n, k].map((size) => Math.floor(Math.log2(Math.max(1, size)))).join('.');
}

/** The choice before anything was measured: the largest tile with which there are workgroups enough. */
export function defaultTile(shape: ProductShape, limits: TileLimits): TileChoice {
  const tile = tileFor(shape);
  const groups = workgroupsOf(shape, { tile, split: false });
  return { tile, split: groups < IDLE && spansOf(shape.k) >= SPANS_TO_SHARE && maySplit(shape, limits) };
}

function tileFor(shape: ProductShape): TileName {
  if (shape.m <= FEW && shape.n > FEW) return '4x64';
  if (shape.n <= FEW && shape.m > FEW) return '64x4';
  if (workgroupsOf(shape, { tile: '64x64', split: false }) >= BUSY) return '64x64';
  // Small results: an invocation for each element is faster than a few invocations with much to do.
  return workgroupsOf(shape, { tile: '32x32', split: false }) >= SMALL ? '32x32' : '16x16';
}

/** The choice for a product: what was measured for its like, else the default. Any choice gives the same bits. */
export function chooseTile(shape: ProductShape, limits: TileLimits, tuned?: TunedTiles): TileChoice {
  const measured = tuned?.get(shapeClass(shape));
  if (measured === undefined) return defaultTile(shape, limits);
  return { tile: measured.tile, split: measured.split && maySplit(shape, limits) };
}
