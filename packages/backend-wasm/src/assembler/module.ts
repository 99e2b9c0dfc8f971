/** A WebAssembly module in the making: functions over one imported memory. */

import { Bytes } from './bytes.ts';
import { Code } from './code.ts';
import type { Callable } from './code.ts';
import { TYPE_CODES } from './value.ts';
import type { Type } from './value.ts';

/** The memory that a module works on. Shared memories need their maximum in the type. */
export interface MemoryType {
  readonly shared: boolean;
  readonly maximumPages: number;
}

/** Signatures are compared as text. */
function signatureKey(parameters: readonly Type[], result: Type | null): string {
  return `${parameters.join()}>${result ?? ''}`;
}

interface FunctionInModule {
  readonly signature: number;
  readonly code: Code;
  readonly exported: string | null;
}

/** Collects functions and writes them as a binary module. It imports `env.memory`, and `env.workspace`: the address of a buffer of the worker's own. */
export class ModuleWriter {
  readonly #memory: MemoryType;
  readonly #signatures: { readonly parameters: readonly Type[]; readonly result: Type | null }[] = [];
  readonly #signatureNumbers = new Map<string, number>();
  readonly #functions: FunctionInModule[] = [];

  constructor(memory: MemoryType) {
    this.#memory = memory;
  }

  /** Adds a function; `write` makes its statements. With a name it is exported. */
  function<R extends Type | null>(
    parameters: readonly Type[],
    result: R,
    write: (code: Code) => void,
    exported: string | null = null,
  ): Callable & { readonly result: R } {
    const code = new Code(parameters);
    write(code);
    // Numbered after writing: functions that it added while writing come first.
    const index = this.#functions.length;
    this.#functions.push({ signature: this.#signature(parameters, result), code, exported });
    return { index, result };
  }

  #signature(parameters: readonly Type[], result: Type | null): number {
    const key = signatureKey(parameters, result);
    const known = this.#signatureNumbers.get(key);
    if (known !== undefined) return known;
    const made = this.#signatures.length;
    this.#signatures.push({ parameters, result });
    this.#signatureNumbers.set(key, made);
    return made;
  }

  /** The module's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append(new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]));
    this.#section(out, 1, this.#signatures, (to, { parameters, result }) => {
      to.byte(0x60);
      to.unsigned(parameters.length);
      for (const type of parameters) to.byte(TYPE_CODES[type]);
      to.unsigned(result === null ? 0 : 1);
      if (result !== null) to.byte(TYPE_CODES[result]);
    });
    const { shared, maximumPages } = this.#memory;
    const memory = (to: Bytes): void => {
      to.name('memory');
      to.byte(0x02);
      to.byte(shared ? 0x03 : 0x01);
      to.unsigned(0);
      to.unsigned(maximumPages);
    };
    const workspace = (to: Bytes): void => {
      to.name('workspace');
      to.byte(0x03);
      to.byte(TYPE_CODES.i32);
      to.byte(0x00);
    };
    this.#section(out, 2, [memory, workspace], (to, write) => {
      to.name('env');
      write(to);
    });
    this.#section(out, 3, this.#functions, (to, { signature }) => to.unsigned(signature));
    const exported = this.#functions.flatMap(({ exported: name }, index) => (name === null ? [] : [{ name, index }]));
    this.#section(out, 7, exported, (to, { name, index }) => {
      to.name(name);
      to.byte(0x00);
      to.unsigned(index);
    });
    this.#section(out, 10, this.#functions, (to, { code }) => to.sized(code.finish()));
    return out.view().slice();
  }

  #section<E>(out: Bytes, id: number, entries: readonly E[], write: (to: Bytes, entry: E) => void): void {
    const content = new Bytes();
    content.unsigned(entries.length);
    for (const entry of entries) write(content, entry);
    out.byte(id);
    out.sized(content);
  }
}
