/** What a device counts. */

/** Counts of a device since it was made, or of what there is now. */
export interface WebGpuStatistics {
  /** Command buffers handed to the device. */
  readonly submits: number;
  /** Compute dispatches. */
  readonly dispatches: number;
  /** Shaders compiled. */
  readonly shaders: number;
  /** Buffers of blocks that are alive. */
  readonly blocks: number;
  /** Bytes that kernels use between their passes. */
  readonly scratchBytes: number;
  /** Bind groups kept for reuse. */
  readonly bindGroups: number;
  /** Buffers for reading results back, in use or waiting. */
  readonly stagingBuffers: number;
}
