/** The backend object: checks what callers pass, keeps memory, executables and launches, and runs kernels in the order of the calls. */

import { CONTRACT_VERSION, KernelError, UnsupportedError, kernelKey, operandPositions, verifyKernel } from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, Executable, Kernel, Recording, Run } from '@gradus/backend';
import { capabilitiesOf, supports } from './capabilities.ts';
import type { Features } from './engine/features.ts';
import { createToolchain } from './engine/toolchain.ts';
import type { Toolchain } from './engine/toolchain.ts';
import type { Planner } from './kernels/prepare-map.ts';
import { Launcher } from './launch/launcher.ts';
import type { Launch } from './launch/launcher.ts';
import { Blocks } from './memory/block.ts';
import { Heap } from './memory/heap.ts';
import { prepareKernel } from './prepare.ts';

/** Launches that an executable remembers: more sizes than a program has at one place, as a rule. */
const REMEMBERED_LAUNCHES = 32;

interface Remembered {
  readonly dims: Int32Array;
  readonly launch: Launch;
}

class WasmExecutable implements Executable {
  readonly kernel: Kernel;
  readonly owner: WasmBackend;
  readonly plan: Planner;
  readonly argumentCount: number;
  /** How many entries `dims` must have. */
  readonly dimsLength: number;
  /** The latest first. */
  readonly launches: Remembered[] = [];

  constructor(owner: WasmBackend, kernel: Kernel, plan: Planner) {
    this.owner = owner;
    this.kernel = kernel;
    this.plan = plan;
    this.argumentCount = kernel.operands.length + kernel.scalars.length;
    this.dimsLength = operandPositions(kernel).at(-1) ?? 0;
  }
}

/** Launches in a row, each with the place of its first argument. */
class WasmRecording implements Recording {
  readonly length: number;
  readonly owner: WasmBackend;
  readonly steps: readonly { readonly launch: Launch; readonly first: number }[];
  readonly argumentCount: number;

  constructor(owner: WasmBackend, steps: WasmRecording['steps'], argumentCount: number) {
    this.owner = owner;
    this.steps = steps;
    this.length = steps.length;
    this.argumentCount = argumentCount;
  }
}

