/**
 * A device that forgives nothing: four operands, offsets in multiples of 256 bytes, no two operands in one block when one is written,
 * denormals flushed to zero, errors by rejected promises. It holds the kit itself to the contract: every kernel and run is verified.
 */

import { KernelError, bytesPerElement, isFloat, isRequired, operandPositions, verifyKernel, verifyRun } from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, Executable, Kernel } from '@gradus/backend';
import { decode, encode, isDenormal } from '../src/oracle/number.ts';
import { Wrapped } from './mutants/mutant.ts';

const ALIGNMENT = 256;
const BINDINGS = 4;

class Strict extends Wrapped {
  override get name(): string {
    return 'strict';
  }

  override get capabilities(): Capabilities {
    return { ...super.capabilities, maxBindings: BINDINGS, bindingAlignment: ALIGNMENT, subBufferAliasing: false, denormals: false };
  }

  /** Fast paths cannot be split; they are not claimed where they bind too much. */
  override supports(kernel: Kernel): boolean {
    return super.supports(kernel) && (isRequired(kernel) || kernel.operands.length <= BINDINGS);
  }

  override prepare(kernel: Kernel, hint?: Int32Array): Executable {
    verifyKernel(kernel);
    this.#demand(kernel.operands.length <= BINDINGS || !super.supports(kernel), kernel, `at most ${BINDINGS} operands`, kernel.operands.length);
    return super.prepare(kernel, hint);
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    const { kernel } = executable;
    // Blocks that were freed or are foreign are complained of by the inner backend.
    const known = args.every((arg) => typeof arg === 'number' || 'view' in arg);
    if (known) verifyRun(kernel, args, dims);
    const positions = operandPositions(kernel);
    kernel.operands.forEach((operand, i) => {
      const offset = (dims[positions[i] ?? 0] ?? 0) * bytesPerElement(operand.dtype);
      this.#demand(offset % ALIGNMENT === 0, kernel, `operand ${i} at a multiple of ${ALIGNMENT} bytes`, offset);
      const alone = operand.access === 'read' || args.indexOf(args[i] as Block) === args.lastIndexOf(args[i] as Block);
      this.#demand(alone, kernel, `operand ${i}, which is written, alone in its block`, 'two');
    });
    super.run(executable, args, dims);
    kernel.operands.forEach((operand, i) => {
      const block = args[i];
      if (operand.access !== 'read' && isFloat(operand.dtype) && typeof block === 'object') this.#flushDenormals(block, operand.dtype);
    });
  }

  #flushDenormals(block: Block, dtype: Parameters<typeof decode>[0]): void {
    const whole = block.byteLength - (block.byteLength % bytesPerElement(dtype));
    const bytes = this.inner.readSync?.(block, 0, whole) ?? new Uint8Array();
    this.inner.write(
      block,
      encode(
        dtype,
        decode(dtype, bytes).map((x) => (isDenormal(dtype, x) ? 0 * Math.sign(x) : x)),
      ),
    );
  }

  #demand(condition: boolean, kernel: Kernel, expected: string, got: unknown): void {
    if (!condition) throw new KernelError({ op: kernel.kind, expected, got: String(got) });
  }
}

export function strictBackend(): Backend {
  return new Strict();
}
