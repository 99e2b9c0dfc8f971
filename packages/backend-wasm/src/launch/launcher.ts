/** Launches in memory: their frames and tables, the scratch they share, and running them. */

import { KernelError, OutOfMemoryError, roundToFloat } from '@gradus/backend';
import type { Arg, DType, Kernel } from '@gradus/backend';
import type { Blocks } from '../memory/block.ts';
import type { Heap } from '../memory/heap.ts';
import type { WorkerPool } from '../threads/pool.ts';
import type { LaunchPlan, UnitCode, WordSource } from './launch.ts';

const WORD_BYTES = 4;

/** A word that gets a new value with every run: an address, or a scalar. */
interface Blank {
  /** Its place in memory, in words. */
  readonly at: number;
  /** Which argument. */
  readonly argument: number;
  /** Bytes to add to an address. */
  readonly offset: number;
}

interface ScalarBlank {
  readonly at: number;
  readonly argument: number;
  readonly dtype: DType;
}

/** A phase with its frame in memory. */
interface PlacedPhase {
  readonly code: UnitCode;
  readonly units: number;
  readonly frame: number;
  /** Runs on the caller alone so far, until it is known how long it takes. */
  trials: number;
  /** The shortest of them, in milliseconds. */
  alone: number;
}

/** When phases are run on all threads. */
export interface SharingRule {
  /** How often a phase runs alone before it may be shared. */
  readonly trials: number;
  /** The least work that is worth it. */
  readonly worthMilliseconds: number;
}

/** The engine optimises code in its first runs; and an empty job takes 7 µs where workers have just parked. */
export const SHARE_WHERE_IT_PAYS: SharingRule = { trials: 3, worthMilliseconds: 0.03 };
/** For tests. */
export const SHARE_EVERYTHING: SharingRule = { trials: 0, worthMilliseconds: 0 };

/** What the frames of a launch leave open. */
interface Blanks {
  readonly addresses: Blank[];
  readonly scalars: ScalarBlank[];
  readonly scratch: { readonly at: number; readonly offset: number }[];
}

/** A launch with its frames in memory, ready to run. */
export interface Launch extends Readonly<Blanks> {
  /** Where its memory begins: frames, then the table. */
  readonly frame: number;
  readonly frameBytes: number;
  readonly phases: readonly PlacedPhase[];
}

/** Owns frames and scratch on one heap. */
export class Launcher {
  readonly #heap: Heap;
  readonly #blocks: Blocks;
  #scratch = 0;
  #scratchBytes = 0;

  readonly #pool: WorkerPool | null;
  readonly #now: () => number;

  readonly #sharing: SharingRule;

  constructor(blocks: Blocks, pool: WorkerPool | null, now: () => number, sharing: SharingRule) {
    this.#sharing = sharing;
    this.#pool = pool;
    this.#now = now;
    this.#blocks = blocks;
    this.#heap = blocks.heap;
  }

  /** Puts a plan for `kernel` into memory. @throws OutOfMemoryError */
  place(plan: LaunchPlan, kernel: Kernel): Launch {
    const wordCount = plan.phases.reduce((count, phase) => count + phase.words.length, 0);
    const frameBytes = WORD_BYTES * (wordCount + (plan.table?.length ?? 0));
    this.#reserveScratch(plan.scratchBytes);
    const frame = this.#take(frameBytes);
    const tableAddress = frame + WORD_BYTES * wordCount;
    const blanks: Blanks = { addresses: [], scalars: [], scratch: [] };
    let address = frame;
    const phases = plan.phases.map(({ code, units, words }) => {
      const phase: PlacedPhase = { code, units, frame: address, trials: 0, alone: Infinity };
      words.forEach((source, place) => this.#fill(address / WORD_BYTES + place, source, kernel.operands.length, tableAddress, blanks));
      address += WORD_BYTES * words.length;
      return phase;
    });
    if (plan.table !== null) this.#heap.words.set(plan.table, tableAddress / WORD_BYTES);
    return { frame, frameBytes, ...blanks, phases };
  }

  /** Writes a word that stays as it is, or notes that it gets a value with every run. */
  #fill(at: number, source: WordSource, operandCount: number, tableAddress: number, { addresses, scalars, scratch }: Blanks): void {
    switch (source.kind) {
      case 'constant':
        this.#heap.words[at] = source.value;
        break;
      case 'operand':
        addresses.push({ at, argument: source.operand, offset: source.offset });
        break;
      case 'scalar':
        scalars.push({ at, argument: operandCount + source.index, dtype: source.dtype });
        break;
      case 'scratch':
        scratch.push({ at, offset: source.offset });
        break;
      case 'table':
        this.#heap.words[at] = tableAddress + source.offset;
        break;
      default:
        source satisfies never;
    }
  }

  /** Gives a launch's memory back. */
  release(launch: { readonly frame: number; readonly frameBytes: number }): void {
    this.#heap.give(launch.frame, launch.frameBytes);
  }

  /** Fills in the blanks and runs; `args` from number `first` on are the kernel's. @throws BlockError */
  run(launch: Launch, args: readonly Arg[], first: number): void {
    const { words } = this.#heap;
    for (const { at, argument, offset } of launch.addresses) words[at] = this.#blocks.address(args[first + argument], 'run') + offset;
    for (const { at, argument, dtype } of launch.scalars) this.#setScalar(at, args[first + argument], dtype, argument);
    for (const { at, offset } of launch.scratch) words[at] = this.#scratch + offset;
    if (this.#pool === null) for (const { code, units, frame } of launch.phases) code.run(frame, 0, units);
    else for (const phase of launch.phases) this.#share(phase, this.#pool);
  }

  /** Runs a phase on all threads where that pays. */
  #share(phase: PlacedPhase, pool: WorkerPool): void {
    const { code, units, frame } = phase;
    const shareable = units > 1 && code.module >= 0;
    const { trials, worthMilliseconds } = this.#sharing;
    const known = phase.trials >= trials;
    if (shareable && known && phase.alone > worthMilliseconds && pool.ready > 0) {
      pool.run(code, frame, units);
      return;
    }
    if (!shareable || known) {
      code.run(frame, 0, units);
      return;
    }
    const start = this.#now();
    code.run(frame, 0, units);
    phase.alone = Math.min(phase.alone, this.#now() - start);
    phase.trials++;
  }

  #setScalar(at: number, value: unknown, dtype: DType, argument: number): void {
    if (typeof value !== 'number') throw new KernelError({ op: 'wasm.run', expected: `a number for argument ${argument}`, got: typeof value });
    if (dtype === 'float32') this.#heap.floats[at] = value;
    else if (dtype === 'float16' || dtype === 'bfloat16') this.#heap.floats[at] = roundToFloat(dtype, value);
    else this.#heap.words[at] = value;
  }

  #reserveScratch(byteLength: number): void {
    if (byteLength <= this.#scratchBytes) return;
    if (this.#scratchBytes > 0) this.#heap.give(this.#scratch, this.#scratchBytes);
    this.#scratchBytes = 0;
    this.#scratch = this.#take(byteLength);
    this.#scratchBytes = byteLength;
  }

  #take(byteLength: number): number {
    const address = this.#heap.take(byteLength);
    if (address >= 0) return address;
    throw new OutOfMemoryError({
      op: 'wasm.run',
      expected: `room for ${byteLength} bytes of working memory`,
      got: `${this.#blocks.liveBytes} bytes live`,
      fix: 'free what is no longer needed, or use smaller batches.',
    });
  }
}
