/** Blocks: one GPU buffer each, and the account of how many bytes are alive. */

import { BlockError, OutOfMemoryError } from '@gradus/backend';
import type { Block, GradusError } from '@gradus/backend';
import type { Device } from '../device/device.ts';

/** Buffers are whole multiples of this, so that the widest element type of a shader, a vector of four floats, fits the end. */
const GRANULARITY = 16;

/** A buffer with a number that is never used again, by which bind groups are found. */
export class Memory {
  static #count = 0;
  readonly id: number = Memory.#count++;
  readonly buffer: GPUBuffer;
  /** The batch of commands that used it last. */
  lastUse = -1;

  constructor(buffer: GPUBuffer) {
    this.buffer = buffer;
  }
}

/** A block of the webgpu backend. */
export class WebGpuBlock implements Block {
  readonly byteLength: number;
  readonly owner: Blocks;
  /** null once freed. */
  memory: Memory | null;
  /** What the device said about the allocation, should it have refused it. */
  failure: GradusError | null = null;

  constructor(owner: Blocks, byteLength: number, memory: Memory) {
    this.owner = owner;
    this.byteLength = byteLength;
    this.memory = memory;
  }
}

/** All blocks of one backend. */
export class Blocks {
  readonly #device: Device;
  readonly #limit: number;
  readonly #maxBlockBytes: number;
  readonly #live = new Set<WebGpuBlock>();
  #bytes = 0;

  constructor(device: Device, limit: number, maxBlockBytes: number) {
    this.#device = device;
    this.#limit = limit;
    this.#maxBlockBytes = maxBlockBytes;
  }

  get liveBytes(): number {
    return this.#bytes;
  }

  /** Buffers in use. */
  get count(): number {
    return this.#live.size;
  }

  /** @throws OutOfMemoryError where limits say so at once; what the device finds out later is thrown by the first use. */
  allocate(byteLength: number): WebGpuBlock {
    const op = `${this.#device.name}.allocate`;
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new BlockError({ op, expected: 'a whole number of bytes', got: String(byteLength) });
    const got = `${byteLength} bytes with ${this.#bytes} bytes live`;
    const fix = 'free what is no longer needed, or use smaller batches.';
    if (byteLength > this.#maxBlockBytes) throw new OutOfMemoryError({ op, expected: `a block of at most ${this.#maxBlockBytes} bytes`, got, fix });
    if (this.#bytes + byteLength > this.#limit) throw new OutOfMemoryError({ op, expected: `at most ${this.#limit} bytes in all`, got, fix });
    let block: WebGpuBlock | null = null;
    const buffer = this.#device.guard(
      ['out-of-memory'],
      'allocate',
      () => createStorage(this.#device.gpu, byteLength),
      (error) => {
        if (block !== null) block.failure = error;
      },
    );
    block = new WebGpuBlock(this, byteLength, new Memory(buffer));
    this.#live.add(block);
    this.#bytes += byteLength;
    return block;
  }

  /** Forgets a block, and gives its memory, for the queue to let go of in its order. @throws BlockError when it was freed before or is foreign */
  free(block: unknown): Memory {
    const mine: WebGpuBlock = this.#own(block, 'free');
    const { memory } = mine;
    this.#live.delete(mine);
    this.#bytes -= mine.byteLength;
    mine.memory = null;
    return memory as Memory;
  }

  /** The memory of a live block of this backend. @throws BlockError @throws OutOfMemoryError when the device refused it */
  memory(block: unknown, op: string): Memory {
    // The common case first: this is asked for every argument of every kernel.
    if (block instanceof WebGpuBlock && block.owner === this && block.memory !== null && block.failure === null) return block.memory;
    return this.#own(block, op).memory;
  }

  /** The memory of a block that has these bytes. @throws BlockError */
  range(block: unknown, byteOffset: number, byteLength: number, op: string): Memory {
    const { memory, byteLength: size } = this.#own(block, op);
    const inside = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(byteLength) && byteOffset >= 0 && byteLength >= 0;
    if (!inside || byteOffset + byteLength > size)
      throw new BlockError({
        op: `${this.#device.name}.${op}`,
        expected: `a range within the block of ${size} bytes`,
        got: `offset ${byteOffset} and length ${byteLength}`,
      });
    return memory;
  }

  dispose(): void {
    for (const block of this.#live) {
      block.memory?.buffer.destroy();
      block.memory = null;
    }
    this.#live.clear();
    this.#bytes = 0;
  }

  #own(block: unknown, op: string): WebGpuBlock & { readonly memory: Memory } {
    const where = `${this.#device.name}.${op}`;
    if (!(block instanceof WebGpuBlock) || block.owner !== this)
      throw new BlockError({
        op: where,
        expected: 'a block of this backend',
        got: typeof block === 'object' && block !== null ? 'a block of another' : typeof block,
        fix: 'copy the data across with read and write.',
      });
    if (!isLive(block)) throw new BlockError({ op: where, expected: 'a block in use', got: `one of ${block.byteLength} bytes that was freed` });
    if (block.failure !== null && op !== 'free') throw block.failure;
    return block;
  }
}

function isLive(block: WebGpuBlock): block is WebGpuBlock & { readonly memory: Memory } {
  return block.memory !== null;
}

/** A buffer that kernels use, of at least `byteLength` bytes. */
export function createStorage(gpu: GPUDevice, byteLength: number): GPUBuffer {
  const size = Math.max(1, Math.ceil(byteLength / GRANULARITY)) * GRANULARITY;
  return gpu.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
}
