/** Mutants that treat packed dtypes as words: neighbours of what a kernel writes are overwritten. */

import { bytesPerElement, keptSizes, operandPositions } from '@gradus/backend';
import type { Arg, DType, Executable, Operand } from '@gradus/backend';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';

/** After each run, the bytes between a written element and the end (or the beginning) of its 32-bit word are 0. */
class Clobbering extends Wrapped {
  readonly #dtype: DType;
  readonly #side: 'behind' | 'before';
  readonly #planted: () => void;

  constructor(dtype: DType, side: 'behind' | 'before', planted: () => void) {
    super();
    this.#dtype = dtype;
    this.#side = side;
    this.#planted = planted;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    super.run(executable, args, dims);
    executable.kernel.operands.forEach((operand, i) => {
      const block = args[i];
      if (operand.dtype !== this.#dtype || operand.access === 'read' || operand.layout === 'indexed' || typeof block !== 'object') return;
      const [first, last] = this.#range(executable, operand, i, dims);
      const bytes = bytesPerElement(operand.dtype);
      const [from, to] = this.#side === 'behind' ? [last * bytes + bytes, (last * bytes + bytes + 3) & -4] : [(first * bytes) & -4, first * bytes];
      if (last < first || to <= from || to > block.byteLength) return;
      this.#planted();
      this.inner.write(block, new Uint8Array(to - from), from);
    });
  }

  /** First and last element written. */
  #range({ kernel }: Executable, _: Operand, index: number, dims: Int32Array): readonly [number, number] {
    const at = operandPositions(kernel)[index] ?? 0;
    let [low, high] = [dims[at] ?? 0, dims[at] ?? 0];
    for (const [axis, size] of keptSizes(kernel, dims).entries()) {
      if (size === 0) return [0, -1];
      const reach = (size - 1) * (dims[at + 1 + axis] ?? 0);
      if (reach < 0) low += reach;
      else high += reach;
    }
    return [low, high];
  }
}

export function packedMutants(): Mutant[] {
  return (['int8', 'uint8', 'bool', 'float16', 'bfloat16'] as const).flatMap((dtype) =>
    (['behind', 'before'] as const).map((side): Mutant => ({
      name: `${dtype} elements ${side} what is written are cleared`,
      checks: [`map / layout / offset / ${dtype}`],
      create: (planted) => new Clobbering(dtype, side, planted),
    })),
  );
}
