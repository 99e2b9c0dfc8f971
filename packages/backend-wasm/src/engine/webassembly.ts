/**
 * The part of the WebAssembly API that this package uses. The libraries are built without the types of the DOM, where it is declared; and an
 * engine may be without it (a browser in lockdown mode is).
 */

import { UnsupportedError } from '@gradus/backend';

/** A compiled module. Opaque. */
type Module = object;

/** A module with its imports. */
interface Instance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Linear memory. `buffer` is another one after growing, unless it is shared. */
export interface Memory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(pages: number): number;
}

interface Api {
  readonly Module: new (bytes: Uint8Array) => Module;
  readonly Instance: new (module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => Instance;
  readonly Memory: new (descriptor: { readonly initial: number; readonly maximum: number; readonly shared: boolean }) => Memory;
  readonly validate: (bytes: Uint8Array) => boolean;
}

/** The engine's WebAssembly. @throws UnsupportedError where it has none */
export function webAssembly(): Api {
  const { WebAssembly: api } = globalThis as { readonly WebAssembly?: Api };
  if (api !== undefined) return api;
  throw new UnsupportedError({
    op: 'wasm',
    expected: 'an engine with WebAssembly',
    got: 'an engine without WebAssembly',
    fix: 'use cpu() of @gradus/backend-cpu there.',
  });
}
