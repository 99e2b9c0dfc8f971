/**
 * The interface that a backend implements, version 1 of the contract.
 *
 * A backend owns blocks of memory and runs kernels on them, in the order of the calls. It knows nothing of tensors, shapes or gradients.
 * To write one: storage and a queue, then the three required kernels; `@gradus/backend-testkit` says what is wrong and where.
 */

import type { DType } from './dtype.ts';
import { ContractVersionError } from './errors.ts';
import type { Kernel } from './kernel.ts';

/** The version of the contract described by this package. */
export const CONTRACT_VERSION = 1;

/** A piece of device memory. Opaque: only the backend that made it looks inside. Never reused for another allocation. */
export interface Block {
  readonly byteLength: number;
}

/** Code made ready for one kernel structure. Opaque. */
export interface Executable {
  readonly kernel: Kernel;
}

/** A kernel argument: a block for each operand, then a number for each scalar (rounded to a float dtype; integers must be within theirs). */
export type Arg = Block | number;

/** One kernel launch, as passed to `record`. */
export interface Run {
  readonly executable: Executable;
  readonly args: readonly Arg[];
  readonly dims: Int32Array;
}

/** A recorded sequence of runs. Opaque. */
export interface Recording {
  readonly length: number;
}

/** What a backend can do with one dtype. */
export interface DTypeCapabilities {
  /** Operands may have it, and `load`, `gather`, `cast` and outputs handle it. */
  readonly store: boolean;
  /** Expressions may calculate in it. Where not, the core calculates in float32 and casts. */
  readonly compute: boolean;
  /** Folds and contractions may accumulate in it. */
  readonly accumulate: boolean;
}

/** What a backend is able to do. Constant for its lifetime. */
export interface Capabilities {
  /** float32, int32, uint32 and bool are always stored and computed in; float32 and int32 always accumulate. */
  readonly dtypes: { readonly [D in DType]: DTypeCapabilities };
  /** `readSync` exists. */
  readonly synchronousRead: boolean;
  /** Most operands of one kernel; fusion splits on it. At least 4. */
  readonly maxBindings: number;
  /** Largest block. */
  readonly maxBlockBytes: number;
  /** Offsets of operands must be multiples of this many bytes; 1 where any element offset will do. */
  readonly bindingAlignment: number;
  /** One kernel may write one range of a block and read or write other, disjoint ranges of it. */
  readonly subBufferAliasing: boolean;
  /** Worker threads, the calling one included. */
  readonly threads: number;
  readonly simd: boolean;
  readonly subgroups: boolean;
  /** Equal inputs give equal bits, run after run. */
  readonly deterministic: boolean;
  /** Denormal floats are kept, not flushed to zero. */
  readonly denormals: boolean;
}

/** A device. Errors it throws are typed (`errors.ts`); a failed call leaves every block as it was. */
export interface Backend {
  /** The contract it was built for: {@link CONTRACT_VERSION}. */
  readonly contract: typeof CONTRACT_VERSION;
  /** Any string, shown to people: `cpu`, `wasm (2 threads)`. */
  readonly name: string;
  readonly capabilities: Capabilities;

  /** Bytes of blocks allocated and not yet freed. */
  readonly allocatedBytes: number;

  /** New memory with unspecified contents. @throws OutOfMemoryError */
  allocate(byteLength: number): Block;
  /** Gives a block back, after all runs queued so far. @throws BlockError when it is freed twice or foreign */
  free(block: Block): void;
  /** Copies `bytes` into `block`, in queue order, at any byte. `bytes` may be reused when this returns. @throws BlockError outside the block */
  write(block: Block, bytes: Uint8Array, byteOffset?: number): void;
  /** A copy of the bytes after everything queued so far. @throws BlockError outside the block, as a rejection or at once */
  read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array>;
  /** The same at once, where the device can. */
  readSync?(block: Block, byteOffset: number, byteLength: number): Uint8Array;

  /** Can it run this kernel? False makes the core decompose it. Required kernels over supported dtypes: always true. */
  supports(kernel: Kernel): boolean;
  /**
   * Code for a kernel's structure, cached by the backend: an equal kernel gives the same object. `hint` is the `dims` of the first run,
   * to specialise by; runs of other sizes must work as well. @throws UnsupportedError
   */
  prepare(kernel: Kernel, hint?: Int32Array): Executable;
  /** Compiles ahead of use without blocking. */
  prewarm?(kernels: readonly Kernel[]): Promise<void>;
  /** Queues one run. `args` and `dims` may be reused when this returns. @throws BlockError when an argument is freed or foreign */
  run(executable: Executable, args: readonly Arg[], dims: Int32Array): void;
  /** Starts what is queued. */
  flush(): void;
  /** Resolves when everything queued so far is done. */
  synchronize(): Promise<void>;

  /** Keeps a sequence of runs for replay, without running them. */
  record?(runs: readonly Run[]): Recording;
  /** Runs a recording with other arguments: the concatenation of its runs' `args`. */
  replay?(recording: Recording, args: readonly Arg[]): void;

  /** Frees everything, `allocatedBytes` is 0 then; later calls throw BackendDisposedError. Calling it again does nothing. */
  dispose(): void;
}

/** Refuses a plug-in that was built for another version of the contract. @throws ContractVersionError */
export function assertContract(backend: Backend): void {
  const contract: unknown = backend.contract;
  if (contract === CONTRACT_VERSION) return;
  throw new ContractVersionError({
    op: `backend ${backend.name}`,
    expected: `contract version ${CONTRACT_VERSION}`,
    got: contract === undefined ? 'an object without a contract version' : `version ${JSON.stringify(contract)}`,
    fix: 'install the release of the backend that belongs to this release of @gradus/backend.',
  });
}
