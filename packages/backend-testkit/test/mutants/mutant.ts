/**
 * Mutants: backends with one planted mistake each, and what mistakes are planted with.
 *
 * Three tools: other operator tables and transformed source for the cpu backend ({@link planted}), kernels rewritten before the backend
 * sees them ({@link rewriting}), and whole backends wrapped ({@link Wrapped}).
 */

import type { Arg, Backend, Block, Capabilities, Executable, Expression, Kernel } from '@gradus/backend';
import { rewrite } from '@gradus/backend';
import { createCpu } from '../../../backend-cpu/src/create.ts';
import type { InternalOptions } from '../../../backend-cpu/src/create.ts';

/** A backend with a mistake. */
export interface Mutant {
  readonly name: string;
  /** Beginnings of the names of the checks that should notice. */
  readonly checks: readonly string[];
  /** Makes the backend; it calls `planted` when the mistake takes effect, so that a mutant that changes nothing is found out. */
  readonly create: (planted: () => void) => Backend;
}

/** A cpu backend whose generated source is changed. */
export function transformed(name: string, checks: readonly string[], change: (source: string, kernel: Kernel) => string): Mutant {
  const create = (planted: () => void): Backend =>
    createCpu({
      transformSource: (source, kernel) => {
        const changed = change(source, kernel);
        if (changed !== source) planted();
        return changed;
      },
    });
  return { name, checks, create };
}

/** A cpu backend with entries of its tables replaced. */
export function replaced(name: string, checks: readonly string[], dialect: NonNullable<InternalOptions['dialect']>): Mutant {
  return {
    name,
    checks,
    create: (planted) => {
      planted();
      return createCpu({ dialect });
    },
  };
}

/** A kernel with its expressions changed. */
function rewriteKernel(kernel: Kernel, change: (e: Expression) => Expression): Kernel {
  const changeIn = (root: Expression): Expression => rewrite([root], change)[0] ?? root;
  const changed: { -readonly [Key in 'outputs' | 'folds' | 'position' | 'value']?: unknown } = {};
  if ('outputs' in kernel) changed.outputs = kernel.outputs.map((output) => ({ ...output, value: changeIn(output.value) }));
  if (kernel.kind === 'reduce') changed.folds = kernel.folds.map((fold) => ({ ...fold, value: changeIn(fold.value) }));
  if (kernel.kind === 'scatter') {
    changed.position = changeIn(kernel.position);
    changed.value = changeIn(kernel.value);
  }
  return { ...kernel, ...changed } as Kernel;
}

/** A backend that hands everything on. */
export class Wrapped implements Backend {
  readonly contract = 1;
  readonly inner: Backend;

  constructor(inner: Backend = createCpu()) {
    this.inner = inner;
  }

  get name(): string {
    return this.inner.name;
  }

  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }

  get allocatedBytes(): number {
    return this.inner.allocatedBytes;
  }

  allocate(byteLength: number): Block {
    return this.inner.allocate(byteLength);
  }

  free(block: Block): void {
    this.inner.free(block);
  }

  write(block: Block, bytes: Uint8Array, byteOffset?: number): void {
    this.inner.write(block, bytes, byteOffset);
  }

  read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    return this.inner.read(block, byteOffset, byteLength);
  }

  readSync(block: Block, byteOffset: number, byteLength: number): Uint8Array {
    return this.inner.readSync?.(block, byteOffset, byteLength) ?? new Uint8Array();
  }

  supports(kernel: Kernel): boolean {
    return this.inner.supports(kernel);
  }

  prepare(kernel: Kernel, hint?: Int32Array): Executable {
    return this.inner.prepare(kernel, hint);
  }

  run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    this.inner.run(executable, args, dims);
  }

  flush(): void {
    this.inner.flush();
  }

  synchronize(): Promise<void> {
    return this.inner.synchronize();
  }

  dispose(): void {
    this.inner.dispose();
  }
}

class Rewriting extends Wrapped {
  readonly #rewrite: (kernel: Kernel) => Kernel;

  constructor(changeKernel: (kernel: Kernel) => Kernel) {
    super();
    this.#rewrite = changeKernel;
  }

  override prepare(kernel: Kernel, hint?: Int32Array): Executable {
    return this.inner.prepare(this.#rewrite(kernel), hint);
  }
}

/** A backend that is given another kernel than it was asked to run, with equal operands and dims. */
export function rewriting(name: string, checks: readonly string[], changeKernel: (kernel: Kernel) => Kernel): Mutant {
  const create = (planted: () => void): Backend =>
    new Rewriting((kernel) => {
      const changed = changeKernel(kernel);
      if (changed !== kernel) planted();
      return changed;
    });
  return { name, checks, create };
}

/** A backend that changes the expressions of kernels. */
export function reexpressing(name: string, checks: readonly string[], change: (e: Expression, kernel: Kernel) => Expression): Mutant {
  return rewriting(name, checks, (kernel) => {
    let changed = false;
    const rewritten = rewriteKernel(kernel, (e) => {
      const after = change(e, kernel);
      changed ||= after !== e;
      return after;
    });
    return changed ? rewritten : kernel;
  });
}

class Redimensioning extends Wrapped {
  readonly #change: (kernel: Kernel, dims: Int32Array) => void;

  constructor(change: (kernel: Kernel, dims: Int32Array) => void) {
    super();
    this.#change = change;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    const changed = dims.slice();
    this.#change(executable.kernel, changed);
    super.run(executable, args, changed);
  }
}

/** A backend that changes dims before it runs. */
export function redimensioning(name: string, checks: readonly string[], change: (kernel: Kernel, dims: Int32Array) => void): Mutant {
  const create = (planted: () => void): Backend =>
    new Redimensioning((kernel, dims) => {
      const before = dims.join();
      change(kernel, dims);
      if (dims.join() !== before) planted();
    });
  return { name, checks, create };
}
