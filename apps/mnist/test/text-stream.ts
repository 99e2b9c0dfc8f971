/** A stream that keeps what is written to it as text, and passes it on. */

import { Writable } from 'node:stream';

export class TextStream extends Writable {
  text = '';
  readonly isTTY: boolean;

  readonly #onText: (text: string) => void;

  constructor(options: { readonly isTTY?: boolean; readonly onText?: (text: string) => void } = {}) {
    super();
    this.isTTY = options.isTTY ?? false;
    this.#onText = options.onText ?? (() => undefined);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    this.#onText(chunk.toString());
    done();
  }

  /** Without the empty one after the last newline. */
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}
