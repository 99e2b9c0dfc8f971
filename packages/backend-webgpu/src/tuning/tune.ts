/**
 * Measures the tiles of products on the device at hand. For each shape all candidates run on the same memory; the fastest of a few repetitions
 * counts, as what disturbs a measurement only ever makes it longer.
 *
 * Time is that of the host, from the submission to the news that the work is done. A run is repeated until that latency is a small part of it.
 */

import { accumulator } from '@gradus/backend';
import type { ContractKernel } from '@gradus/backend';
import type { Toolchain } from '../device/toolchain.ts';
import type { Launch } from '../launch/launch.ts';
import { prepareContract } from '../product/contract.ts';
import { TILES, defaultTile, maySplit, shapeClass } from '../product/tiles.ts';
import type { ProductShape, TileChoice, TileName } from '../product/tiles.ts';

/** What was found for one shape. */
export interface TunedProduct {
  readonly shape: ProductShape;
  /** The fastest. */
  readonly choice: TileChoice;
  /** Of one run with it, and with what is chosen where nothing was measured. */
  readonly milliseconds: number;
  readonly defaultMilliseconds: number;
}

/** What the tuner needs of a device. */
export interface Bench {
  /** Queues a launch, on zeros. */
  run(launch: Launch): void;
  /** Resolves when all that was queued is done. */
  synchronize(): Promise<void>;
}

const clock = (globalThis as unknown as { readonly performance: { now(): number } }).performance;

/** Milliseconds of one run, when `times` are queued. */
async function timed(launch: Launch, times: number, bench: Bench): Promise<number> {
  await bench.synchronize();
  const start = clock.now();
  for (let i = 0; i < times; i++) bench.run(launch);
  await bench.synchronize();
  return (clock.now() - start) / times;
}

/** Shapes of common layers: square products, batches through a dense layer and its two gradients, a single row. */
export const COMMON_SHAPES: readonly ProductShape[] = [
  { batch: 1, m: 256, n: 256, k: 256 },
  { batch: 1, m: 512, n: 512, k: 512 },
  { batch: 1, m: 1024, n: 1024, k: 1024 },
  { batch: 1, m: 2048, n: 2048, k: 2048 },
  { batch: 1, m: 128, n: 512, k: 784 },
  { batch: 1, m: 128, n: 784, k: 512 },
  { batch: 1, m: 784, n: 512, k: 128 },
  { batch: 1, m: 1, n: 1024, k: 1024 },
  { batch: 1, m: 64, n: 576, k: 16_384 },
  { batch: 64, m: 64, n: 64, k: 64 },
];

const REPETITIONS = 3;
/** A measurement lasts so long at least, or so many runs. */
const LONG_ENOUGH_MILLISECONDS = 5;
const MOST_RUNS = 64;

const KERNEL: ContractKernel = {
  kind: 'contract',
  rank: 4,
  accumulate: 'float32',
  operands: [
    { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
    { dtype: 'float32', access: 'read', layout: 'strided', space: 'full' },
    { dtype: 'float32', access: 'write', layout: 'contiguous', space: 'kept' },
  ],
  scalars: [],
  outputs: [{ operand: 2, value: accumulator('float32') }],
};

/** Elements of a, b and the result. */
export function elementsOf({ batch, m, n, k }: ProductShape): readonly [number, number, number] {
  return [batch * m * k, batch * k * n, batch * m * n];
}

/** The launch of a product of dense row-major matrices with a given tile. */
function launchOf(shape: ProductShape, choice: TileChoice, toolchain: Toolchain): Launch {
  const { batch, m, n, k } = shape;
  const dims = Int32Array.from([batch, m, n, k, 0, m * k, k, 0, 1, 0, k * n, 0, 1, n, 0, m * n, n, 1]);
  return prepareContract(KERNEL, { ...toolchain, tuned: new Map([[shapeClass(shape), choice]]) })(dims);
}

/** Choices worth a measurement: tiles that are not much larger than the result. */
function candidates(shape: ProductShape): TileChoice[] {
  const names = Object.keys(TILES) as TileName[];
  const fitting = names.filter((name) => TILES[name].rows < 2 * Math.max(16, shape.m) && TILES[name].columns < 2 * Math.max(16, shape.n));
  const few = fitting.flatMap((tile) => [{ tile, split: false }, ...(maySplit(shape, { splits: true }) ? [{ tile, split: true }] : [])]);
  const usual = defaultTile(shape, { splits: true });
  return [usual, ...few.filter(({ tile, split }) => tile !== usual.tile || split !== usual.split)];
}

async function measure(launch: Launch, bench: Bench): Promise<number> {
  // The first run compiles.
  await timed(launch, 1, bench);
  const once = await timed(launch, 1, bench);
  const times = Math.min(MOST_RUNS, Math.max(1, Math.ceil(LONG_ENOUGH_MILLISECONDS / Math.max(once, 1e-3))));
  let best = Infinity;
  for (let i = 0; i < REPETITIONS; i++) best = Math.min(best, await timed(launch, times, bench));
  return best;
}

/** Measures all candidates of one shape. */
export async function tuneProduct(shape: ProductShape, toolchain: Toolchain, bench: Bench): Promise<TunedProduct> {
  const [usual, ...others] = candidates(shape);
  const first = usual ?? defaultTile(shape, { splits: true });
  const defaultMilliseconds = await measure(launchOf(shape, first, toolchain), bench);
  let best: TunedProduct = { shape, choice: first, milliseconds: defaultMilliseconds, defaultMilliseconds };
  for (const choice of others) {
    const milliseconds = await measure(launchOf(shape, choice, toolchain), bench);
    if (milliseconds < best.milliseconds) best = { ...best, choice, milliseconds };
  }
  return best;
}
