/** TensorFlow.js, loaded when a work first needs it, on its cpu or its wasm backend. */

import type * as tfjs from '@tensorflow/tfjs';

export type TensorFlow = typeof tfjs;
export type TensorFlowBackend = 'cpu' | 'wasm';

let loaded: Promise<TensorFlow> | null = null;

async function load(): Promise<TensorFlow> {
  const { warn, log } = console;
  // It greets everyone with advice on another package.
  console.warn = () => undefined;
  console.log = () => undefined;
  try {
    const tf = await import('@tensorflow/tfjs');
    await import('@tensorflow/tfjs-backend-wasm');
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend);
      await tf.ready();
      tf.tensor1d([1]).dispose(); // greets at the first tensor
    }
    return tf;
  } finally {
    console.warn = warn;
    console.log = log;
  }
}

/** TensorFlow.js with both backends ready. */
export function tensorFlow(): Promise<TensorFlow> {
  loaded ??= load();
  return loaded;
}

/** Switches backends; they are ready, so it takes a microtask. */
export async function useBackend(tf: TensorFlow, backend: TensorFlowBackend): Promise<void> {
  if (tf.getBackend() !== backend) await tf.setBackend(backend);
}
