/** Square and odd matrix products in float32, to the numbers on the host. */

import { matmul, randn, scope } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { tensorFlow } from '../tfjs.ts';

async function contenders(m: number, k: number, n: number): Promise<readonly Contender[]> {
  const a = randn([m, k], { seed: 1 });
  const b = randn([k, n], { seed: 2 });
  const values = { a: a.dataSync() as Float32Array, b: b.dataSync() as Float32Array };
  const tf = await tensorFlow();
  const x = tf.tensor2d(values.a, [m, k]);
  const y = tf.tensor2d(values.b, [k, n]);
  return [
    { name: 'gradus', run: () => void scope(() => matmul(a, b).dataSync()) },
    { name: 'tfjs-cpu', run: () => void tf.tidy(() => tf.matMul(x, y).dataSync()), dispose: () => tf.dispose([x, y]) },
  ];
}

const work = (name: string, m: number, k: number, n: number): Work => ({ name, flops: 2 * m * k * n, contenders: () => contenders(m, k, n) });

export const matmulWorks: readonly Work[] = [
  work('matmul-256', 256, 256, 256),
  work('matmul-255', 255, 255, 255),
  work('matmul-257', 257, 257, 257),
  work('matmul-64x784x256', 64, 784, 256),
];
