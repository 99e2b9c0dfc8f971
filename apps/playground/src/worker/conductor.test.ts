/** The worker's inside in Node: digits of MNIST, real networks, cpu and wasm. */

import { GradusError } from '@gradus/backend';
import type { Backend } from '@gradus/backend';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { decodeSafetensors } from '@gradus/formats';
import { memory, setDefaultDevice } from '@gradus/tensor';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { dataFolders } from '../../server/data-files.ts';
import type { ModelName } from '../choices.ts';
import type { Command, Report, Setup } from '../protocol.ts';
import { Conductor } from './conductor.ts';
import { Images } from './images.ts';
import { MODELS } from './models.ts';

const { mnist: folder = '' } = dataFolders(undefined);
const HEADER_BYTES = { images: 16, labels: 8 };

/** The first `count` samples of an IDX file: its header with another size, and fewer bytes behind it. */
async function firstOf(file: string, count: number): Promise<Uint8Array> {
  const bytes = await readFile(join(folder, file));
  const header = file.includes('images') ? HEADER_BYTES.images : HEADER_BYTES.labels;
  const sample = file.includes('images') ? 784 : 1;
  const part = Uint8Array.from(bytes.subarray(0, header + count * sample));
  new DataView(part.buffer).setUint32(4, count);
  return part;
}

const setup: Setup = { model: 'mlp', dataset: 'mnist', device: 'cpu', seed: 1, lr: 1e-3, batchSize: 16 };

/** A conductor with the first 512 digits to train on and 100 to test with, and a way to wait for what it says. */
class Rehearsal {
  readonly reports: Report[] = [];
  readonly conductor: Conductor;
  readonly done: Promise<void>;
  readonly #devices: Backend[] = [];
  readonly #lost = new Set<Backend>();
  #heard: () => void = () => {};
  #clock = 0;

