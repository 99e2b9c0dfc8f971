/** A backend that queues everything and runs it when something is read: right as it stands, and wrong in a chosen way. */

import { BlockError } from '@gradus/backend';
import type { Arg, Block, Executable } from '@gradus/backend';
import { Wrapped } from './mutant.ts';

/** What goes wrong. */
export interface Mistakes {
  /** The array of arguments is kept, not copied. */
  readonly args?: boolean;
  readonly dims?: boolean;
  /** So are the bytes of a write. */
  readonly bytes?: boolean;
  /** Frees overtake the queue. */
  readonly freeNow?: boolean;
  /** So do writes. */
  readonly writeNow?: boolean;
  /** So do reads. */
  readonly readNow?: boolean;
  readonly readSyncNow?: boolean;
  /** A read takes its bytes a moment later. */
  readonly readLate?: boolean;
  /** Queued runs are done last to first. */
  readonly backwards?: boolean;
  readonly flushForgets?: boolean;
  /** What was done in synchronize is done again. */
  readonly twice?: boolean;
}

export class Lazy extends Wrapped {
  readonly #mistakes: Mistakes;
  readonly #freed = new Set<Block>();
  #queue: (() => void)[] = [];

  constructor(mistakes: Mistakes = {}) {
    super();
    this.#mistakes = mistakes;
  }

  #drain(): void {
    const queue = this.#queue;
    this.#queue = [];
    if (this.#mistakes.backwards === true) queue.reverse();
    for (const action of queue) action();
  }

  #use(block: Arg): void {
    // Complains when it has been disposed.
    super.flush();
    if (typeof block === 'object' && (this.#freed.has(block) || !('view' in block)))
      throw new BlockError({ op: 'lazy', expected: 'a block in use', got: 'another' });
  }

  override allocate(byteLength: number): Block {
    this.#drain();
    return super.allocate(byteLength);
  }

  override get allocatedBytes(): number {
    return this.inner.allocatedBytes - [...this.#freed].reduce((sum, block) => sum + block.byteLength, 0);
  }

  override free(block: Block): void {
    this.#use(block);
    if (this.#mistakes.freeNow === true) {
      // Others get the memory before the run that was queued last.
      this.#queue.splice(-1, 0, () => super.write(block, new Uint8Array(block.byteLength).fill(0xaa)));
    }
    this.#freed.add(block);
    this.#queue.push(() => {
      this.#freed.delete(block);
      super.free(block);
    });
  }

  override write(block: Block, bytes: Uint8Array, byteOffset = 0): void {
    this.#use(block);
    if (byteOffset < 0 || byteOffset + bytes.length > block.byteLength)
      throw new BlockError({ op: 'lazy', expected: 'bytes within the block', got: 'others' });
    const kept = this.#mistakes.bytes === true ? bytes : bytes.slice();
    if (this.#mistakes.writeNow === true) super.write(block, kept, byteOffset);
    else this.#queue.push(() => super.write(block, kept, byteOffset));
  }

  override async read(block: Block, byteOffset: number, byteLength: number): Promise<Uint8Array> {
    this.#use(block);
    if (this.#mistakes.readNow !== true) this.#drain();
    if (this.#mistakes.readLate === true) {
      await Promise.resolve();
      this.#drain();
    }
    return super.read(block, byteOffset, byteLength);
  }

  override readSync(block: Block, byteOffset: number, byteLength: number): Uint8Array {
    this.#use(block);
    if (this.#mistakes.readSyncNow !== true) this.#drain();
    return super.readSync(block, byteOffset, byteLength);
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    for (const arg of args) this.#use(arg);
    const own = this.#mistakes.args === true ? args : [...args];
    const size = this.#mistakes.dims === true ? dims : dims.slice();
    this.#queue.push(() => super.run(executable, own, size));
  }

  override flush(): void {
    if (this.#mistakes.flushForgets === true) this.#queue = [];
    this.#drain();
    super.flush();
  }

  override async synchronize(): Promise<void> {
    const again = this.#mistakes.twice === true ? [...this.#queue] : [];
    this.#drain();
    this.#queue.push(...again);
    await super.synchronize();
  }

  override dispose(): void {
    this.#queue = [];
    this.#freed.clear();
    super.dispose();
  }
}
