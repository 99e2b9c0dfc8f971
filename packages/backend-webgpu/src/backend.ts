/** The backend object: checks what callers pass, keeps memory, executables and launches, and queues kernels in the order of the calls. */

import { CONTRACT_VERSION, KernelError, UnsupportedError, kernelKey, operandPositions, verifyKernel } from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, Executable, Kernel, Recording, Run } from '@gradus/backend';
import { capabilitiesOf, supports } from './capabilities.ts';
import type { Device } from './device/device.ts';
import type { Toolchain } from './device/toolchain.ts';
import type { DeviceLostError } from './errors.ts';
import type { Launch, Planner } from './launch/launch.ts';
import { Runner } from './launch/runner.ts';
import type { PlacedLaunch, RecordedLaunches } from './launch/runner.ts';
import { Blocks } from './memory/blocks.ts';
import type { Memory } from './memory/blocks.ts';
import { EdgeWriter, split } from './memory/edges.ts';
import { Scratch } from './memory/scratch.ts';
import { prepareKernel } from './prepare.ts';
import type { ProductShape, TileChoice } from './product/tiles.ts';
import { shapeClass } from './product/tiles.ts';
import { Pipelines } from './program/pipelines.ts';
import { CommandQueue } from './queue/queue.ts';
import type { WebGpuStatistics } from './statistics.ts';
import type { TextStore } from './tuning/store.ts';
import { entryName, tilesText } from './tuning/store.ts';
import { COMMON_SHAPES, elementsOf, tuneProduct } from './tuning/tune.ts';
import type { TunedProduct } from './tuning/tune.ts';

/** Launches that an executable remembers: more sizes than a program has at one place, as a rule. */
const REMEMBERED_LAUNCHES = 32;

interface Remembered {
  readonly dims: Int32Array;
  readonly launch: Launch;
}

class WebGpuExecutable implements Executable {
  readonly kernel: Kernel;
  readonly owner: WebGpuBackend;
  readonly plan: Planner;
  readonly argumentCount: number;
  /** How many entries `dims` must have. */
  readonly dimsLength: number;
  /** The latest first. */
  readonly launches: Remembered[] = [];

  constructor(owner: WebGpuBackend, kernel: Kernel, plan: Planner) {
    this.owner = owner;
    this.kernel = kernel;
    this.plan = plan;
    this.argumentCount = kernel.operands.length + kernel.scalars.length;
    this.dimsLength = operandPositions(kernel).at(-1) ?? 0;
  }

  launch(dims: Int32Array): Launch {
    const { launches } = this;
    for (let at = 0; at < launches.length; at++) {
      const remembered = launches[at];
      if (remembered === undefined || !equalDims(remembered.dims, dims)) continue;
      if (at > 0) {
        launches.splice(at, 1);
        launches.unshift(remembered);
      }
      return remembered.launch;
    }
    const launch = this.plan(dims);
    launches.unshift({ dims: dims.slice(), launch });
    if (launches.length > REMEMBERED_LAUNCHES) launches.pop();
    return launch;
  }
}

