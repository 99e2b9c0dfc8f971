/** The trainer on a graphics card in software: the same digits as on wasm, and a run that goes on after the device was lost. */

import type { Backend } from '@gradus/backend';
import { wasm } from '@gradus/backend-wasm';
import { DeviceLostError, webgpu } from '@gradus/backend-webgpu';
import type { WebGpuDevice } from '@gradus/backend-webgpu';
import { mnist, subset } from '@gradus/data';
import { crossEntropy } from '@gradus/losses';
import { Adam } from '@gradus/optim';
import type { OptimizerState } from '@gradus/optim';
import { compile, isTensor, manualSeed, setDefaultDevice, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { cpu } from '@gradus/backend-cpu';
import { afterAll, describe, expect, test } from 'vitest';
import { useSwiftShader } from '../../../scripts/swiftshader.mjs';
import { TextStream } from '../test/text-stream.ts';
import { MODELS } from './models.ts';
import { createProgress } from './progress.ts';
import { trainModel } from './train.ts';

const available = useSwiftShader();
const IMAGES = 4096;

/** An epoch of the MLP over the first digits; the share of 2000 test images that are right. */
async function accuracyOn(device: Backend): Promise<number> {
  setDefaultDevice(device);
  manualSeed(0);
  const { build, flatten, lr } = MODELS.mlp;
  const model = build();
  const [epoch] = await trainModel({
    model,
    train: subset(await mnist('train', { flatten }), 0, IMAGES),
    test: subset(await mnist('test', { flatten }), 0, 2000),
    epochs: 1,
    batchSize: 64,
    lr,
    seed: 0,
    signal: new AbortController().signal,
    progress: createProgress({ epochs: 1, images: IMAGES, stream: new TextStream(), now: () => 0 }),
    onEpoch: () => {},
  });
  model.dispose();
  return epoch?.testAccuracy ?? NaN;
}

describe.skipIf(!available)(available ? 'webgpu' : `webgpu (skipped: no software driver for ${process.platform} ${process.arch})`, () => {
  afterAll(() => setDefaultDevice(cpu()));

  test('an epoch ends within half a percent of where it ends on wasm', { timeout: 180_000 }, async () => {
    const reference = await accuracyOn(await wasm());
    const device = await webgpu();
    const found = await accuracyOn(device);
    device.dispose();
    expect(reference).toBeGreaterThan(0.8);
    expect(Math.abs(found - reference)).toBeLessThan(0.005);
  });

  test('a run goes on from its last saved state when the device is lost', { timeout: 180_000 }, async () => {
    const digits = await mnist('train', { flatten: true });
    const STEPS = 30;
    const LOST_AFTER = 17;
    const SAVED_EVERY = 10;

    /** A tensor on the host. */
    interface Values {
      readonly data: Float32Array;
      readonly shape: number[];
    }
    interface Saved {
      readonly step: number;
      readonly weights: Readonly<Record<string, Values>>;
      readonly optimizer: OptimizerState;
      readonly moments: readonly (readonly [name: string, readonly (readonly [slot: string, value: number | Values])[]])[];
    }
    const toHost = async (t: Tensor): Promise<Values> => ({ data: (await t.data()) as Float32Array, shape: [...t.shape] });
    const toDevice = ({ data, shape }: Values): Tensor => tensor(data, { shape });

    /** Trains from `saved` on; loses the device on the way if it is told to. */
    async function run(saved: Saved | null, lose: WebGpuDevice | null, save: (state: Saved) => void): Promise<number[]> {
      manualSeed(3);
      const model = MODELS.mlp.build();
      const optimizer = new Adam(model.namedParameters(), { lr: 1e-3 });
      if (saved !== null) {
        model.loadStateDict(Object.fromEntries(Object.entries(saved.weights).map(([name, values]) => [name, toDevice(values)])));
        const state = saved.moments.map(([name, slots]) => [
          name,
          Object.fromEntries(slots.map(([slot, v]) => [slot, typeof v === 'number' ? v : toDevice(v)])),
        ]);
        optimizer.loadStateDict({ ...saved.optimizer, state: Object.fromEntries(state) as OptimizerState['state'] });
      }
      const step = compile((x: Tensor, y: Tensor) => {
        const loss = crossEntropy(model.forward(x), y);
        optimizer.minimize(loss);
        return loss;
      });
      const losses: number[] = [];
      for (let i = saved?.step ?? 0; i < STEPS; i++) {
        const [x, y] = await digits.batch(Int32Array.from({ length: 32 }, (_, k) => 32 * i + k));
        losses.push(await step(tensor(x.data, { shape: x.shape }), tensor(y.data, { shape: y.shape, dtype: 'int32' })).item());
        if ((i + 1) % SAVED_EVERY === 0) {
          const weights: Record<string, Values> = {};
          for (const [name, t] of Object.entries(model.stateDict())) weights[name] = await toHost(t);
          const state = optimizer.stateDict();
          const moments = Object.entries(state.state).map(async ([name, slots]) => {
            const values = Object.entries(slots).map(async ([slot, v]) => [slot, isTensor(v) ? await toHost(v) : v] as const);
            return [name, await Promise.all(values)] as const;
          });
          save({ step: i + 1, weights, optimizer: state, moments: await Promise.all(moments) });
        }
        if (i + 1 === LOST_AFTER && lose !== null) (lose.gpu as { destroy(): void }).destroy();
      }
      return losses;
    }

    const undisturbed = await webgpu();
    setDefaultDevice(undisturbed);
    const expected = await run(null, null, () => {});

    const doomed = await webgpu();
    setDefaultDevice(doomed);
    let saved: Saved | null = null;
    await expect(run(null, doomed, (state) => (saved = state))).rejects.toBeInstanceOf(DeviceLostError);
    expect(saved).toMatchObject({ step: 10 });

    setDefaultDevice(await webgpu());
    const rest = await run(saved, null, () => {});
    expect(rest).toEqual(expected.slice(10));
  });
});
