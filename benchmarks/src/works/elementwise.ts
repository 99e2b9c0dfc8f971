/** Functions of a million elements, beside a plain copy of as many bytes in JavaScript; results stay on the device. */

import { add, evaluate, exp, gelu, layerNorm, ones, randn, scope, softmax, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import type { Contender, Work } from '../measure.ts';
import { jaxFunctionContender } from '../peers/jax.ts';
import { jaxInNode } from '../peers/jax-in-node.ts';

const SIDE = 1024;

function copy(values: Float32Array): Contender {
  const target = new Float32Array(values.length);
  return { name: 'plain copy', run: () => target.set(values) };
}

type Peer = 'exp' | 'softmax' | 'gelu';

/** Rows of 1024 elements beside jax-js, and of one more, which no vector divides. */
function works(name: string, of: (x: Tensor, y: Tensor) => Tensor, peer?: Peer): readonly Work[] {
  return [work(`${name}-1M`, of, SIDE, peer), work(`${name}-1M-odd`, of, SIDE + 1)];
}

function work(name: string, of: (x: Tensor, y: Tensor) => Tensor, columns: number, peer?: Peer): Work {
  return {
    name,
    contenders: async () => {
      const x = randn([SIDE, columns], { seed: 1 });
      const y = randn([SIDE, columns], { seed: 2 });
      const values = x.dataSync() as Float32Array;
      y.dataSync();
      const run = (): void => scope(() => evaluate(of(x, y)));
      return [{ name: 'gradus', run }, copy(values), ...(peer === undefined ? [] : [jaxFunctionContender(jaxInNode, peer, values, [SIDE, columns])])];
    },
  };
}

/** What the rows of `x` are scaled with and moved by. */
const parameters = (x: Tensor): { weight: Tensor; bias: Tensor } => ({ weight: ones([x.shape[1] ?? 0]), bias: zeros([x.shape[1] ?? 0]) });

export const elementwiseWorks: readonly Work[] = [
  ...works('add', (x, y) => add(x, y)),
  ...works('layerNorm', (x) => layerNorm(x, parameters(x))),
  ...works('exp', (x) => exp(x), 'exp'),
  ...works('softmax', (x) => softmax(x, { axis: -1 }), 'softmax'),
  ...works('gelu', (x) => gelu(x), 'gelu'),
];
