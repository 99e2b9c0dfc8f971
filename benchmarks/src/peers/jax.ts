/** jax-js: the MLP's step with plain gradient descent, jitted as a whole; and elementwise functions. */

import type { Contender } from '../measure.ts';

/** An array of jax-js; an operation takes it away unless it is given `.ref`. */
interface JaxArray {
  readonly ref: JaxArray;
  add(other: JaxArray): JaxArray;
  sub(other: JaxArray): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  mean(): JaxArray;
  sum(axis?: number): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface Jax {
  init(device: string): Promise<unknown>;
  defaultDevice(device: string): unknown;
  readonly jit: <F extends (...args: never[]) => unknown>(fn: F) => F;
  readonly valueAndGrad: (fn: unknown) => (...args: never[]) => readonly [JaxArray, readonly JaxArray[]];
  blockUntilReady(value: unknown): Promise<unknown>;
  readonly numpy: {
    readonly array: (data: Float32Array) => JaxArray;
    readonly matmul: (a: JaxArray, b: JaxArray) => JaxArray;
    readonly exp: (x: JaxArray) => JaxArray;
  };
  readonly nn: {
    readonly relu: (x: JaxArray) => JaxArray;
    readonly logSoftmax: (x: JaxArray, axis?: number) => JaxArray;
    readonly softmax: (x: JaxArray, axis?: number) => JaxArray;
    readonly gelu: (x: JaxArray) => JaxArray;
  };
}

/** jax-js, loaded and made ready when a work first needs it. */
export interface JaxSource {
  /** The name that results carry. */
  readonly name: string;
  readonly load: () => Promise<Jax>;
}

type Layers = readonly JaxArray[];

/** Weights and biases in turn. */
function logits({ numpy, nn }: Jax, layers: Layers, x: JaxArray): JaxArray {
  let h = x;
  for (let i = 0; i + 1 < layers.length; i += 2) {
    const [weight, bias] = [layers[i], layers[i + 1]];
    if (weight === undefined || bias === undefined) break;
    const z = numpy.matmul(h, weight).add(bias);
    h = i + 2 < layers.length ? nn.relu(z) : z;
  }
  return h;
}

/** One step of gradient descent on an MLP with these sizes, labels as one-hot rows. */
export function jaxMlpContender(source: JaxSource, sizes: readonly number[], x: Float32Array, oneHot: Float32Array, batch: number): Contender {
  let step: (() => Promise<void>) | null = null;
  const prepare = async (): Promise<() => Promise<void>> => {
    const jax = await source.load();
    const array = (data: Float32Array, shape: readonly number[]): JaxArray => jax.numpy.array(data).reshape(shape);
    let layers: Layers = sizes.slice(1).flatMap((out, i) => {
      const fanIn = sizes[i] ?? 1;
      const weights = Float32Array.from({ length: fanIn * out }, () => (2 * Math.random() - 1) / Math.sqrt(fanIn));
      return [array(weights, [fanIn, out]), array(new Float32Array(out), [out])];
    });
    const images = array(x, [batch, sizes[0] ?? 1]);
    const labels = array(oneHot, [batch, sizes.at(-1) ?? 1]);
    const loss = (weights: Layers, a: JaxArray, b: JaxArray): JaxArray =>
      jax.nn
        .logSoftmax(logits(jax, weights, a), -1)
        .mul(b)
        .sum()
        .mul(-1 / batch);
    const update = jax.jit((weights: Layers, a: JaxArray, b: JaxArray): readonly [JaxArray, Layers] => {
      const [cost, gradients] = jax.valueAndGrad(loss)(...([weights.map((w) => w.ref), a, b] as never[]));
      return [cost, weights.map((w, i) => (gradients[i] === undefined ? w : w.sub(gradients[i].mul(1e-7))))];
    });
    return async () => {
      const [cost, next] = update(layers, images.ref, labels.ref);
      layers = next;
      await cost.data();
    };
  };
  return {
    name: source.name,
    run: async () => {
      step ??= await prepare();
      await step();
    },
  };
}

/** An elementwise function, or softmax of rows, jitted. */
export function jaxFunctionContender(source: JaxSource, name: 'exp' | 'softmax' | 'gelu', values: Float32Array, shape: readonly number[]): Contender {
  let call: (() => Promise<void>) | null = null;
  const prepare = async (): Promise<() => Promise<void>> => {
    const jax = await source.load();
    const x = jax.numpy.array(values).reshape(shape);
    const of = { exp: jax.numpy.exp, softmax: (v: JaxArray) => jax.nn.softmax(v, -1), gelu: jax.nn.gelu }[name];
    const jitted = jax.jit(of);
    return async () => {
      const y = jitted(x.ref);
      await jax.blockUntilReady(y);
      y.dispose();
    };
  };
  return {
    name: source.name,
    run: async () => {
      call ??= await prepare();
      await call();
    },
  };
}
