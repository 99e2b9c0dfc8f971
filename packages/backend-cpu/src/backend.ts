/** The backend object: checks what callers pass, keeps memory and executables, and runs kernels at once, in the order of the calls. */

import { CONTRACT_VERSION, KernelError, UnsupportedError, kernelKey, operandPositions, verifyKernel } from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, Executable, Kernel } from '@gradus/backend';

import { CAPABILITIES, supports } from './capabilities.ts';
import type { KernelCode } from './codegen/compile.ts';
import { Memory } from './memory/block.ts';
import { ROUND } from './numerics/scalar.ts';
import { prepareKernel } from './prepare.ts';
import type { Toolchain } from './prepare.ts';
import { createWorkspace } from './workspace.ts';
import type { Workspace } from './workspace.ts';

class CpuExecutable implements Executable {
  readonly kernel: Kernel;
  readonly code: KernelCode;
  readonly owner: CpuBackend;
  /** How many entries `dims` must have. */
  readonly dimsLength: number;

  constructor(owner: CpuBackend, kernel: Kernel, code: KernelCode) {
    this.owner = owner;
    this.kernel = kernel;
    this.code = code;
    this.dimsLength = operandPositions(kernel).at(-1) ?? 0;
  }
}

/** See `cpu()`. */
export class CpuBackend implements Backend {
  readonly contract: typeof CONTRACT_VERSION = CONTRACT_VERSION;
  readonly name: string = 'cpu';
  readonly capabilities: Capabilities = CAPABILITIES;
  readonly #memory: Memory;
  readonly #toolchain: Toolchain;
  #workspace: Workspace = createWorkspace();
  readonly #executables = new Map<string, CpuExecutable>();

  constructor(toolchain: Toolchain, memoryLimitBytes: number) {
    this.#toolchain = toolchain;
    this.#memory = new Memory(this.name, memoryLimitBytes);
  }

  get allocatedBytes(): number {
    return this.#memory.liveBytes;
  }

  allocate(byteLength: number): Block {
    this.#memory.assertUsable('allocate');
    return this.#memory.allocate(byteLength, this.capabilities.maxBlockBytes);
  }

  free(block: Block): void {
    this.#memory.assertUsable('free');
    this.#memory.free(block);
  }

  write(block: Block, bytes: Uint8Array, byteOffset = 0): void {
    this.#memory.assertUsable('write');
    this.#memory.bytes(block, byteOffset, bytes.byteLength, 'write').set(bytes);
  }

  async read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    return this.#copy(block, byteOffset, byteLength, 'read');
  }

  readSync(block: Block, byteOffset: number, byteLength: number): Uint8Array {
    return this.#copy(block, byteOffset, byteLength, 'readSync');
  }

  #copy(block: Block, byteOffset: number, byteLength: number, op: string): Uint8Array {
    this.#memory.assertUsable(op);
    return this.#memory.bytes(block, byteOffset, byteLength, op).slice();
  }

  supports(kernel: Kernel): boolean {
    return supports(kernel);
  }

  prepare(kernel: Kernel): Executable {
    this.#memory.assertUsable('prepare');
    const key = kernelKey(kernel);
    const known = this.#executables.get(key);
    if (known !== undefined) return known;
    if (!supports(kernel))
      throw new UnsupportedError({
        op: 'cpu.prepare',
        expected: 'a kernel that supports() accepts',
        got: `${kernel.kind} with ${key}`,
        fix: 'decompose it.',
      });
    verifyKernel(kernel);
    const made = new CpuExecutable(this, kernel, prepareKernel(kernel, this.#toolchain, this.#workspace));
    this.#executables.set(key, made);
    return made;
  }

  run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    this.#memory.assertUsable('run');
    if (!(executable instanceof CpuExecutable) || executable.owner !== this)
      throw new KernelError({ op: 'cpu.run', expected: 'an executable prepared by this backend', got: 'one of another' });
    const { kernel, code, dimsLength } = executable;
    const { operands, scalars } = kernel;
    const count = operands.length;
    if (args.length !== count + scalars.length || dims.length !== dimsLength)
      throw new KernelError({
        op: kernel.kind,
        expected: `${count + scalars.length} arguments and dims of length ${dimsLength}`,
        got: `${args.length} and ${dims.length}`,
      });
    const views = operands.map((operand, k) => this.#memory.view(args[k], operand.dtype, 'run'));
    const numbers = scalars.map((dtype, i) => {
      const value = args[count + i];
      if (typeof value !== 'number') throw new KernelError({ op: kernel.kind, expected: `a number for scalar ${i}`, got: typeof value });
      return ROUND[dtype](value);
    });
    code(views, numbers, dims);
  }

  flush(): void {
    this.#memory.assertUsable('flush');
  }

  async synchronize(): Promise<void> {
    this.#memory.assertUsable('synchronize');
  }

  dispose(): void {
    this.#memory.dispose();
    this.#executables.clear();
    this.#workspace = createWorkspace();
  }
}
