/** The bench: a backend under test with the blocks that a check made on it, so that none is left over. */

import { isRequired } from '@gradus/backend';
import type { Arg, Backend, Block, Kernel } from '@gradus/backend';
import type { Case } from './cases/case.ts';
import { compare } from './cases/compare.ts';
import { kernelText } from './cases/text.ts';
import { ConformanceError } from './error.ts';
import type { Failure } from './error.ts';
import type { Terms } from './plan.ts';

export class Bench {
  readonly backend: Backend;
  /** The name of the check. */
  readonly check: string;
  readonly terms: Terms;
  readonly #blocks = new Set<Block>();

  constructor(backend: Backend, check: string, terms: Terms) {
    this.backend = backend;
    this.check = check;
    this.terms = terms;
  }

  /** A block holding `bytes`. Freed at the end of the check at the latest. */
  block(bytes: Uint8Array): Block {
    const block = this.backend.allocate(bytes.byteLength);
    this.#blocks.add(block);
    if (bytes.byteLength > 0) this.backend.write(block, bytes);
    return block;
  }

  /** A block of int32 numbers. */
  ints(...values: readonly number[]): Block {
    return this.block(new Uint8Array(Int32Array.from(values).buffer));
  }

  /** The int32 numbers in a block. */
  async readInts(block: Block): Promise<number[]> {
    const bytes = await this.backend.read(block, 0, block.byteLength);
    return [...new Int32Array(bytes.slice().buffer)];
  }

  free(block: Block): void {
    this.#blocks.delete(block);
    this.backend.free(block);
  }

  freeAll(): void {
    for (const block of this.#blocks) this.backend.free(block);
    this.#blocks.clear();
  }

  /** The blocks are gone with the backend. */
  forget(): void {
    this.#blocks.clear();
  }

  /** Prepares and queues one launch. */
  launch(kernel: Kernel, args: readonly Arg[], dims: readonly number[]): void {
    const list = Int32Array.from(dims);
    this.backend.run(this.backend.prepare(kernel, list), args, list);
  }

  /** Runs a case and compares every block that it touches. Optional kernels that the backend does not claim pass. */
  async runCase(c: Case): Promise<void> {
    const where = `${this.check} / ${c.name}`;
    if (!this.backend.supports(c.kernel)) {
      if (!isRequired(c.kernel)) return;
      this.fail({
        where,
        expected: 'supports to be true',
        got: 'false',
        rule: 'required kernels over supported dtypes are always supported',
        kernel: kernelText(c.kernel, c.dims),
      });
    }
    const blocks = c.before.map((bytes) => this.block(bytes));
    const args: Arg[] = c.bindings.map((index) => blocks[index]).filter((block) => block !== undefined);
    args.push(...c.scalars);
    try {
      this.backend.run(this.backend.prepare(c.kernel, c.dims), args, c.dims);
    } catch (cause) {
      this.fail({ where, expected: 'the kernel to run', got: errorText(cause), rule: c.rule, kernel: kernelText(c.kernel, c.dims) }, cause);
    }
    const got: Uint8Array[] = [];
    for (const block of blocks) got.push(await this.backend.read(block, 0, block.byteLength));
    compare(this.check, c, got, this.terms.capabilities.denormals);
    for (const block of blocks) this.free(block);
  }

  /** Fails the check. `where` is its name unless a case's is given. */
  fail(failure: Omit<Failure, 'where'> & { readonly where?: string }, cause?: unknown): never {
    throw new ConformanceError({ where: this.check, ...failure }, cause === undefined ? undefined : { cause });
  }

  /** @throws ConformanceError when `got` is something else */
  equal(got: unknown, expected: unknown, what: string, rule: string): void {
    const same =
      Array.isArray(got) && Array.isArray(expected)
        ? got.length === expected.length && got.every((x, i) => Object.is(x, expected[i]))
        : Object.is(got, expected);
    if (!same) this.fail({ expected: `${what}: ${String(expected)}`, got: String(got), rule });
  }

  /** @throws ConformanceError unless `action` throws, or rejects with, an error of one of these codes (any gradus error when none is given) */
  async throws(action: () => unknown, codes: readonly string[], what: string, rule: string): Promise<void> {
    const expected = `${what} to throw ${codes.length === 0 ? 'a GradusError' : `an error with code ${codes.join(' or ')}`}`;
    try {
      await action();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const right =
        codes.length === 0 ? typeof code === 'string' && error instanceof Error && 'expected' in error : codes.some((one) => one === code);
      if (!right) this.fail({ expected, got: errorText(error), rule }, error);
      return;
    }
    this.fail({ expected, got: 'no error', rule });
  }
}

/** An error's name, code and message. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name}${'code' in error ? ` (${String(error.code)})` : ''}: ${error.message}`;
}
