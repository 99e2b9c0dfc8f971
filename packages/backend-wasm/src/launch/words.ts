/** Filling in a frame by name. */

import type { DType } from '@gradus/backend';
import type { FrameLayout } from './frame.ts';
import type { WordSource } from './launch.ts';

/** Values for the words of some layout. Names that no code asks for are let go. */
export class Words {
  readonly #sources = new Map<string, WordSource>();

  constant(name: string, value: number): this {
    return this.#set(name, { kind: 'constant', value });
  }

  operand(name: string, operand: number, offset: number): this {
    return this.#set(name, { kind: 'operand', operand, offset });
  }

  scalar(name: string, index: number, dtype: DType): this {
    return this.#set(name, { kind: 'scalar', index, dtype });
  }

  scratch(name: string, offset: number): this {
    return this.#set(name, { kind: 'scratch', offset });
  }

  table(name: string, offset: number): this {
    return this.#set(name, { kind: 'table', offset });
  }

  #set(name: string, source: WordSource): this {
    this.#sources.set(name, source);
    return this;
  }

  /** The words of a frame, in their places. */
  inOrderOf(layout: FrameLayout): WordSource[] {
    return layout.names.map((name) => {
      const source = this.#sources.get(name);
      if (source === undefined) throw new TypeError(`internal: code asks for the word ${name}, which its launch does not have`);
      return source;
    });
  }
}
