/** Matrix products in float32: square, a little off square sizes, and transposed; results are read. */

import { matmul, randn, scope, transpose } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { onnxContender } from '../peers/onnx.ts';
import { tensorFlow, useBackend } from '../peers/tfjs.ts';
import { torchContender } from '../peers/torch.ts';

interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

async function contenders(name: string, { m, k, n, transposeA = false, transposeB = false }: Product): Promise<readonly Contender[]> {
  const a = randn(transposeA ? [k, m] : [m, k], { seed: 1 });
  const b = randn(transposeB ? [n, k] : [k, n], { seed: 2 });
  const left = transposeA ? transpose(a) : a;
  const right = transposeB ? transpose(b) : b;
  const ours: Contender = { name: 'gradus', run: () => void scope(() => matmul(left, right).dataSync()) };
  if (transposeA || transposeB) return [ours, torchContender(name, [m, k, n])];
  const values = { a: a.dataSync() as Float32Array, b: b.dataSync() as Float32Array };
  const tf = await tensorFlow();
  const tensors = await Promise.all(
    (['wasm', 'cpu'] as const).map(async (backend) => {
      await useBackend(tf, backend);
      return { backend, x: tf.tensor2d(values.a, [m, k]), y: tf.tensor2d(values.b, [k, n]) };
    }),
  );
  const peers = tensors
    .filter(({ backend }) => backend === 'wasm' || m <= 257)
    .map(({ backend, x, y }): Contender => ({
      name: `tfjs-${backend}`,
      run: async () => {
        await useBackend(tf, backend);
        tf.tidy(() => void tf.matMul(x, y).dataSync());
      },
      dispose: () => tf.dispose([x, y]),
    }));
  const sizes = [m, k, n] as const;
  return [
    ours,
    ...peers,
    onnxContender('onnxruntime-web', values.a, values.b, sizes),
    onnxContender('onnxruntime-node', values.a, values.b, sizes),
    torchContender(name, sizes),
  ];
}

const work = (name: string, product: Product): Work => ({
  name,
  flops: 2 * product.m * product.k * product.n,
  contenders: () => contenders(name, product),
});

const square = (size: number, suffix = '', more: Partial<Product> = {}): Work =>
  work(`matmul-${size}${suffix}`, { m: size, k: size, n: size, ...more });

export const matmulWorks: readonly Work[] = [
  ...[255, 256, 257, 510, 511, 512, 513, 1024].map((size) => square(size)),
  square(512, '-at-b', { transposeA: true }),
  square(512, '-a-bt', { transposeB: true }),
  work('matmul-64x784x256', { m: 64, k: 784, n: 256 }),
];
