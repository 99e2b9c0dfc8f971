/**
 * The page that measures the webgpu backend beside TensorFlow.js and jax-js on theirs. What runs it calls `bench(work)` for one work at a
 * time; results are read after each call, so that all that was queued is counted.
 */

import type * as tfjs from '@tensorflow/tfjs';
import { webgpu } from '@gradus/backend-webgpu';
import type { WebGpuDevice } from '@gradus/backend-webgpu';
import { Adam, SGD } from '@gradus/optim';
import { add, compile, matmul, noGrad, randn, scope, setDefaultDevice, softmax, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { measure } from '../measure.ts';
import type { Contender, Timing, Work } from '../measure.ts';
import { jaxMlpContender } from '../peers/jax.ts';
import type { Jax, JaxSource } from '../peers/jax.ts';
import { tensorFlowCnn, tensorFlowMlp } from '../peers/tfjs-training.ts';
import { BATCH, CNN_FLOPS, CLASSES, MLP_FLOPS, RATE, SIZES, cnn, labels, mlp, oneHotLabels, trainingStep } from '../works/digits.ts';
import type { MakeOptimizer } from '../works/digits.ts';

/** Elements of a large vector: 64 MiB in float32. */
const LARGE = 2 ** 24;
/** What an elementwise function of one argument moves, in bytes. */
const MOVED = 2 * 4 * LARGE;

let device: WebGpuDevice;

/** TensorFlow.js on webgpu. */
let tensorFlowLoaded: Promise<typeof tfjs> | null = null;
const tensorFlow = (): Promise<typeof tfjs> => (tensorFlowLoaded ??= loadTensorFlow());

async function loadTensorFlow(): Promise<typeof tfjs> {
  const tf = await import('@tensorflow/tfjs');
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js finds no webgpu');
  await tf.ready();
  return tf;
}

let jaxLoaded: Promise<Jax> | null = null;

async function loadJax(): Promise<Jax> {
  const loaded: unknown = await import('@jax-js/jax');
  const jax = loaded as Jax;
  await jax.init('webgpu');
  jax.defaultDevice('webgpu');
  return jax;
}

const jax: JaxSource = { name: 'jax-js webgpu, jitted', load: () => (jaxLoaded ??= loadJax()) };

/** A contender whose toolkit is only loaded when its turn comes, so that one that does not run says so and keeps no other from running. */
function later(name: string, prepare: () => Promise<() => Promise<void>>): Contender {
  let ready: Promise<() => Promise<void>> | null = null;
  return { name, run: async () => (await (ready ??= prepare()))() };
}

function products(m: number, k: number, n: number): readonly Contender[] {
  const [a, b] = [randn([m, k], { seed: 1 }), randn([k, n], { seed: 2 })];
  const ours: Contender = { name: 'gradus', run: () => scope(async () => void (await matmul(a, b).data())) };
  const values = async (t: Tensor): Promise<Float32Array> => (await t.data()) as Float32Array;
  const theirs = later('tfjs-webgpu', async () => {
    const tf = await tensorFlow();
    const [x, y] = [tf.tensor2d(await values(a), [m, k]), tf.tensor2d(await values(b), [k, n])];
    return async () => {
      const z = tf.matMul(x, y);
      await z.data();
      z.dispose();
    };
  });
  const others = later(jax.name, async () => {
    const { numpy } = await jax.load();
    const [x, y] = [numpy.array(await values(a)).reshape([m, k]), numpy.array(await values(b)).reshape([k, n])];
    return async () => {
      await numpy.matmul(x.ref, y.ref).data();
    };
  });
  return [ours, theirs, others];
}

/** Steps between two reads, as training does it: a read waits for the device. In software every step takes long, and one is enough. */
let stepsPerRead = 20;

function steps(build: typeof mlp, make: MakeOptimizer, shape: readonly number[]): Contender {
  const step = trainingStep(build, make, true);
  const x = randn(shape, { seed: 1 });
  const y = tensor(labels(BATCH, CLASSES));
  return {
    name: 'gradus',
    run: () =>
      scope(async () => {
        for (let i = 1; i < stepsPerRead; i++) step(x, y).dispose();
        await step(x, y).item();
      }),
  };
}

/** As many steps of a contender whose `run` is one. */
const many = (contender: Contender): Contender => ({
  ...contender,
  run: async () => {
    for (let i = 0; i < stepsPerRead; i++) await contender.run();
  },
});

/** A network's steps in TensorFlow.js, the last of each run read. */
function tensorFlowSteps(make: typeof tensorFlowMlp, values: Float32Array): Contender {
  let count = 0;
  const read = async (loss: tfjs.Tensor): Promise<void> => {
    if (++count % stepsPerRead === 0) await loss.data();
  };
  const name = 'tfjs-webgpu';
  const prepare = async (): Promise<() => Promise<void>> => {
    const { run } = await make({ name, tf: await tensorFlow(), select: async () => {}, read }, values);
    return async () => run();
  };
  return many(later(name, prepare));
}

const imageValues = async (): Promise<Float32Array> => (await randn([BATCH, SIZES[0]], { seed: 1 }).data()) as Float32Array;

async function mlpContenders(): Promise<readonly Contender[]> {
  return [steps(mlp, adam, [BATCH, SIZES[0]]), tensorFlowSteps(tensorFlowMlp, await imageValues())];
}

async function mlpSgdContenders(): Promise<readonly Contender[]> {
  return [steps(mlp, sgd, [BATCH, SIZES[0]]), many(jaxMlpContender(jax, SIZES, await imageValues(), oneHotLabels(), BATCH))];
}

async function cnnContenders(): Promise<readonly Contender[]> {
  return [steps(cnn, adam, [BATCH, 1, 28, 28]), tensorFlowSteps(tensorFlowCnn, await imageValues())];
}

/** An elementwise function over a large vector: `flops` counts bytes, so that GFLOP/s reads as GB/s. */
function sweep(name: string, of: (x: Tensor) => Tensor): Work {
  return {
    name,
    flops: MOVED,
    contenders: async () => {
      const x = randn([LARGE / 1024, 1024], { seed: 1 });
      const call = compile((v: Tensor) => noGrad(() => of(v)));
      const run = async (): Promise<void> => {
        call(x).dispose();
        await device.synchronize();
      };
      return [{ name: 'gradus', run }];
    },
  };
}

const product = (m: number, k: number, n: number): Work => ({
  name: m === k && k === n ? `matmul-${m}` : `matmul-${m}x${k}x${n}`,
  flops: 2 * m * k * n,
  contenders: async () => products(m, k, n),
});

const adam: MakeOptimizer = (parameters) => new Adam(parameters, { lr: RATE });
const sgd: MakeOptimizer = (parameters) => new SGD(parameters, { lr: RATE });

const works = (): readonly Work[] => [
  ...[256, 512, 513, 1024, 1025, 2048, 4096].map((n) => product(n, n, n)),
  product(64, 784, 512),
  product(1, 4096, 4096),
  sweep('add-16M (GB/s)', (x) => add(x, 1)),
  sweep('softmax-16M (GB/s)', (x) => softmax(x, { axis: 1 })),
  { name: 'mlp-step', flops: MLP_FLOPS, callsPerRun: stepsPerRead, contenders: mlpContenders },
  { name: 'mlp-step-sgd', flops: MLP_FLOPS, callsPerRun: stepsPerRead, contenders: mlpSgdContenders },
  { name: 'cnn-step', flops: CNN_FLOPS, callsPerRun: stepsPerRead, contenders: cnnContenders },
];

/** JavaScript's share of a replayed step, in ms a kernel: what the processor does while it waits for nothing. */
async function overhead(): Promise<{ readonly kernels: number; readonly msPerKernel: number }> {
  const step = trainingStep(mlp, adam, true);
  const [x, y] = [randn([BATCH, SIZES[0]], { seed: 1 }), tensor(labels(BATCH, CLASSES))];
  for (let i = 0; i < 5; i++) step(x, y).dispose();
  await device.synchronize();
  const before = device.statistics.dispatches;
  const samples: number[] = [];
  for (let i = 0; i < 50; i++) {
    const start = performance.now();
    step(x, y).dispose();
    samples.push(performance.now() - start);
    await device.synchronize();
  }
  const kernels = (device.statistics.dispatches - before) / samples.length;
  return { kernels, msPerKernel: (samples.toSorted((a, b) => a - b)[25] ?? NaN) / kernels };
}

Object.assign(globalThis, {
  /** Makes the device; gives its name and the names of the works. */
  open: async (software: boolean): Promise<{ readonly device: string; readonly works: readonly string[] }> => {
    if (software) stepsPerRead = 1;
    device = await webgpu();
    setDefaultDevice(device);
    return { device: device.name, works: works().map((work) => work.name) };
  },
  bench: async (name: string): Promise<[string, Timing | { readonly error: string }][]> => {
    const work = works().find((each) => each.name === name);
    return work === undefined ? [] : [...(await measure(work))];
  },
  overhead,
});
