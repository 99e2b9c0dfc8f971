/** A character transformer from ops: 4 layers of width 128 with 4 heads, context 128, 65 characters; pre-norm, GELU, causal. */

import { Linear, Module, Parameter } from '@gradus/nn';
import { add, embedding, gelu, layerNorm, ones, randn, scaledDotProductAttention, slice, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

export const VOCABULARY = 65;
export const CONTEXT = 128;
export const BATCH = 16;
const WIDTH = 128;
const HEADS = 4;
const LAYERS = 4;

class Norm extends Module {
  readonly weight: Parameter = new Parameter(ones([WIDTH]));
  readonly bias: Parameter = new Parameter(zeros([WIDTH]));

  forward(x: Tensor): Tensor {
    return layerNorm(x, { weight: this.weight, bias: this.bias });
  }
}

class Block extends Module {
  readonly norm1: Norm = new Norm();
  readonly norm2: Norm = new Norm();
  readonly qkv: Linear = new Linear(WIDTH, 3 * WIDTH);
  readonly out: Linear = new Linear(WIDTH, WIDTH);
  readonly up: Linear = new Linear(WIDTH, 4 * WIDTH);
  readonly down: Linear = new Linear(4 * WIDTH, WIDTH);

  /** x is [N, T, width]. */
  forward(x: Tensor): Tensor {
    const [n = 1, t = 1] = x.shape;
    const qkv = this.qkv.forward(this.norm1.forward(x));
    const part = (i: number): Tensor =>
      slice(qkv, [null, null, { start: i * WIDTH, end: (i + 1) * WIDTH }])
        .reshape([n, t, HEADS, WIDTH / HEADS])
        .permute([0, 2, 1, 3]);
    const seen = scaledDotProductAttention(part(0), part(1), part(2), { causal: true });
    const mixed = add(x, this.out.forward(seen.permute([0, 2, 1, 3]).reshape([n, t, WIDTH])));
    return add(mixed, this.down.forward(gelu(this.up.forward(this.norm2.forward(mixed)))));
  }
}

/** Logits of the next character; x is int32 [N, T]. */
export class Gpt extends Module {
  readonly tokens: Parameter = new Parameter(randn([VOCABULARY, WIDTH]));
  readonly places: Parameter = new Parameter(randn([CONTEXT, WIDTH]));
  readonly blocks: readonly Block[] = Array.from({ length: LAYERS }, () => new Block());
  readonly norm: Norm = new Norm();
  readonly head: Linear = new Linear(WIDTH, VOCABULARY);

  forward(x: Tensor): Tensor {
    const start = add(embedding(this.tokens, x), this.places);
    return this.head.forward(this.norm.forward(this.blocks.reduce((h, block) => block.forward(h), start)));
  }
}