  constructor() {
    this.conductor = new Conductor({
      post: (report) => {
        this.reports.push(report);
        this.#heard();
      },
      open: async (name) => this.#open(name === 'cpu' ? cpu() : await wasm()),
      images: new Images(async (_, file) => firstOf(file, file.startsWith('train') ? 512 : 100)),
      now: () => (this.#clock += 50),
    });
    this.done = this.conductor.run();
  }

  /** Devices that were opened. */
  get opened(): number {
    return this.#devices.length;
  }

  /** The device of now takes no more data, as if its card had been unplugged. */
  loseDevice(): void {
    const device = this.#devices.at(-1);
    if (device !== undefined) this.#lost.add(device);
  }

  #open(device: Backend): Backend {
    this.#devices.push(device);
    return new Proxy(device, {
      get: (target, name) => {
        if (name === 'write' && this.#lost.has(device))
          throw new GradusError('DEVICE_LOST', { op: 'write', expected: 'a device that is there', got: 'a lost one' });
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  send(...commands: readonly Command[]): void {
    for (const command of commands) this.conductor.receive(command);
  }

  /** The first report of a kind, from the `from`-th report on, that fits. */
  async hear<T extends Report['type']>(
    type: T,
    fits: (report: Extract<Report, { type: T }>) => boolean = () => true,
    from = 0,
  ): Promise<Extract<Report, { type: T }>> {
    for (;;) {
      const found = this.reports.slice(from).find((r): r is Extract<Report, { type: T }> => r.type === type && fits(r as never));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  /** The mean losses, by the number of steps. */
  get losses(): Map<number, number> {
    return new Map(this.reports.flatMap((r) => (r.type === 'progress' ? [[r.progress.steps, r.progress.loss]] : [])));
  }
}

let rehearsal: Rehearsal;
afterEach(async () => {
  rehearsal.conductor.close();
  await rehearsal.done;
  if (memory().liveBytes > 0) throw new Error(`${memory().liveBytes} bytes were left behind`);
  setDefaultDevice(cpu());
});

async function begin(first: Partial<Setup> = {}): Promise<Rehearsal> {
  rehearsal = new Rehearsal();
  rehearsal.send({ type: 'setup', setup: { ...setup, ...first } });
  await rehearsal.hear('status');
  return rehearsal;
}

describe('training', () => {
  test('lowers the loss, counts, and tests on the way', async () => {
    const { reports } = await begin({ device: 'wasm' });
    rehearsal.send({ type: 'train' });
    const { evaluation } = await rehearsal.hear('evaluation', (r) => r.evaluation.complete && r.evaluation.images >= 4 * 512);
    expect(evaluation.accuracy).toBeGreaterThan(0.75);
    expect(evaluation.tested).toBe(100);
    expect(evaluation.confusion.reduce((a, b) => a + b)).toBe(100);
    const diagonal = evaluation.confusion.filter((_, i) => i % 11 === 0).reduce((a, b) => a + b);
    expect(diagonal / 100).toBeCloseTo(evaluation.accuracy);
    const progress = reports.flatMap((r) => (r.type === 'progress' ? [r.progress] : []));
    expect(progress.at(-1)?.loss).toBeLessThan((progress[0]?.loss ?? 0) / 2);
    expect(progress.every((p) => p.imagesPerSecond > 0 && p.images === p.steps * 16)).toBe(true);
    rehearsal.send({ type: 'pause' });
    await rehearsal.hear('status', ({ status }) => status.phase === 'paused' && status.steps > 0);
  });

  test('goes on on another device as it would have without a change', async () => {
    const stop = async (steps: number, move: boolean): Promise<Map<number, number>> => {
      await begin({ model: 'cnn-small' });
      rehearsal.send({ type: 'train' });
      if (move) {
        await rehearsal.hear('evaluation');
        rehearsal.send({ type: 'move', device: 'wasm' });
        const { status } = await rehearsal.hear('status', (r) => r.status.setup.device === 'wasm');
        expect(status).toMatchObject({ phase: 'training', deviceTitle: 'wasm' });
      }
      await rehearsal.hear('progress', ({ progress }) => progress.steps >= steps);
      rehearsal.conductor.close();
      await rehearsal.done;
      return rehearsal.losses;
    };
    const [stayed, moved] = [await stop(32, false), await stop(32, true)];
    const common = [...moved.keys()].filter((steps) => stayed.has(steps) && steps > 20);
    expect(common.length).toBeGreaterThan(3);
    // Sums in another order, amplified by a dozen steps of Adam.
    for (const steps of common) expect(moved.get(steps)).toBeCloseTo(stayed.get(steps) ?? 0, 2);
  });

  test('goes on from the last test when the device is lost, on a new one', async () => {
    await begin();
    rehearsal.send({ type: 'train' });
    const { evaluation } = await rehearsal.hear('evaluation');
    await rehearsal.hear('progress', ({ progress }) => progress.images > evaluation.images);
    rehearsal.loseDevice();
    const { images } = await rehearsal.hear('recovered');
    expect(images % 16).toBe(0);
    expect(images).toBeGreaterThanOrEqual(evaluation.images);
    expect(rehearsal.opened).toBe(2);
    const at = rehearsal.reports.length;
    const later = await rehearsal.hear('progress', () => true, at);
    expect(later.progress.images).toBeGreaterThan(images);
    expect(later.progress.loss).toBeLessThan(1.8); // that of a guess is 2.3
    expect(rehearsal.reports.some(({ type }) => type === 'failure')).toBe(false);
  });

  test('gives up on a device that is lost before anything was learned, and says so', async () => {
    await begin();
    rehearsal.loseDevice();
    rehearsal.send({ type: 'train' });
    expect((await rehearsal.hear('failure')).failure).toMatchObject({ during: 'train', code: 'DEVICE_LOST' });
    expect((await rehearsal.hear('status', ({ status }) => status.phase === 'training')).status.steps).toBe(0);
    await rehearsal.hear('status', ({ status }) => status.phase === 'paused', 2);
  });

  test('takes a new rate at once', async () => {
    await begin({ lr: 0 });
    rehearsal.send({ type: 'train' });
    await rehearsal.hear('evaluation');
    const still = rehearsal.losses.size;
    rehearsal.send({ type: 'pace', pace: { lr: 3e-3, batchSize: 32 } });
    const { evaluation } = await rehearsal.hear('evaluation', (r) => r.evaluation.images > 3 * 512);
    expect(still).toBeGreaterThan(0);
    expect(evaluation.accuracy).toBeGreaterThan(0.6);
  });
});

describe('weights', () => {
  test.each(Object.keys(MODELS) as ModelName[])('of %s are saved and loaded', async (model) => {
    await begin({ model, device: 'wasm' });
    const image = Float32Array.from({ length: 784 }, (_, i) => (i % 28) / 28);
    rehearsal.send({ type: 'classify', id: 1, pixels: image }, { type: 'save' });
    const before = await rehearsal.hear('classified');
    expect(before.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1);
    const { bytes, name } = await rehearsal.hear('saved');
    expect(name).toBe(`gradus-mnist-${model}.safetensors`);
    // Another seed and another kind of network: what is loaded decides.
    const other = model === 'linear' ? 'mlp' : 'linear';
    rehearsal.send({ type: 'setup', setup: { ...setup, device: 'wasm', model: other, seed: 2 } }, { type: 'load', bytes });
    rehearsal.send({ type: 'classify', id: 2, pixels: image });
    const after = await rehearsal.hear('classified', ({ id }) => id === 2);
    expect(after.probabilities).toEqual(before.probabilities);
    expect((await rehearsal.hear('status', ({ status }) => status.setup.seed === 2 && status.setup.model === model)).status.phase).toBe('paused');
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect(metadata).toEqual({ model, dataset: 'mnist', seed: '1', steps: '0' });
    for (const each of Object.values(tensors)) each.dispose();
  });

  test('that are none are refused, and everything stays', async () => {
    await begin();
    rehearsal.send({ type: 'load', bytes: Uint8Array.of(1, 2, 3) });
    const { failure } = await rehearsal.hear('failure');
    expect(failure).toMatchObject({ during: 'load', code: 'FORMAT' });
    rehearsal.send({ type: 'test-image', index: 103 });
    expect(await rehearsal.hear('test-image')).toMatchObject({ index: 3, label: 0 });
  });
});

describe('files of a visitor', () => {
  test('are taken', async () => {
    await begin();
    const files = {
      'train-images-idx3-ubyte': await firstOf('train-images-idx3-ubyte', 32),
      'train-labels-idx1-ubyte': await firstOf('train-labels-idx1-ubyte', 32),
      't10k-images-idx3-ubyte': await firstOf('t10k-images-idx3-ubyte', 7),
      't10k-labels-idx1-ubyte': await firstOf('t10k-labels-idx1-ubyte', 7),
    };
    rehearsal.send({ type: 'files', dataset: 'fashion-mnist', files });
    rehearsal.send({ type: 'setup', setup: { ...setup, dataset: 'fashion-mnist' } }, { type: 'train' });
    expect((await rehearsal.hear('evaluation')).evaluation).toMatchObject({ tested: 7, images: 32 });
  });

  test('are refused when they do not belong together', async () => {
    await begin();
    const odd = await firstOf('t10k-labels-idx1-ubyte', 7);
    const files = { 'train-images-idx3-ubyte': odd, 'train-labels-idx1-ubyte': odd, 't10k-images-idx3-ubyte': odd, 't10k-labels-idx1-ubyte': odd };
    rehearsal.send({ type: 'files', dataset: 'fashion-mnist', files });
    expect((await rehearsal.hear('failure')).failure).toMatchObject({ during: 'files', code: 'DATA_FORMAT' });
  });
});
