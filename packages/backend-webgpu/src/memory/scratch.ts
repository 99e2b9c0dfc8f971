/** Scratch memory: what the passes of one kernel leave for each other. Shared by all kernels of a device, since they run one after the other. */

import type { Device } from '../device/device.ts';
import { Memory, createStorage } from './blocks.ts';

/** Buffers that grow to what the hungriest kernel needs. */
export class Scratch {
  readonly #device: Device;
  readonly #release: (memory: Memory) => void;
  readonly #pieces: Memory[] = [];

  constructor(device: Device, release: (memory: Memory) => void) {
    this.#device = device;
    this.#release = release;
  }

  /** Bytes held. */
  get byteLength(): number {
    return this.#pieces.reduce((sum, { buffer }) => sum + buffer.size, 0);
  }

  /** Makes pieces as large as these, at least. */
  require(bytes: readonly number[]): void {
    for (const [i, needed] of bytes.entries()) {
      const known = this.#pieces[i];
      if (known !== undefined && known.buffer.size >= needed) continue;
      if (known !== undefined) this.#release(known);
      // Doubled, so that sizes that grow slowly do not make a buffer each.
      const size = Math.max(needed, known === undefined ? 0 : Math.min(2 * known.buffer.size, this.#device.gpu.limits.maxStorageBufferBindingSize));
      const make = (): GPUBuffer => createStorage(this.#device.gpu, size);
      this.#pieces[i] = new Memory(this.#device.guard(['out-of-memory'], 'scratch memory', make, (error) => this.#device.fail(error)));
    }
  }

  memory(i: number): Memory {
    const piece = this.#pieces[i];
    if (piece === undefined) throw new TypeError('internal: no scratch memory');
    return piece;
  }

  dispose(): void {
    for (const { buffer } of this.#pieces) buffer.destroy();
    this.#pieces.length = 0;
  }
}