function equalDims(a: Int32Array, b: Int32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

class WebGpuRecording implements Recording {
  readonly length: number;
  readonly owner: WebGpuBackend;
  readonly launches: RecordedLaunches;
  readonly argumentCount: number;

  constructor(owner: WebGpuBackend, launches: RecordedLaunches, length: number, argumentCount: number) {
    this.owner = owner;
    this.launches = launches;
    this.length = length;
    this.argumentCount = argumentCount;
  }
}

/** What a backend is made with. */
export interface Settings {
  readonly device: Device;
  readonly toolchain: Toolchain;
  readonly memoryLimitBytes: number;
  readonly timeoutMilliseconds: number;
  /** Tiles that were measured before, and where new ones are kept; null where there is no such place. */
  readonly tunedTiles: Map<string, TileChoice>;
  readonly store: TextStore | null;
}

/** See `webgpu()`. */
export class WebGpuBackend implements Backend {
  readonly contract: typeof CONTRACT_VERSION = CONTRACT_VERSION;
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #device: Device;
  readonly #toolchain: Toolchain;
  readonly #blocks: Blocks;
  readonly #scratch: Scratch;
  readonly #pipelines: Pipelines;
  readonly #queue: CommandQueue;
  readonly #runner: Runner;
  readonly #edges: EdgeWriter = new EdgeWriter();
  readonly #tunedTiles: Map<string, TileChoice>;
  readonly #store: TextStore | null;
  readonly #executables = new Map<string, WebGpuExecutable>();
  /** Lets go of the frames of recordings that nobody holds any more. */
  readonly #forgotten = new FinalizationRegistry<GPUBuffer>((buffer) => buffer.destroy());

  constructor({ device, toolchain, memoryLimitBytes, timeoutMilliseconds, tunedTiles, store }: Settings) {
    this.name = device.name;
    this.#device = device;
    this.#toolchain = { ...toolchain, tuned: tunedTiles };
    this.#tunedTiles = tunedTiles;
    this.#store = store;
    this.capabilities = capabilitiesOf(toolchain, device.gpu.limits);
    this.#blocks = new Blocks(device, memoryLimitBytes, this.capabilities.maxBlockBytes);
    this.#pipelines = new Pipelines(device);
    this.#queue = new CommandQueue(device, this.#pipelines, timeoutMilliseconds);
    this.#scratch = new Scratch(device, (memory) => this.#release(memory));
    this.#runner = new Runner(device.gpu, this.#blocks, this.#scratch, this.#pipelines, this.#queue);
  }

  /** The `GPUDevice` underneath. */
  get gpu(): object {
    return this.#device.gpu;
  }

  /** Resolves, with what happened, when the device is lost otherwise than by `dispose`. */
  get lost(): Promise<DeviceLostError> {
    return this.#device.lost;
  }

  get statistics(): WebGpuStatistics {
    return {
      ...this.#queue.statistics,
      shaders: this.#pipelines.compiled,
      blocks: this.#blocks.count,
      scratchBytes: this.#scratch.byteLength,
      bindGroups: this.#pipelines.bindGroups,
      stagingBuffers: this.#queue.stagingBuffers,
    };
  }

  get allocatedBytes(): number {
    return this.#blocks.liveBytes;
  }

  allocate(byteLength: number): Block {
    this.#device.assertUsable('allocate');
    return this.#blocks.allocate(byteLength);
  }

  free(block: Block): void {
    // A lost device has nothing left to free, but its blocks are still accounted for.
    if (this.#device.isDisposed) this.#device.assertUsable('free');
    this.#release(this.#blocks.free(block));
  }

  #release(memory: Memory): void {
    this.#pipelines.forget(memory);
    this.#queue.release(memory);
  }

  write(block: Block, bytes: Uint8Array, byteOffset = 0): void {
    this.#device.assertUsable('write');
    const memory = this.#blocks.range(block, byteOffset, bytes.byteLength, 'write');
    const { before, whole, after } = split(byteOffset, bytes.byteLength, block.byteLength);
    if (before > 0) this.#writeEdge(block, byteOffset, bytes.subarray(0, before));
    if (whole > 0) this.#queue.write(memory, byteOffset + before, wholeWords(bytes.subarray(before, before + whole)));
    if (after > 0) this.#writeEdge(block, byteOffset + before + whole, bytes.subarray(before + whole));
  }

  #writeEdge(block: Block, byteOffset: number, bytes: Uint8Array): void {
    this.#runner.run({ dispatches: [this.#edges.dispatch(byteOffset, bytes)], scratch: [] }, [block], 1);
  }

  async read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    this.#device.assertUsable('read');
    const memory = this.#blocks.range(block, byteOffset, byteLength, 'read');
    return byteLength === 0 ? new Uint8Array() : this.#queue.read(memory, byteOffset, byteLength);
  }

  supports(kernel: Kernel): boolean {
    return supports(kernel);
  }

  prepare(kernel: Kernel): Executable {
    this.#device.assertUsable('prepare');
    const key = kernelKey(kernel);
    const known = this.#executables.get(key);
    if (known !== undefined) return known;
    if (!this.supports(kernel))
      throw new UnsupportedError({
        op: 'webgpu.prepare',
        expected: 'a kernel that supports() accepts',
        got: `${kernel.kind} with ${key}`,
        fix: 'decompose it.',
      });
    verifyKernel(kernel);
    const made = new WebGpuExecutable(this, kernel, prepareKernel(kernel, this.#toolchain));
    this.#executables.set(key, made);
    return made;
  }

  run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    this.#device.assertUsable('run');
    const mine = this.#own(executable, args.length, dims);
    const { operands } = mine.kernel;
    // Blocks are looked at before anything is queued, also those that a run of no points has no use for.
    for (let k = 0; k < operands.length; k++) this.#blocks.memory(args[k], 'run');
    this.#runner.run(mine.launch(dims), args, operands.length);
  }

  #own(executable: Executable, argumentCount: number, dims: Int32Array): WebGpuExecutable {
    if (!(executable instanceof WebGpuExecutable) || executable.owner !== this)
      throw new KernelError({ op: 'webgpu.run', expected: 'an executable prepared by this backend', got: 'one of another' });
    if (argumentCount !== executable.argumentCount || dims.length !== executable.dimsLength)
      throw new KernelError({
        op: executable.kernel.kind,
        expected: `${executable.argumentCount} arguments and dims of length ${executable.dimsLength}`,
        got: `${argumentCount} and ${dims.length}`,
      });
    return executable;
  }

  flush(): void {
    this.#device.assertUsable('flush');
    this.#queue.submit();
  }

  async synchronize(): Promise<void> {
    this.#device.assertUsable('synchronize');
    await this.#queue.synchronize();
  }

  record(runs: readonly Run[]): Recording {
    this.#device.assertUsable('record');
    let first = 0;
    const placed = runs.map(({ executable, args, dims }): PlacedLaunch => {
      const mine = this.#own(executable, args.length, dims);
      const placement = { launch: mine.plan(dims), first, operands: mine.kernel.operands.length };
      first += mine.argumentCount;
      return placement;
    });
    const launches = this.#runner.record(placed);
    const recording = new WebGpuRecording(this, launches, runs.length, first);
    this.#forgotten.register(recording, launches.frames.buffer);
    return recording;
  }

  replay(recording: Recording, args: readonly Arg[]): void {
    this.#device.assertUsable('replay');
    if (!(recording instanceof WebGpuRecording) || recording.owner !== this)
      throw new KernelError({ op: 'webgpu.replay', expected: 'a recording of this backend', got: 'one of another' });
    if (args.length !== recording.argumentCount)
      throw new KernelError({ op: 'webgpu.replay', expected: `${recording.argumentCount} arguments`, got: String(args.length) });
    this.#runner.replay(recording.launches, args);
  }

  get tunedTiles(): ReadonlyMap<string, TileChoice> {
    return this.#tunedTiles;
  }

  async tune(shapes: readonly ProductShape[] = COMMON_SHAPES): Promise<readonly TunedProduct[]> {
    this.#device.assertUsable('tune');
    shapes.forEach(checkShape);
    const found: TunedProduct[] = [];
    for (const shape of shapes) found.push(await this.#tuneOne(shape));
    for (const { shape, choice } of found) this.#tunedTiles.set(shapeClass(shape), choice);
    // What was planned before has the old tiles.
    for (const { launches } of this.#executables.values()) launches.length = 0;
    await this.#store?.write(entryName(this.name), tilesText(this.#tunedTiles));
    return found;
  }

  async #tuneOne(shape: ProductShape): Promise<TunedProduct> {
    const blocks: Block[] = [];
    try {
      for (const count of elementsOf(shape)) blocks.push(this.allocate(4 * count));
      const run = (launch: Launch): void => this.#runner.run(launch, blocks, blocks.length);
      return await tuneProduct(shape, this.#toolchain, { run, synchronize: () => this.synchronize() });
    } finally {
      for (const block of blocks) this.free(block);
    }
  }

  dispose(): void {
    if (this.#device.isDisposed) return;
    this.#blocks.dispose();
    this.#scratch.dispose();
    this.#queue.dispose();
    this.#pipelines.dispose();
    this.#executables.clear();
    this.#device.dispose();
  }
}

function checkShape({ batch, m, n, k }: ProductShape): void {
  if ([batch, m, n, k].every((size) => Number.isInteger(size) && size > 0)) return;
  throw new KernelError({
    op: 'webgpu.tune',
    expected: 'batch, m, n and k of every shape: whole numbers above 0',
    got: `batch ${batch}, m ${m}, n ${n}, k ${k}`,
  });
}

/** Bytes filled up to whole words: a copy where they are not whole already. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength % 4 === 0) return bytes;
  const padded = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  padded.set(bytes);
  return padded;
}
