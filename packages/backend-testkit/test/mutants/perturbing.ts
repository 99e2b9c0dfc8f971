/**
 * Mutants of kernels over dense operands, by wrapping: the backend is given other numbers than it should be ({@link seeing}), or what it gave
 * is changed or calculated anew with a mistake ({@link mistaking}).
 */

import { bytesPerElement, denseOperands, operandPositions, sizeCount } from '@gradus/backend';
import type { Arg, Backend, Block, DType, Executable, Kernel } from '@gradus/backend';
import { decode, encode } from '../../src/oracle/number.ts';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';

type Kind = Kernel['kind'];
type Of<K extends Kind> = Extract<Kernel, { readonly kind: K }>;

/** A launch as numbers, by name of the operand. Changes to the numbers take effect. */
export interface Launched<K extends Kind> {
  readonly kernel: Of<K>;
  readonly sizes: readonly number[];
  readonly scalars: number[];
  readonly operands: Readonly<Record<string, Float64Array>>;
  /** The same before the run. */
  readonly before: Readonly<Record<string, Float64Array>>;
  /** The dtype of operand 0. */
  readonly dtype: DType;
}

/** Changes the numbers of a launch. */
export type Mistake<K extends Kind> = (launched: Launched<K>) => void;

/** One dense operand in memory. */
interface Held {
  readonly name: string;
  readonly index: number;
  readonly dtype: DType;
  readonly written: boolean;
  readonly block: Block;
  /** Where it is, in bytes. */
  readonly from: number;
  readonly bytes: number;
}

abstract class Perturbed<K extends Kind> extends Wrapped {
  readonly #kind: K;
  protected readonly change: Mistake<K>;
  protected readonly planted: () => void;

  constructor(kind: K, change: Mistake<K>, planted: () => void) {
    super();
    this.#kind = kind;
    this.change = change;
    this.planted = planted;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    const { kernel } = executable;
    if (this.#isMine(kernel)) this.launch(executable, kernel, args, dims);
    else super.run(executable, args, dims);
  }

  protected abstract launch(executable: Executable, kernel: Of<K>, args: readonly Arg[], dims: Int32Array): void;

  #isMine(kernel: Kernel): kernel is Of<K> {
    return kernel.kind === this.#kind;
  }

  protected held(kernel: Kernel, args: readonly Arg[], dims: Int32Array): Held[] {
    const positions = operandPositions(kernel);
    return denseOperands(kernel).flatMap(({ name, access }, index) => {
      const dtype = kernel.operands[index]?.dtype ?? 'float32';
      const block = args[index];
      const [offset = 0, length = 0] = dims.subarray(positions[index]);
      const size = bytesPerElement(dtype);
      return typeof block === 'object' ? [{ name, index, dtype, written: access !== 'read', block, from: offset * size, bytes: length * size }] : [];
    });
  }

  protected numbers(held: readonly Held[]): Readonly<Record<string, Float64Array>> {
    return Object.fromEntries(held.map(({ name, dtype, block, from, bytes }) => [name, decode(dtype, this.readSync(block, from, bytes))]));
  }

  protected launched(
    kernel: Of<K>,
    held: readonly Held[],
    before: Readonly<Record<string, Float64Array>>,
    args: readonly Arg[],
    dims: Int32Array,
  ): Launched<K> {
    const sizes = [...dims.subarray(0, sizeCount(kernel))];
    const scalars = args.slice(kernel.operands.length).map(Number);
    return { kernel, sizes, scalars, operands: this.numbers(held), before, dtype: kernel.operands[0]?.dtype ?? 'float32' };
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, i) => byte === b[i]);
}

class Seeing<K extends Kind> extends Perturbed<K> {
  protected override launch(executable: Executable, kernel: Of<K>, args: readonly Arg[], dims: Int32Array): void {
    const held = this.held(kernel, args, dims);
    const launched = this.launched(kernel, held, this.numbers(held), args, dims);
    this.change(launched);
    const changed: Arg[] = [...args.slice(0, kernel.operands.length), ...launched.scalars];
    const moved = dims.slice();
    const positions = operandPositions(kernel);
    if (changed.some((arg, i) => i >= kernel.operands.length && !Object.is(arg, args[i]))) this.planted();
    const spare: Block[] = [];
    for (const { name, index, dtype, written, block, from, bytes } of held) {
      const seen = encode(dtype, launched.operands[name] ?? new Float64Array());
      if (equal(seen, this.readSync(block, from, bytes))) continue;
      this.planted();
      if (written) this.inner.write(block, seen, from);
      else {
        const copy = this.inner.allocate(bytes);
        this.inner.write(copy, seen);
        spare.push(copy);
        changed[index] = copy;
        moved[positions[index] ?? 0] = 0;
      }
    }
    this.inner.run(executable, changed, moved);
    for (const block of spare) this.inner.free(block);
  }
}

class Mistaking<K extends Kind> extends Perturbed<K> {
  protected override launch(executable: Executable, kernel: Of<K>, args: readonly Arg[], dims: Int32Array): void {
    const held = this.held(kernel, args, dims);
    const before = this.numbers(held);
    this.inner.run(executable, args, dims);
    const launched = this.launched(kernel, held, before, args, dims);
    this.change(launched);
    for (const { name, dtype, written, block, from, bytes } of held) {
      if (!written) continue;
      const given = encode(dtype, launched.operands[name] ?? new Float64Array());
      if (equal(given, this.readSync(block, from, bytes))) continue;
      this.planted();
      this.inner.write(block, given, from);
    }
  }
}

/** A backend that runs kernels of one kind on other numbers than it was given. */
export function seeing<K extends Kind>(kind: K, name: string, checks: readonly string[], change: Mistake<K>): Mutant {
  return { name, checks, create: (planted): Backend => new Seeing(kind, change, planted) };
}

/** A backend that gives other results than it should; a mistake finds the right ones in `operands`. */
export function mistaking<K extends Kind>(kind: K, name: string, checks: readonly string[], change: Mistake<K>): Mutant {
  return { name, checks, create: (planted): Backend => new Mistaking(kind, change, planted) };
}
