/**
 * One GPU device and what became of it: whether it was lost, and which of its refusals nobody has heard of yet.
 *
 * WebGPU reports errors late, through promises. They are noted here when they come; `assertUsable` throws them at the next call, and `settled`
 * waits for those that are under way, so that no result of a refused command is ever handed out.
 */

import { BackendDisposedError, OutOfMemoryError } from '@gradus/backend';
import type { GradusError } from '@gradus/backend';
import { DeviceLostError, DeviceRefusedError } from '../errors.ts';

const LOST_FIX = 'make a new device with webgpu() and load the last state that was saved.';

/** A device in use, lost, failed or disposed. */
export class Device {
  readonly gpu: GPUDevice;
  readonly name: string;
  /** Resolves when the device is lost otherwise than by `dispose`; never rejects. */
  readonly lost: Promise<DeviceLostError>;
  #failure: GradusError | null = null;
  #disposed = false;
  /** Error scopes whose answers are still to come. */
  readonly #pending = new Set<Promise<void>>();

  constructor(gpu: GPUDevice, name: string) {
    this.gpu = gpu;
    this.name = name;
    let isLost: (error: DeviceLostError) => void = () => {};
    this.lost = new Promise((resolve) => (isLost = resolve));
    void gpu.lost.then(({ reason, message }) => {
      if (this.#disposed) return;
      const got = `a device that was lost (${reason}${message === '' ? '' : `: ${message}`})`;
      const error = new DeviceLostError({ op: name, expected: 'a device in use', got, fix: LOST_FIX });
      // What failed before the loss is most often its consequence.
      this.#failure = error;
      isLost(error);
    });
    gpu.addEventListener('uncapturederror', (event) => {
      // Otherwise browsers print it as well.
      (event as unknown as { preventDefault(): void }).preventDefault();
      // What an error scope has to say is the cause of what nobody caught, so it comes first.
      const { error } = event;
      this.#hear(this.settled().then(() => this.fail(this.#errorOf(error, name))));
    });
  }

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** @throws BackendDisposedError @throws DeviceLostError @throws DeviceRefusedError @throws OutOfMemoryError */
  assertUsable(op: string): void {
    if (this.#disposed)
      throw new BackendDisposedError({
        op: `${this.name}.${op}`,
        expected: 'a backend in use',
        got: 'one that was disposed',
        fix: 'make a new backend.',
      });
    if (this.#failure !== null) throw this.#failure;
  }

  /** Gives the device up for what was found wrong. */
  fail(error: GradusError): void {
    this.#failure ??= error;
  }

  /** Runs `make` with the errors of these kinds caught; should one come, `onError` gets it. */
  guard<T>(kinds: readonly GPUErrorFilter[], op: string, make: () => T, onError: (error: GradusError) => void): T {
    for (const kind of kinds) this.gpu.pushErrorScope(kind);
    try {
      return make();
    } finally {
      for (const _ of kinds) this.#await(this.gpu.popErrorScope(), op, onError);
    }
  }

  #await(answer: Promise<GPUError | null>, op: string, onError: (error: GradusError) => void): void {
    this.#hear(
      answer.then(
        (error) => {
          if (error !== null) onError(this.#errorOf(error, `${this.name}.${op}`));
        },
        () => {}, // the device is lost, which is reported elsewhere
      ),
    );
  }

  #hear(heard: Promise<void>): void {
    this.#pending.add(heard);
    void heard.then(() => this.#pending.delete(heard));
  }

  /** Resolves when every answer that was under way has come. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #errorOf(error: GPUError, op: string): GradusError {
    const outOfMemory = 'GPUOutOfMemoryError' in globalThis && error instanceof GPUOutOfMemoryError;
    if (outOfMemory)
      return new OutOfMemoryError({
        op,
        expected: 'room on the device',
        got: error.message === '' ? 'none' : error.message,
        fix: 'free what is no longer needed, or use smaller batches.',
      });
    return new DeviceRefusedError({
      op,
      expected: 'a command that the device accepts',
      got: error.message,
      fix: 'please report this with the message.',
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.gpu.destroy();
  }
}
