/**
 * The queue: dispatches are collected into one **batch** of commands, with their frames in one uniform buffer, and submitted together. A batch
 * ends when it is full, when somebody waits for a result, when memory that it uses is written from outside, or on `flush`.
 */

import type { Device } from '../device/device.ts';
import type { Memory } from '../memory/blocks.ts';
import { FRAME_ALIGNMENT } from '../program/pipelines.ts';
import type { Pipelines, Variant } from '../program/pipelines.ts';
import { Readback } from './readback.ts';

/** Room for the frames of one batch: some 256 dispatches. */
const FRAME_BYTES = 65_536;

/** Counts of one queue since it was made. */
export interface QueueStatistics {
  readonly submits: number;
  readonly dispatches: number;
}

/** A buffer with frames, and its bind groups by the size of what they show. */
export class FrameBuffer {
  readonly buffer: GPUBuffer;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #pipelines: Pipelines;
  readonly #groups: GPUBindGroup[] = [];

  constructor(gpu: GPUDevice, pipelines: Pipelines, byteLength: number) {
    this.buffer = gpu.createBuffer({ label: 'frames', size: byteLength, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.words = new Int32Array(byteLength / 4);
    this.#pipelines = pipelines;
  }

  /** The group that shows `units` times the alignment from a dynamic offset on. */
  group(units: number): GPUBindGroup {
    return (this.#groups[units] ??= this.#pipelines.frameGroup(this.buffer, units * FRAME_ALIGNMENT));
  }

  upload(queue: GPUQueue, byteLength: number): void {
    queue.writeBuffer(this.buffer, 0, this.words, 0, byteLength / 4);
  }
}

/** How many alignments a frame of `words` words takes. */
export function frameUnits(words: number): number {
  return Math.ceil((words * 4) / FRAME_ALIGNMENT);
}

/** One queue. */
export class CommandQueue {
  readonly #device: Device;
  readonly #frames: FrameBuffer;
  readonly #readback: Readback;
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #frameBytes = 0;
  /** The number of the batch being collected. */
  #batch = 0;
  /** Buffers to let go of when the batch is submitted. */
  readonly #leaving: Memory[] = [];
  #submits = 0;
  #dispatches = 0;

  constructor(device: Device, pipelines: Pipelines, timeoutMilliseconds: number) {
    this.#device = device;
    this.#frames = new FrameBuffer(device.gpu, pipelines, FRAME_BYTES);
    this.#readback = new Readback(device, timeoutMilliseconds);
  }

  get statistics(): QueueStatistics {
    return { submits: this.#submits, dispatches: this.#dispatches };
  }

  get stagingBuffers(): number {
    return this.#readback.count;
  }

  #encoding(): GPUCommandEncoder {
    return (this.#encoder ??= this.#device.gpu.createCommandEncoder());
  }

  #computing(): GPUComputePassEncoder {
    return (this.#pass ??= this.#encoding().beginComputePass());
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  /** Where the words of the next frame go; the batch makes room if it must. */
  reserve(words: number): { readonly into: Int32Array; readonly at: number } {
    const bytes = frameUnits(words) * FRAME_ALIGNMENT;
    if (this.#frameBytes + bytes > FRAME_BYTES) this.submit();
    const at = this.#frameBytes;
    this.#frameBytes += bytes;
    return { into: this.#frames.words, at: at / 4 };
  }

  /** Adds a dispatch whose frame begins at word `at` of `frames`: those of the batch where it is left out. */
  dispatch(
    { pipeline }: Variant,
    group: GPUBindGroup,
    memories: readonly Memory[],
    frame: { readonly at: number; readonly units: number; readonly frames?: FrameBuffer },
    { x, y }: { readonly x: number; readonly y: number },
  ): void {
    const pass = this.#computing();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, (frame.frames ?? this.#frames).group(frame.units), [frame.at * 4]);
    pass.setBindGroup(1, group);
    pass.dispatchWorkgroups(x, y);
    for (const memory of memories) memory.lastUse = this.#batch;
    this.#dispatches++;
  }

  /** Submits what was collected. */
  submit(): void {
    if (this.#encoder !== null) {
      this.#endPass();
      const { queue } = this.#device.gpu;
      if (this.#frameBytes > 0) this.#frames.upload(queue, this.#frameBytes);
      queue.submit([this.#encoder.finish()]);
      this.#encoder = null;
      this.#submits++;
    }
    this.#frameBytes = 0;
    this.#batch++;
    for (const { buffer } of this.#leaving) buffer.destroy();
    this.#leaving.length = 0;
  }

  /** Has the batch being collected a use for this memory? */
  uses({ lastUse }: Memory): boolean {
    return lastUse === this.#batch;
  }

  /** Writes whole words, after all that was queued before. */
  write(memory: Memory, byteOffset: number, bytes: Uint8Array): void {
    if (this.uses(memory)) this.submit();
    this.#device.gpu.queue.writeBuffer(memory.buffer, byteOffset, bytes);
  }

  /** The bytes after everything queued so far. */
  read(memory: Memory, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    return this.#readback.read(byteOffset, byteLength, (staging, from, size) => {
      this.#endPass();
      this.#encoding().copyBufferToBuffer(memory.buffer, from, staging, 0, size);
      this.submit();
    });
  }

  /** Resolves when everything queued so far is done. */
  synchronize(): Promise<void> {
    this.submit();
    return this.#readback.within('synchronize', this.#device.gpu.queue.onSubmittedWorkDone());
  }

  /** Lets go of a buffer in queue order. */
  release(memory: Memory): void {
    if (this.uses(memory)) this.#leaving.push(memory);
    else memory.buffer.destroy();
  }

  dispose(): void {
    this.#frames.buffer.destroy();
    this.#readback.dispose();
  }
}