function equalDims(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** See `wasm()`. */
export class WasmBackend implements Backend {
  readonly contract: typeof CONTRACT_VERSION = CONTRACT_VERSION;
  readonly name: string = 'wasm';
  readonly capabilities: Capabilities;
  readonly #blocks: Blocks;
  readonly #toolchain: Toolchain;
  readonly #launcher: Launcher;
  readonly #executables = new Map<string, WasmExecutable>();
  /** Gives the memory of recordings back that nobody holds any more. */
  readonly #forgotten: FinalizationRegistry<readonly Launch[]>;

  constructor(features: Features, memoryLimitBytes: number) {
    const heap = new Heap(false);
    this.capabilities = capabilitiesOf(features, 1);
    this.#blocks = new Blocks(this.name, heap, memoryLimitBytes);
    this.#toolchain = createToolchain(heap.memory, false, features);
    this.#launcher = new Launcher(this.#blocks);
    this.#forgotten = new FinalizationRegistry((launches) => {
      for (const launch of launches) this.#launcher.release(launch);
    });
  }

  get allocatedBytes(): number {
    return this.#blocks.liveBytes;
  }

  allocate(byteLength: number): Block {
    this.#blocks.assertUsable('allocate');
    return this.#blocks.allocate(byteLength);
  }

  free(block: Block): void {
    this.#blocks.assertUsable('free');
    this.#blocks.free(block);
  }

  write(block: Block, bytes: Uint8Array, byteOffset = 0): void {
    this.#blocks.assertUsable('write');
    this.#blocks.bytes(block, byteOffset, bytes.byteLength, 'write').set(bytes);
  }

  async read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    return this.#copy(block, byteOffset, byteLength, 'read');
  }

  readSync(block: Block, byteOffset: number, byteLength: number): Uint8Array {
    return this.#copy(block, byteOffset, byteLength, 'readSync');
  }

  #copy(block: Block, byteOffset: number, byteLength: number, op: string): Uint8Array {
    this.#blocks.assertUsable(op);
    return this.#blocks.bytes(block, byteOffset, byteLength, op).slice();
  }

  supports(kernel: Kernel): boolean {
    return supports(kernel, this.#toolchain.features);
  }

  prepare(kernel: Kernel): Executable {
    this.#blocks.assertUsable('prepare');
    const key = kernelKey(kernel);
    const known = this.#executables.get(key);
    if (known !== undefined) return known;
    if (!this.supports(kernel))
      throw new UnsupportedError({
        op: 'wasm.prepare',
        expected: 'a kernel that supports() accepts',
        got: `${kernel.kind} with ${key}`,
        fix: 'decompose it.',
      });
    verifyKernel(kernel);
    const made = new WasmExecutable(this, kernel, prepareKernel(kernel, this.#toolchain));
    this.#executables.set(key, made);
    return made;
  }

  run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    this.#blocks.assertUsable('run');
    const mine = this.#own(executable, args.length, dims);
    this.#check(mine.kernel, args);
    this.#launcher.run(this.#launchOf(mine, dims), args, 0);
  }

  #own(executable: Executable, argumentCount: number, dims: Int32Array): WasmExecutable {
    if (!(executable instanceof WasmExecutable) || executable.owner !== this)
      throw new KernelError({ op: 'wasm.run', expected: 'an executable prepared by this backend', got: 'one of another' });
    if (argumentCount !== executable.argumentCount || dims.length !== executable.dimsLength)
      throw new KernelError({
        op: executable.kernel.kind,
        expected: `${executable.argumentCount} arguments and dims of length ${executable.dimsLength}`,
        got: `${argumentCount} and ${dims.length}`,
      });
    return executable;
  }

  /** Blocks are looked at before anything is written, also those that a run of no points has no use for. */
  #check(kernel: Kernel, args: readonly Arg[]): void {
    for (let k = 0; k < kernel.operands.length; k++) this.#blocks.address(args[k], 'run');
  }

  #launchOf(executable: WasmExecutable, dims: Int32Array): Launch {
    const { launches } = executable;
    for (let at = 0; at < launches.length; at++) {
      const remembered = launches[at];
      if (remembered === undefined || !equalDims(remembered.dims, dims)) continue;
      if (at > 0) {
        launches.splice(at, 1);
        launches.unshift(remembered);
      }
      return remembered.launch;
    }
    const launch = this.#launcher.place(executable.plan(dims), executable.kernel);
    launches.unshift({ dims: dims.slice(), launch });
    const oldest = launches.length > REMEMBERED_LAUNCHES ? launches.pop() : undefined;
    if (oldest !== undefined) this.#launcher.release(oldest.launch);
    return launch;
  }

  flush(): void {
    this.#blocks.assertUsable('flush');
  }

  async synchronize(): Promise<void> {
    this.#blocks.assertUsable('synchronize');
  }

  record(runs: readonly Run[]): Recording {
    this.#blocks.assertUsable('record');
    let first = 0;
    const steps = runs.map(({ executable, args, dims }) => {
      const mine = this.#own(executable, args.length, dims);
      const step = { launch: this.#launcher.place(mine.plan(dims), mine.kernel), first };
      first += mine.argumentCount;
      return step;
    });
    const recording = new WasmRecording(this, steps, first);
    this.#forgotten.register(
      recording,
      steps.map((step) => step.launch),
    );
    return recording;
  }

  replay(recording: Recording, args: readonly Arg[]): void {
    this.#blocks.assertUsable('replay');
    if (!(recording instanceof WasmRecording) || recording.owner !== this)
      throw new KernelError({ op: 'wasm.replay', expected: 'a recording of this backend', got: 'one of another' });
    if (args.length !== recording.argumentCount)
      throw new KernelError({ op: 'wasm.replay', expected: `${recording.argumentCount} arguments`, got: String(args.length) });
    for (const { launch, first } of recording.steps) this.#launcher.run(launch, args, first);
  }

  dispose(): void {
    this.#blocks.dispose();
    this.#executables.clear();
  }
}
