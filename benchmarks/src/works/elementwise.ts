/** Functions of a million elements, beside a plain copy of as many bytes in JavaScript; results stay on the device. */

import { add, evaluate, exp, gelu, layerNorm, ones, randn, scope, softmax, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { jaxFunctionContender } from '../peers/jax.ts';

const SIDE = 1024;

function copy(values: Float32Array): Contender {
  const target = new Float32Array(values.length);
  return { name: 'plain copy', run: () => target.set(values) };
}

function work(name: string, of: (x: Tensor, y: Tensor) => Tensor, peer?: 'exp' | 'softmax' | 'gelu'): Work {
  return {
    name: `${name}-1M`,
    contenders: async () => {
      const x = randn([SIDE, SIDE], { seed: 1 });
      const y = randn([SIDE, SIDE], { seed: 2 });
      const values = x.dataSync() as Float32Array;
      y.dataSync();
      const run = (): void => scope(() => evaluate(of(x, y)));
      return [{ name: 'gradus', run }, copy(values), ...(peer === undefined ? [] : [jaxFunctionContender(peer, values, [SIDE, SIDE])])];
    },
  };
}

const weight = (): Tensor => ones([SIDE]);
const bias = (): Tensor => zeros([SIDE]);

export const elementwiseWorks: readonly Work[] = [
  work('add', (x, y) => add(x, y)),
  work('layerNorm', (x) => layerNorm(x, { weight: weight(), bias: bias() })),
  work('exp', (x) => exp(x), 'exp'),
  work('softmax', (x) => softmax(x, { axis: -1 }), 'softmax'),
  work('gelu', (x) => gelu(x), 'gelu'),
];
