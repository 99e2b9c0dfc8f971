/**
 * The contract's `optimizerStep` kernel is defined as what the rules of this package give. No op makes it: a rule over the flat arena is one
 * map in place already. This test holds the definition to the rules, to the bit, for backends that claim the kernel.
 */

import { cpu } from '@gradus/backend-cpu';
import { Parameter, tensor } from '@gradus/tensor';
import type { Backend } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Adam, AdamW, SGD } from '../src/index.ts';
import type { Optimizer } from '../src/index.ts';

type Kernel = Parameters<Backend['prepare']>[0];
type StepKernel = Extract<Kernel, { kind: 'optimizerStep' }>;
type DType = 'float32' | 'float64';
type Numbers = Float32Array | Float64Array;

const SIZE = 37;
const STEPS = 6;

/** Numbers of several sizes, 0 among them. */
function numbers(dtype: DType, seed: number): Numbers {
  const values = Array.from({ length: SIZE }, (_, i) => (i % 11 === 5 ? 0 : Math.sin(i * 1.3 + seed * 7.7) * 10 ** ((i % 7) - 3)));
  return dtype === 'float32' ? Float32Array.from(values) : Float64Array.from(values);
}

/** The kernel's own memory: parameters, gradients, state. */
class Arena {
  readonly #device: Backend = cpu();
  readonly #dtype: DType;
  readonly #kernel: StepKernel;
  readonly #blocks: ReturnType<Backend['allocate']>[];

  constructor(rule: Pick<StepKernel, 'algorithm' | 'momentum' | 'nesterov'>, states: number, scalars: number, parameters: Numbers, dtype: DType) {
    this.#dtype = dtype;
    const operands = Array.from({ length: 2 + states }, (_, i) => ({
      dtype,
      access: i === 1 ? ('read' as const) : ('readWrite' as const),
      layout: 'indexed' as const,
      space: 'full' as const,
    }));
    this.#kernel = { kind: 'optimizerStep', ...rule, operands, scalars: Array.from({ length: scalars }, () => dtype) };
    this.#blocks = operands.map(() => this.#device.allocate(parameters.byteLength));
    this.#blocks.forEach((_, i) => this.#put(i, i === 0 ? parameters : parameters.map(() => 0)));
  }

  #put(operand: number, values: Numbers): void {
    const block = this.#blocks[operand];
    if (block !== undefined) this.#device.write(block, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  step(gradients: Numbers, scalars: readonly number[]): void {
    this.#put(1, gradients);
    const dims = Int32Array.from([SIZE, ...this.#blocks.flatMap(() => [0, SIZE])]);
    this.#device.run(this.#device.prepare(this.#kernel, dims), [...this.#blocks, ...scalars], dims);
  }

  /** Parameters, then state. */
  values(): number[][] {
    return this.#blocks
      .filter((_, i) => i !== 1)
      .map((block) => {
        const bytes = this.#device.readSync?.(block, 0, block.byteLength) ?? new Uint8Array();
        return [...(this.#dtype === 'float32' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer))];
      });
  }
}

interface Case {
  readonly name: string;
  readonly rule: Pick<StepKernel, 'algorithm' | 'momentum' | 'nesterov'>;
  readonly make: (p: Parameter) => Optimizer;
  readonly states: number;
  /** As the table of the kernel's definition has them; t counts from 1. */
  readonly scalars: (lr: number, t: number) => number[];
}

const rule = (algorithm: StepKernel['algorithm'], momentum = false, nesterov = false): Case['rule'] => ({ algorithm, momentum, nesterov });
const [beta1, beta2, eps] = [0.85, 0.995, 1e-6];
const moments = (lr: number, t: number, decay: number): number[] => [
  lr / (1 - beta1 ** t),
  decay,
  beta1,
  1 - beta1,
  beta2,
  1 - beta2,
  Math.sqrt(1 - beta2 ** t),
  eps,
];

const cases: readonly Case[] = [0, 0.03].flatMap((weightDecay): Case[] => {
  const sgd = (more: { momentum?: number; dampening?: number; nesterov?: boolean }): Case => {
    const { momentum = 0, dampening = 0, nesterov = false } = more;
    return {
      name: `SGD ${JSON.stringify({ ...more, weightDecay })}`,
      rule: rule('sgd', momentum !== 0, nesterov),
      make: (p) => new SGD([p], { lr: 0.1, weightDecay, ...more }),
      states: momentum === 0 ? 0 : 1,
      scalars: (lr, t) => (momentum === 0 ? [lr, weightDecay] : [lr, weightDecay, momentum, t === 1 ? 1 : 1 - dampening]),
    };
  };
  const options = { lr: 0.1, betas: [beta1, beta2], eps, weightDecay } as const;
  return [
    sgd({}),
    sgd({ momentum: 0.9 }),
    sgd({ momentum: 0.9, dampening: 0.3 }),
    sgd({ momentum: 0.9, nesterov: true }),
    {
      name: `Adam ${JSON.stringify({ weightDecay })}`,
      rule: rule('adam'),
      make: (p) => new Adam([p], options),
      states: 2,
      scalars: (lr, t) => moments(lr, t, weightDecay),
    },
    {
      name: `AdamW ${JSON.stringify({ weightDecay })}`,
      rule: rule('adamw'),
      make: (p) => new AdamW([p], options),
      states: 2,
      scalars: (lr, t) => moments(lr, t, 1 - lr * weightDecay),
    },
  ];
});

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test.each(cases)('$name is the kernel, to the bit', ({ rule: own, make, states, scalars }) => {
    const start = numbers(dtype, 0);
    const p = new Parameter(tensor(start, { dtype }));
    const optimizer = make(p);
    const arena = new Arena(own, states, scalars(0.1, 1).length, start, dtype);
    for (let t = 1; t <= STEPS; t++) {
      const lr = t < 4 ? 0.1 : 0.07;
      optimizer.lr = lr;
      const g = numbers(dtype, t);
      optimizer.minimize(p.mul(tensor(g, { dtype })).sum());
      arena.step(g, scalars(lr, t));
      expect([p, ...(optimizer.state[0] ?? [])].map((s) => [...s.dataSync()])).toEqual(arena.values());
    }
    expect(p.dataSync()).not.toEqual(start);
  });
});
