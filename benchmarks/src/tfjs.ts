/** TensorFlow.js, loaded when a work first needs it, on its cpu backend. */

import type * as tfjs from '@tensorflow/tfjs';

type TensorFlow = typeof tfjs;

let loaded: Promise<TensorFlow> | null = null;

async function load(): Promise<TensorFlow> {
  const { warn, log } = console;
  // It greets everyone with advice on another package.
  console.warn = () => undefined;
  console.log = () => undefined;
  try {
    const tf = await import('@tensorflow/tfjs');
    await tf.setBackend('cpu');
    await tf.ready();
    tf.tensor1d([1]).dispose(); // greets at the first tensor
    return tf;
  } finally {
    console.warn = warn;
    console.log = log;
  }
}

export function tensorFlow(): Promise<TensorFlow> {
  loaded ??= load();
  return loaded;
}
