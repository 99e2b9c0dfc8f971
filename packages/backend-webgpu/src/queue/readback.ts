/** Reading: through staging buffers that the processor can see, kept for the next read of their size. */

import { GradusError } from '@gradus/backend';
import type { Device } from '../device/device.ts';
import { DeviceTimeoutError } from '../errors.ts';

/** The smallest staging buffer; larger ones are powers of two. */
const SMALLEST = 256;
/** Staging buffers that wait for their next use, and the largest that does. */
const KEPT = 16;
const LARGEST_KEPT = 2 ** 24;
/** How long the news of a loss is waited for when something has failed that may be its consequence. Browsers tell both within a moment. */
const NEWS_MILLISECONDS = 1000;

/** The timers of every engine, typed for what is used here. */
const { setTimeout, clearTimeout } = globalThis as unknown as {
  setTimeout(this: void, action: () => void, milliseconds: number): unknown;
  clearTimeout(this: void, timer: unknown): void;
};

/** Staging buffers and bounded waits of one device. */
export class Readback {
  readonly #device: Device;
  readonly #timeoutMilliseconds: number;
  readonly #idle: GPUBuffer[] = [];
  #count = 0;

  constructor(device: Device, timeoutMilliseconds: number) {
    this.#device = device;
    this.#timeoutMilliseconds = timeoutMilliseconds;
  }

  /** Staging buffers there are. */
  get count(): number {
    return this.#count;
  }

  /** Reads bytes that `copy` puts into a staging buffer: whole words around what is wanted. */
  async read(byteOffset: number, byteLength: number, copy: (staging: GPUBuffer, from: number, size: number) => void): Promise<Uint8Array> {
    const from = Math.floor(byteOffset / 4) * 4;
    const size = Math.ceil((byteOffset + byteLength) / 4) * 4 - from;
    const staging = this.#take(size);
    try {
      copy(staging, from, size);
      await this.within('read', staging.mapAsync(GPUMapMode.READ, 0, size));
      const start = byteOffset - from;
      return new Uint8Array(staging.getMappedRange(0, size)).slice(start, start + byteLength);
    } finally {
      this.#give(staging);
    }
  }

  /**
   * Waits for the device, but not for ever. @throws DeviceTimeoutError @throws DeviceLostError and whatever else the device has failed with
   */
  async within(op: string, work: Promise<unknown>): Promise<void> {
    let timer: unknown;
    const outOfTime = new Promise<void>((_, reject) => {
      if (!Number.isFinite(this.#timeoutMilliseconds)) return;
      timer = setTimeout(() => reject(this.#timeout(op)), this.#timeoutMilliseconds);
    });
    const loss = this.#device.lost.then((error) => {
      throw error;
    });
    try {
      await Promise.race([work, outOfTime, loss]);
      await this.#device.settled();
    } catch (error) {
      if (!(error instanceof GradusError)) await this.#reason();
      this.#device.assertUsable(op);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    this.#device.assertUsable(op);
  }

  /** Waits until the device knows why something failed, but not for long. In browsers a map is aborted before anybody hears of the loss. */
  async #reason(): Promise<void> {
    if (this.#device.isDisposed) return;
    let timer: unknown;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, NEWS_MILLISECONDS);
    });
    await Promise.race([this.#device.lost, enough]);
    clearTimeout(timer);
  }

  #timeout(op: string): DeviceTimeoutError {
    return new DeviceTimeoutError({
      op: `${this.#device.name}.${op}`,
      expected: `an answer within ${this.#timeoutMilliseconds / 1000} s`,
      got: 'none',
      fix: 'submit less at once, or make the device with a larger timeoutMilliseconds.',
    });
  }

  #take(size: number): GPUBuffer {
    const capacity = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(size)));
    const at = this.#idle.findIndex((buffer) => buffer.size === capacity);
    const [known] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (known !== undefined) return known;
    this.#count++;
    return this.#device.gpu.createBuffer({ label: 'staging', size: capacity, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  #give(buffer: GPUBuffer): void {
    if (buffer.mapState === 'mapped') buffer.unmap();
    if (buffer.mapState === 'unmapped' && this.#idle.length < KEPT && buffer.size <= LARGEST_KEPT && !this.#device.isDisposed) {
      this.#idle.push(buffer);
      return;
    }
    this.#count--;
    buffer.destroy();
  }

  dispose(): void {
    for (const buffer of this.#idle) buffer.destroy();
    this.#count -= this.#idle.length;
    this.#idle.length = 0;
  }
}
