/** Small networks that between them use every fast path, forward and backward: an MLP, a CNN, a transformer, an LSTM cell. */

import type { Device, Tensor } from '@gradus/tensor';
import {
  Parameter,
  add,
  concatenate,
  embedding,
  gelu,
  layerNorm,
  manualSeed,
  mul,
  ones,
  randn,
  scaledDotProductAttention,
  setDefaultDevice,
  defaultDevice,
  sigmoid,
  slice,
  tanh,
  tensor,
  zeros,
} from '@gradus/tensor';
import { BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, Module, ReLU, Sequential } from '@gradus/nn';
import { crossEntropy } from '@gradus/losses';

/** A network to be trained, and what it is trained on. */
export interface Subject {
  readonly module: Module;
  /** The inputs of one step: the same ones on every device. */
  readonly batch: () => readonly [Tensor, Tensor];
  readonly loss: (x: Tensor, y: Tensor) => Tensor;
}

const CLASSES = 5;
const BATCH = 8;

/** Labels 0, 1, 2, … as int32. */
const labels = (count: number, classes: number): Tensor => tensor(Int32Array.from({ length: count }, (_, i) => (i * 7) % classes));

function classifier(module: Module, shape: readonly number[]): Subject {
  return {
    module,
    batch: () => [randn([BATCH, ...shape], { seed: 1 }), labels(BATCH, CLASSES)],
    loss: (x, y) => crossEntropy(module.forward(x), y),
  };
}

const mlp = (): Subject => classifier(new Sequential(new Linear(12, 32), new ReLU(), new Linear(32, CLASSES)), [12]);

/** Odd sizes on purpose: 9×9 images, 3 and 5 channels. */
const cnn = (): Subject =>
  classifier(
    new Sequential(
      new Conv2d(1, 3, 3, { padding: 1 }),
      new BatchNorm2d(3),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(3, 5, 3, { stride: 2 }),
      new ReLU(),
      new Flatten(),
      new Dropout(0.1),
      new Linear(5, CLASSES),
    ),
    [1, 9, 9],
  );

/** Layer norm over the last axis. */
class Norm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(width: number) {
    super();
    this.weight = new Parameter(ones([width]));
    this.bias = new Parameter(zeros([width]));
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, { weight: this.weight, bias: this.bias });
  }
}

/** A pre-norm block with grouped heads: `x + attention(norm(x))`, then `x + mlp(norm(x))`; x is `[N, T, width]`. */
class Block extends Module {
  readonly attentionNorm: Norm;
  readonly query: Linear;
  readonly keyValue: Linear;
  readonly project: Linear;
  readonly mlpNorm: Norm;
  readonly up: Linear;
  readonly down: Linear;
  readonly heads: number;
  readonly keyHeads: number;

  constructor(width: number, heads: number, keyHeads: number) {
    super();
    this.heads = heads;
    this.keyHeads = keyHeads;
    this.attentionNorm = new Norm(width);
    this.query = new Linear(width, width);
    this.keyValue = new Linear(width, (2 * width * keyHeads) / heads);
    this.project = new Linear(width, width);
    this.mlpNorm = new Norm(width);
    this.up = new Linear(width, 2 * width);
    this.down = new Linear(2 * width, width);
  }

  forward(x: Tensor): Tensor {
    const [n = 1, t = 1, width = 1] = x.shape;
    const size = width / this.heads;
    const split = (y: Tensor, heads: number): Tensor => y.reshape([n, t, heads, size]).permute([0, 2, 1, 3]);
    const h = this.attentionNorm.forward(x);
    const kv = this.keyValue.forward(h);
    const half = size * this.keyHeads;
    const key = slice(kv, [null, null, { start: 0, end: half }]);
    const value = slice(kv, [null, null, { start: half }]);
    const seen = scaledDotProductAttention(split(this.query.forward(h), this.heads), split(key, this.keyHeads), split(value, this.keyHeads), {
      causal: true,
    });
    const mixed = add(x, this.project.forward(seen.permute([0, 2, 1, 3]).reshape([n, t, width])));
    return add(mixed, this.down.forward(gelu(this.up.forward(this.mlpNorm.forward(mixed)))));
  }
}

const VOCABULARY = 17;
const LENGTH = 10;
const WIDTH = 16;

/** Predicts the next of 17 tokens; x is `[N, T]` of int32. */
class Transformer extends Module {
  readonly tokens: Parameter;
  readonly places: Parameter;
  readonly blocks: readonly Block[];
  readonly norm: Norm;
  readonly head: Linear;

  constructor() {
    super();
    this.tokens = new Parameter(randn([VOCABULARY, WIDTH]));
    this.places = new Parameter(randn([LENGTH, WIDTH]).mul(0.1));
    this.blocks = [new Block(WIDTH, 4, 2), new Block(WIDTH, 4, 2)];
    this.norm = new Norm(WIDTH);
    this.head = new Linear(WIDTH, VOCABULARY);
  }

  forward(x: Tensor): Tensor {
    const start = add(embedding(this.tokens, x), this.places);
    return this.head.forward(this.norm.forward(this.blocks.reduce((h, block) => block.forward(h), start)));
  }
}

function transformer(): Subject {
  const module = new Transformer();
  return {
    module,
    batch: () => [
      labels(4 * LENGTH, VOCABULARY)
        .reshape([4, LENGTH])
        .copy(),
      labels(4 * LENGTH + 1, VOCABULARY)
        .slice([{ start: 1 }])
        .copy(),
    ],
    loss: (x, y) => crossEntropy(module.forward(x).reshape([-1, VOCABULARY]), y),
  };
}

/** An LSTM cell over a short sequence; gates in the order i, f, g, o. Hochreiter and Schmidhuber, 1997. */
class Recurrent extends Module {
  readonly cell: Linear;
  readonly head: Linear;
  readonly width: number;

  constructor(features: number, width: number) {
    super();
    this.width = width;
    this.cell = new Linear(features + width, 4 * width);
    this.head = new Linear(width, CLASSES);
  }

  /** x is `[N, T, features]`. */
  forward(x: Tensor): Tensor {
    const [n = 1, t = 1] = x.shape;
    const { width } = this;
    let h: Tensor = zeros([n, width], { device: x.device });
    let c: Tensor = zeros([n, width], { device: x.device });
    for (let step = 0; step < t; step++) {
      const gates = this.cell.forward(concatenate([slice(x, [null, step]), h], { axis: 1 }));
      const gate = (k: number): Tensor => slice(gates, [null, { start: k * width, end: (k + 1) * width }]);
      c = add(mul(sigmoid(gate(1)), c), mul(sigmoid(gate(0)), tanh(gate(2))));
      h = mul(sigmoid(gate(3)), tanh(c));
    }
    return this.head.forward(h);
  }
}

const lstm = (): Subject => classifier(new Recurrent(3, 7), [6, 3]);

/** The networks by name. */
export const SUBJECTS = { MLP: mlp, CNN: cnn, transformer, LSTM: lstm } as const;

/** The name of one. */
export type SubjectName = keyof typeof SUBJECTS;

/** Makes a network and its inputs on a device, with the same weights on every one. */
export function subjectOn(device: Device, name: SubjectName): Subject & { readonly inputs: readonly [Tensor, Tensor] } {
  const home = defaultDevice();
  setDefaultDevice(device);
  try {
    manualSeed(0);
    const subject = SUBJECTS[name]();
    return { ...subject, inputs: subject.batch() };
  } finally {
    setDefaultDevice(home);
  }
}
