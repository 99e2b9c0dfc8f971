/** jax-js in Node.js, on its wasm backend. */

import { importPeer } from './installed.ts';
import type { Jax, JaxSource } from './jax.ts';

let loaded: Promise<Jax> | null = null;

async function load(): Promise<Jax> {
  Object.assign(globalThis, { navigator: globalThis.navigator ?? {} });
  const jax = (await importPeer('@jax-js/jax')) as Jax;
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  return jax;
}

export const jaxInNode: JaxSource = { name: 'jax-js wasm, jitted', load: () => (loaded ??= load()) };
