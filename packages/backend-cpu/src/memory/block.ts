/** Blocks: pieces of memory, seen as typed arrays, and the account of how many bytes are alive. */

import { BackendDisposedError, BlockError, DTYPES, OutOfMemoryError } from '@gradus/backend';
import type { Block, DType, TypedArray } from '@gradus/backend';

/** A block of the cpu backend: an ArrayBuffer, and views of it made when first asked for. */
export class CpuBlock implements Block {
  readonly byteLength: number;
  readonly #owner: Memory;
  #buffer: ArrayBuffer | null;
  #views: { [D in DType]?: TypedArray } = {};

  constructor(owner: Memory, buffer: ArrayBuffer) {
    this.byteLength = buffer.byteLength;
    this.#owner = owner;
    this.#buffer = buffer;
  }

  /** The whole block as elements of `dtype`; null once freed. */
  view(dtype: DType): TypedArray | null {
    const known = this.#views[dtype];
    if (known !== undefined) return known;
    if (this.#buffer === null) return null;
    const { bytes, view } = DTYPES[dtype];
    const made = view(this.#buffer, 0, Math.floor(this.byteLength / bytes));
    this.#views[dtype] = made;
    return made;
  }

  belongsTo(memory: Memory): boolean {
    return this.#owner === memory;
  }

  /** Lets go of the memory; views that others still hold keep it alive. */
  release(): void {
    this.#buffer = null;
    this.#views = {};
  }
}

/** All blocks of one backend. */
export class Memory {
  readonly #name: string;
  readonly #limit: number;
  readonly #live = new Set<CpuBlock>();
  #bytes = 0;
  #disposed = false;

  constructor(name: string, limit: number) {
    this.#name = name;
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
  allocate(byteLength: number, largest: number): CpuBlock {
    const op = `${this.#name}.allocate`;
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new BlockError({ op, expected: 'a whole number of bytes', got: String(byteLength) });
    const asked = `${byteLength} bytes with ${this.#bytes} bytes live`;
    const fix = 'free what is no longer needed, or use smaller batches.';
    if (byteLength > largest) throw new OutOfMemoryError({ op, expected: `a block of at most ${largest} bytes`, got: asked, fix });
    if (this.#bytes + byteLength > this.#limit) throw new OutOfMemoryError({ op, expected: `at most ${this.#limit} bytes in all`, got: asked, fix });
    let buffer: ArrayBuffer;
    try {
      buffer = new ArrayBuffer(byteLength);
    } catch (cause) {
      throw new OutOfMemoryError({ op, expected: 'room for another block', got: asked, fix }, { cause });
    }
    const block = new CpuBlock(this, buffer);
    this.#live.add(block);
    this.#bytes += byteLength;
    return block;
  }

  /** @throws BlockError when the block was freed before or belongs to another backend */
  free(block: unknown): void {
    const mine = this.#own(block, 'free');
    if (!this.#live.delete(mine)) throw this.#freed('free', mine);
    this.#bytes -= mine.byteLength;
    mine.release();
  }

  /** A live block of this backend as elements of `dtype`. @throws BlockError */
  view(block: unknown, dtype: DType, op: string): TypedArray {
    const mine = this.#own(block, op);
    const view = mine.view(dtype);
    if (view === null) throw this.#freed(op, mine);
    return view;
  }

  /** Some bytes of a live block. @throws BlockError */
  bytes(block: unknown, byteOffset: number, byteLength: number, op: string): Uint8Array {
    const view = this.view(block, 'uint8', op);
    const inside = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(byteLength) && byteOffset >= 0 && byteLength >= 0;
    if (!inside || byteOffset + byteLength > view.byteLength)
      throw new BlockError({
        op: `${this.#name}.${op}`,
        expected: `a range within the block of ${view.byteLength} bytes`,
        got: `offset ${byteOffset} and length ${byteLength}`,
      });
    return new Uint8Array(view.buffer, byteOffset, byteLength);
  }

  dispose(): void {
    for (const block of this.#live) block.release();
    this.#live.clear();
    this.#bytes = 0;
    this.#disposed = true;
  }

  #own(block: unknown, op: string): CpuBlock {
    if (block instanceof CpuBlock && block.belongsTo(this)) return block;
    throw new BlockError({
      op: `${this.#name}.${op}`,
      expected: 'a block of this backend',
      got: typeof block === 'object' && block !== null ? 'a block of another' : typeof block,
      fix: 'copy the data across with read and write.',
    });
  }

  #freed(op: string, block: CpuBlock): BlockError {
    return new BlockError({ op: `${this.#name}.${op}`, expected: 'a block in use', got: `one of ${block.byteLength} bytes that was freed` });
  }
}
