/** Blocks: spans of the heap that users of the contract hold, and the account of how many bytes are alive. */

import { BackendDisposedError, BlockError, OutOfMemoryError } from '@gradus/backend';
import type { Block } from '@gradus/backend';
import { MAXIMUM_PAGES, PAGE_BYTES } from './heap.ts';
import type { Heap } from './heap.ts';

/** A block of the wasm backend. */
export class WasmBlock implements Block {
  readonly byteLength: number;
  readonly owner: Blocks;
  /** The address of its first byte; -1 once freed. */
  address: number;

  constructor(owner: Blocks, byteLength: number, address: number) {
    this.owner = owner;
    this.byteLength = byteLength;
    this.address = address;
  }
}

/** The largest block: the memory less a page, of which some is never handed out. */
export const MAX_BLOCK_BYTES = (MAXIMUM_PAGES - 1) * PAGE_BYTES;

/** All blocks of one backend. */
export class Blocks {
  readonly heap: Heap;
  readonly #name: string;
  readonly #limit: number;
  readonly #live = new Set<WasmBlock>();
  #bytes = 0;
  #disposed = false;

  constructor(name: string, heap: Heap, limit: number) {
    this.#name = name;
    this.heap = heap;
    this.#limit = limit;
  }

  get liveBytes(): number {
    return this.#bytes;
  }

  /** @throws BackendDisposedError */
  assertUsable(op: string): void {
    if (!this.#disposed) return;
    throw new BackendDisposedError({
      op: `${this.#name}.${op}`,
      expected: 'a backend in use',
      got: 'one that was disposed',
      fix: 'make a new backend.',
    });
  }

  /** @throws OutOfMemoryError */
  allocate(byteLength: number): WasmBlock {
    const op = `${this.#name}.allocate`;
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new BlockError({ op, expected: 'a whole number of bytes', got: String(byteLength) });
    const got = `${byteLength} bytes with ${this.#bytes} bytes live`;
    const fix = 'free what is no longer needed, or use smaller batches.';
    if (byteLength > MAX_BLOCK_BYTES) throw new OutOfMemoryError({ op, expected: `a block of at most ${MAX_BLOCK_BYTES} bytes`, got, fix });
    if (this.#bytes + byteLength > this.#limit) throw new OutOfMemoryError({ op, expected: `at most ${this.#limit} bytes in all`, got, fix });
    const address = this.heap.take(byteLength);
    if (address < 0) throw new OutOfMemoryError({ op, expected: 'room for another block in 4 GiB', got, fix });
    const block = new WasmBlock(this, byteLength, address);
    this.#live.add(block);
    this.#bytes += byteLength;
    return block;
  }

  /** @throws BlockError when the block was freed before or belongs to another backend */
  free(block: unknown): void {
    const mine = this.#own(block, 'free');
    this.#live.delete(mine);
    this.heap.give(mine.address, mine.byteLength);
    this.#bytes -= mine.byteLength;
    mine.address = -1;
  }

  /** The address of a live block of this backend. @throws BlockError */
  address(block: unknown, op: string): number {
    // The common case first: this is asked for every argument of every kernel.
    if (block instanceof WasmBlock && block.owner === this && block.address >= 0) return block.address;
    return this.#own(block, op).address;
  }

  /** Some bytes of a live block, to be used at once. @throws BlockError */
  bytes(block: unknown, byteOffset: number, byteLength: number, op: string): Uint8Array {
    const mine = this.#own(block, op);
    const inside = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(byteLength) && byteOffset >= 0 && byteLength >= 0;
    if (!inside || byteOffset + byteLength > mine.byteLength)
      throw new BlockError({
        op: `${this.#name}.${op}`,
        expected: `a range within the block of ${mine.byteLength} bytes`,
        got: `offset ${byteOffset} and length ${byteLength}`,
      });
    const start = mine.address + byteOffset;
    return this.heap.bytes.subarray(start, start + byteLength);
  }

  dispose(): void {
    for (const block of this.#live) block.address = -1;
    this.#live.clear();
    this.#bytes = 0;
    this.#disposed = true;
  }

  #own(block: unknown, op: string): WasmBlock {
    const where = `${this.#name}.${op}`;
    if (!(block instanceof WasmBlock) || block.owner !== this)
      throw new BlockError({
        op: where,
        expected: 'a block of this backend',
        got: typeof block === 'object' && block !== null ? 'a block of another' : typeof block,
        fix: 'copy the data across with read and write.',
      });
    if (block.address < 0) throw new BlockError({ op: where, expected: 'a block in use', got: `one of ${block.byteLength} bytes that was freed` });
    return block;
  }
}
