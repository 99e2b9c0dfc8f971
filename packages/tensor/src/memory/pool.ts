/**
 * The block pool: freed blocks wait here for the next allocation of the same size, up to a limit.
 *
 * A released block may be handed out again at once: backends run in queue order, so its last readers come first.
 */

import type { Backend, Block } from '@gradus/backend';

/** Blocks are rounded up to whole cache lines, so that near sizes share and vector code needs no tail. */
const BLOCK_GRANULARITY = 64;

/** Bytes that may wait in the pool before released blocks go back to the backend. */
const DEFAULT_POOL_LIMIT = 2 ** 30;

/** Counts of one pool. */
export interface PoolStatistics {
  /** Bytes in use. */
  readonly liveBytes: number;
  /** Bytes waiting for reuse. */
  readonly pooledBytes: number;
  readonly liveBlocks: number;
  /** Bytes in use as state. */
  readonly stateBytes: number;
  /** Allocations that had to ask the backend. */
  readonly misses: number;
}

/** A pool over one backend. */
export class BlockPool {
  readonly #backend: Backend;
  readonly #free = new Map<number, Block[]>();
  #liveBytes = 0;
  #pooledBytes = 0;
  #liveBlocks = 0;
  #stateBytes = 0;
  #misses = 0;
  #limit = DEFAULT_POOL_LIMIT;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** A block of at least `bytes`, with unspecified contents. When the backend is full, the pool is emptied and it is asked again. */
  allocate(bytes: number): Block {
    const size = Math.ceil(bytes / BLOCK_GRANULARITY) * BLOCK_GRANULARITY;
    let block = this.#free.get(size)?.pop();
    if (block === undefined) {
      this.#misses++;
      block = this.#allocateFresh(size);
    } else {
      this.#pooledBytes -= size;
    }
    this.#liveBytes += size;
    this.#liveBlocks++;
    return block;
  }

  #allocateFresh(size: number): Block {
    if (this.#pooledBytes === 0) return this.#backend.allocate(size);
    try {
      return this.#backend.allocate(size);
    } catch {
      this.trim(0);
      return this.#backend.allocate(size);
    }
  }

  /** Takes a block back. */
  release(block: Block): void {
    const size = block.byteLength;
    this.#liveBytes -= size;
    this.#liveBlocks--;
    if (this.#pooledBytes + size > this.#limit) {
      this.#backend.free(block);
      return;
    }
    this.#pooledBytes += size;
    const waiting = this.#free.get(size);
    if (waiting === undefined) this.#free.set(size, [block]);
    else waiting.push(block);
  }

  /** Counts bytes in use as state. */
  countState(bytes: number): void {
    this.#stateBytes += bytes;
  }

  /** Sets how many bytes may wait, and frees what is above. */
  setLimit(bytes: number): void {
    this.#limit = bytes;
    this.trim(bytes);
  }

  /** Frees waiting blocks until at most `bytes` wait. */
  trim(bytes: number): void {
    for (const [size, blocks] of this.#free) {
      while (this.#pooledBytes > bytes) {
        const block = blocks.pop();
        if (block === undefined) break;
        this.#pooledBytes -= size;
        this.#backend.free(block);
      }
      if (blocks.length === 0) this.#free.delete(size);
    }
  }

  statistics(): PoolStatistics {
    return {
      liveBytes: this.#liveBytes,
      pooledBytes: this.#pooledBytes,
      liveBlocks: this.#liveBlocks,
      stateBytes: this.#stateBytes,
      misses: this.#misses,
    };
  }
}
