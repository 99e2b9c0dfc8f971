/**
 * How the threads of a pool talk: a few words of shared memory, the same for the caller and for every worker.
 *
 * Words used here:
 * - **job**: the units of one phase. Its number is in `sequence`; workers wait for that to change.
 * - **chunk**: some units of a job, claimed together by compare-and-exchange on `next`, which holds the low bits of the job's number (the *tag*)
 *   over the number of the next free chunk. So nobody claims a chunk of a job other than the one whose words it has read.
 * - **active**: how many workers are between looking at a job and being done with it. The caller publishes no job while any is: then words never
 *   change under a worker's eyes, and tags cannot come round.
 */

/** Places of the words, in 32-bit words from the beginning of the control area. */
export const CONTROL = {
  sequence: 0,
  module: 1,
  frame: 2,
  units: 3,
  grain: 4,
  chunks: 5,
  next: 6,
  active: 7,
  parked: 8,
  stop: 9,
  failed: 10,
  ready: 11,
  bytes: 12,
} as const;

/** Where the control area and the directory of modules are, and how chunks are numbered. Sent to workers as it is. */
export interface ControlArea {
  /** In 32-bit words. */
  readonly control: number;
  /** Two words a module: address and length of its bytes. */
  readonly directory: number;
  readonly chunkBits: number;
  /** How often a worker looks for a job before it parks. */
  readonly spins: number;
  readonly words: typeof CONTROL;
}

/** Bytes of the control area: a few cache lines. */
export const CONTROL_BYTES = 256;
/** Most modules that workers know; code beyond runs on the caller alone. */
export const DIRECTORY_CAPACITY = 16_384;
/** Chunks of a job fit these bits; the tag has the rest. */
export const CHUNK_BITS = 16;
/** About 100 µs: longer than what passes between two kernels of a step. */
export const SPINS = 20_000;
