/** Runs launches: binds memory to the slots of their programs, fills frames in, and hands the dispatches to the queue. */

import type { Arg } from '@gradus/backend';
import type { Blocks, Memory } from '../memory/blocks.ts';
import type { Scratch } from '../memory/scratch.ts';
import { scalarBits } from '../program/frame.ts';
import type { ScalarWord } from '../program/frame.ts';
import { FRAME_ALIGNMENT } from '../program/pipelines.ts';
import type { Pipelines, Variant } from '../program/pipelines.ts';
import { FrameBuffer, frameUnits } from '../queue/queue.ts';
import type { CommandQueue } from '../queue/queue.ts';
import type { Dispatch, Launch } from './launch.ts';

/** A dispatch as it was last bound: most are bound alike again. */
interface Bound {
  readonly memories: Memory[];
  variant: Variant | null;
  group: GPUBindGroup | null;
  /** The memory of each binding of the variant. */
  used: readonly Memory[];
  /** The group was made from these; a buffer that is gone leaves a group that nobody asks for again. */
  readonly units: number;
}

/** One dispatch of a recording, with its frame's place in the recording's buffer. */
interface Recorded {
  readonly dispatch: Dispatch;
  readonly at: number;
  /** The first of its run's arguments, among all of the recording's. */
  readonly first: number;
  /** Operands of its kernel: scalars come after them. */
  readonly operands: number;
  readonly bound: Bound;
}

/** Launches with frames of their own. */
export interface RecordedLaunches {
  readonly dispatches: readonly Recorded[];
  readonly frames: FrameBuffer;
  readonly bytes: number;
  uploaded: boolean;
}

/** A launch among those of a recording. */
export interface PlacedLaunch {
  readonly launch: Launch;
  readonly first: number;
  readonly operands: number;
}

/** Runs launches of one backend. */
export class Runner {
  readonly #gpu: GPUDevice;
  readonly #blocks: Blocks;
  readonly #scratch: Scratch;
  readonly #pipelines: Pipelines;
  readonly #queue: CommandQueue;
  readonly #bound = new WeakMap<Dispatch, Bound>();

  constructor(gpu: GPUDevice, blocks: Blocks, scratch: Scratch, pipelines: Pipelines, queue: CommandQueue) {
    this.#gpu = gpu;
    this.#blocks = blocks;
    this.#scratch = scratch;
    this.#pipelines = pipelines;
    this.#queue = queue;
  }

  /** Queues a launch. */
  run({ dispatches, scratch }: Launch, args: readonly Arg[], operands: number): void {
    this.#scratch.require(scratch);
    for (const dispatch of dispatches) {
      let bound = this.#bound.get(dispatch);
      if (bound === undefined) this.#bound.set(dispatch, (bound = unbound(dispatch)));
      const { into, at } = this.#queue.reserve(dispatch.words.length);
      into.set(dispatch.words, at);
      fillScalars(into, at, dispatch.program.frame.scalars, args, operands);
      this.#encode(dispatch, this.#bind(dispatch, bound, args, 0), { at, units: bound.units });
    }
  }

  /** Prepares launches for `replay`. */
  record(launches: readonly PlacedLaunch[]): RecordedLaunches {
    const dispatches: Recorded[] = [];
    let bytes = 0;
    for (const { launch, first, operands } of launches) {
      this.#scratch.require(launch.scratch);
      for (const dispatch of launch.dispatches) {
        const bound = unbound(dispatch);
        dispatches.push({ dispatch, at: bytes / 4, first, operands, bound });
        bytes += bound.units * FRAME_ALIGNMENT;
      }
    }
    const frames = new FrameBuffer(this.#gpu, this.#pipelines, Math.max(FRAME_ALIGNMENT, bytes));
    for (const { dispatch, at } of dispatches) frames.words.set(dispatch.words, at);
    return { dispatches, frames, bytes, uploaded: false };
  }

  /** Queues what was recorded, with other arguments, and submits it. */
  replay(recording: RecordedLaunches, args: readonly Arg[]): void {
    const { dispatches, frames, bytes } = recording;
    let changed = !recording.uploaded;
    for (const { dispatch, at, first, operands } of dispatches)
      if (fillScalars(frames.words, at, dispatch.program.frame.scalars, args, first + operands)) changed = true;
    // Nothing that waits reads these frames: every replay is submitted at once.
    if (changed && bytes > 0) frames.upload(this.#gpu.queue, bytes);
    recording.uploaded = true;
    for (const { dispatch, at, first, bound } of dispatches)
      this.#encode(dispatch, this.#bind(dispatch, bound, args, first), { at, units: bound.units, frames });
    this.#queue.submit();
  }

  #encode(dispatch: Dispatch, { variant, group, used }: Bound, frame: { at: number; units: number; frames?: FrameBuffer }): void {
    if (variant === null || group === null) return;
    this.#queue.dispatch(variant, group, used, frame, dispatch);
  }

  /** Finds the variant and the bind group for the memory that the slots have now. */
  #bind({ program, sources }: Dispatch, bound: Bound, args: readonly Arg[], first: number): Bound {
    const { memories } = bound;
    let same = bound.group !== null;
    for (let k = 0; k < sources.length; k++) {
      const source = sources[k];
      if (source === undefined) continue;
      const memory = 'operand' in source ? this.#blocks.memory(args[first + source.operand], 'run') : this.#scratch.memory(source.scratch);
      if (memories[k] === memory) continue;
      memories[k] = memory;
      same = false;
    }
    if (same) return bound;
    const variant = this.#pipelines.variant(program, patternOf(program, memories));
    bound.variant = variant;
    bound.used = variant.firsts.flatMap((k) => memories[k] ?? []);
    bound.group = this.#pipelines.group(variant, bound.used);
    return bound;
  }
}

function unbound({ words }: Dispatch): Bound {
  return { memories: [], variant: null, group: null, used: [], units: frameUnits(words.length) };
}

/** Slots with one memory share a binding if any of them is written. */
function patternOf({ slots }: Dispatch['program'], memories: readonly Memory[]): number[] {
  return slots.map((_, k) => {
    const twins = slots.filter((_slot, j) => memories[j] === memories[k]);
    return twins.length > 1 && twins.some(({ access }) => access !== 'read') ? memories.indexOf(memories[k] as Memory) : k;
  });
}

/** Puts numbers among the arguments into a frame; `first` is where they begin. True when one has changed. */
function fillScalars(words: Int32Array, at: number, scalars: readonly ScalarWord[], args: readonly Arg[], first: number): boolean {
  let changed = false;
  for (const scalar of scalars) {
    const bits = scalarBits(args[first + scalar.index] as number, scalar.dtype);
    if (words[at + scalar.at] === bits) continue;
    words[at + scalar.at] = bits;
    changed = true;
  }
  return changed;
}
