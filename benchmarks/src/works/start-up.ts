/**
 * From an empty process to the first product of two matrices, each time in a process of its own. The time of an empty process is a
 * contender too: the difference is what a toolkit costs before its first result.
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender, Work } from '../measure.ts';

const GRADUS = `
  const { wasm } = await import('@gradus/backend-wasm');
  const { matmul, setDefaultDevice, tensor } = await import('@gradus/tensor');
  setDefaultDevice(await wasm());
  const a = tensor([[1, 2], [3, 4]]);
  await matmul(a, a).toArray();`;

const TFJS = `
  console.log = console.warn = () => undefined;
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-wasm');
  await tf.setBackend('wasm');
  const a = tf.tensor2d([[1, 2], [3, 4]]);
  await tf.matMul(a, a).array();`;

/** Runs `program` in a process of its own, which finds packages from here. */
function processOf(name: string, program: string): Contender {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const run = (): void => {
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  return { name, run };
}

export const startUpWorks: readonly Work[] = [
  {
    name: 'start-up',
    contenders: async () => [processOf('gradus', GRADUS), processOf('empty process', ''), processOf('tfjs-wasm', TFJS)],
  },
];
