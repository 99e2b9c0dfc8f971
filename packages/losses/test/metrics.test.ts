/** Streaming metrics: scikit-learn's numbers, from batches and from workers, in float64 on cpu and in float32 on wasm. */

import { readFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import { ArgumentError, IndexError, ShapeError, memory, scope, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import * as metrics from '../src/metrics/index.ts';
import type { MetricState, StreamingMetric } from '../src/metrics/index.ts';

interface Golden {
  readonly logits: readonly number[][];
  readonly labels: readonly number[];
  readonly probabilities: readonly number[][];
  readonly accuracy: readonly number[];
  readonly confusion: readonly number[][];
  readonly precisionRecall: readonly {
    readonly beta: number;
    readonly average: 'micro' | 'macro' | 'weighted';
    readonly scores: readonly number[];
    readonly perClass: readonly number[][];
  }[];
  readonly iou: readonly number[];
  readonly binary: {
    readonly scores: readonly number[];
    readonly labels: readonly number[];
    readonly roc: number;
    readonly step: number;
    readonly linear: number;
  };
  readonly regression: {
    readonly targets: readonly number[];
    readonly guesses: readonly number[];
    readonly result: Readonly<Record<string, number>>;
  };
  readonly nll: number;
  readonly brier: number;
  readonly calibration: Readonly<Record<string, number>>;
  readonly adaptive: Readonly<Record<string, number>>;
}

const golden = JSON.parse(readFileSync(new URL('fixtures/metrics.json', import.meta.url), 'utf8')) as Golden;
const CLASSES = 4;

/** A metric that is given two tensors. */
type Updated<R> = StreamingMetric<R> & { update(a: Tensor, b: Tensor): void };

describe.each([
  { name: 'cpu', device: cpu(), dtype: 'float64', tolerance: 1e-10 },
  { name: 'wasm', device: await wasm(), dtype: 'float32', tolerance: 1e-5 },
] as const)('$dtype on $name', ({ device, dtype, tolerance }) => {
  const floats = (values: readonly number[] | readonly number[][]): Tensor => tensor(values as number[], { dtype, device });
  const labels = (values: readonly number[]): Tensor => tensor(values as number[], { dtype: 'int32', device });

  /** From two workers, one of which has got two batches; their states go through JSON. */
  async function computed<R>(make: () => Updated<R>, a: readonly number[] | readonly number[][], b: readonly number[], real = false): Promise<R> {
    const [first, second] = [make(), make()];
    const give = (metric: Updated<R>, from: number, to: number): void =>
      scope(() => metric.update(floats(a.slice(from, to) as number[]), (real ? floats : labels)(b.slice(from, to))));
    give(first, 0, 7);
    give(first, 7, 20);
    give(second, 20, b.length);
    first.merge(JSON.parse(JSON.stringify(await second.state())) as MetricState);
    return first.compute();
  }
  const near = (found: number, wanted: number): void => expect(Math.abs(found - wanted)).toBeLessThanOrEqual(tolerance);

  test('accuracy, top 1 to 3', async () => {
    for (const [i, wanted] of golden.accuracy.entries()) {
      expect(await computed(() => new metrics.Accuracy({ topK: i + 1 }), golden.logits, golden.labels)).toBe(wanted);
    }
  });

  test('confusion, and intersection over union', async () => {
    expect(await computed(() => new metrics.ConfusionMatrix({ classes: CLASSES }), golden.logits, golden.labels)).toEqual(golden.confusion);
    const { perClass, mean } = await computed(() => new metrics.MeanIoU({ classes: CLASSES }), golden.logits, golden.labels);
    golden.iou.forEach((wanted, i) => near(perClass[i] ?? NaN, wanted));
    near(mean, golden.iou.reduce((a, b) => a + b) / CLASSES);
    const predicted = new metrics.ConfusionMatrix({ classes: 2 });
    predicted.update(labels([0, 1, 1]), labels([0, 1, 0]));
    expect(await predicted.compute()).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });

  test('precision, recall and F', async () => {
    for (const { beta, average, scores, perClass } of golden.precisionRecall) {
      const found = await computed(() => new metrics.PrecisionRecall({ classes: CLASSES, average, beta }), golden.logits, golden.labels);
      [found.precision, found.recall, found.fBeta].forEach((value, i) => near(value, scores[i] ?? NaN));
      found.perClass.forEach((each, c) =>
        [each.precision, each.recall, each.fBeta, each.support].forEach((value, i) => near(value, perClass[i]?.[c] ?? NaN)),
      );
    }
  });

  test('areas under curves', async () => {
    const { scores, labels: truths, roc, step, linear } = golden.binary;
    near(await computed(() => new metrics.RocAuc(), scores, truths), roc);
    near(await computed(() => new metrics.PrAuc(), scores, truths), step);
    near(await computed(() => new metrics.PrAuc({ interpolation: 'linear' }), scores, truths), linear);
  });

  test('errors of regression', async () => {
    const { guesses, targets, result } = golden.regression;
    const found = await computed(() => new metrics.RegressionErrors(), guesses, targets, true);
    // Targets of a thousand have four digits less in float32.
    for (const [name, value] of Object.entries(found)) {
      const allowed = dtype === 'float64' ? tolerance : 1e-3;
      expect(Math.abs(value - (result[name] ?? NaN)), name).toBeLessThanOrEqual(allowed);
    }
  });

  test('probabilities', async () => {
    near(await computed(() => new metrics.NegativeLogLikelihood(), golden.probabilities, golden.labels), golden.nll);
    near(await computed(() => new metrics.BrierScore(), golden.probabilities, golden.labels), golden.brier);
    for (const bins of [10, 15]) {
      near(await computed(() => new metrics.CalibrationError({ bins }), golden.probabilities, golden.labels), golden.calibration[bins] ?? NaN);
      near(await computed(() => new metrics.AdaptiveCalibrationError({ bins }), golden.probabilities, golden.labels), golden.adaptive[bins] ?? NaN);
    }
  });

  test('live bytes are flat over 1000 updates', async () => {
    const all = [new metrics.Accuracy(), new metrics.PrecisionRecall({ classes: 2 }), new metrics.CalibrationError(), new metrics.BrierScore()];
    const [p, y] = [floats([[0.2, 0.8]]), labels([1])];
    const live: number[] = [];
    for (let i = 0; i < 1000; i++) {
      for (const metric of all) metric.update(p, y);
      if (i % 100 === 99) {
        for (const metric of all) await metric.compute();
        live.push(memory().liveBytes);
      }
    }
    expect(new Set(live).size).toBe(1);
  });
});

test('of nothing they are NaN, and a reset forgets what is on its way', async () => {
  const accuracy = new metrics.Accuracy();
  expect(await accuracy.compute()).toBeNaN();
  accuracy.update(tensor([[0, 1]]), tensor([1], { dtype: 'int32' }));
  accuracy.reset();
  expect(await accuracy.compute()).toBeNaN();
  expect((await new metrics.RegressionErrors().compute()).r2).toBeNaN();
  expect(await new metrics.RocAuc().compute()).toBeNaN();
  expect((await new metrics.MeanIoU({ classes: 2 }).compute()).mean).toBeNaN();
});

test('a score that is NaN is not right', async () => {
  const accuracy = new metrics.Accuracy();
  accuracy.update(tensor([[NaN, 1]]), tensor([0], { dtype: 'int32' }));
  expect(await accuracy.compute()).toBe(0);
});

test('what does not fit is refused', async () => {
  const y = tensor([0, 1], { dtype: 'int32' });
  expect(() => new metrics.Accuracy({ topK: 0 })).toThrow(ArgumentError);
  expect(() => new metrics.ConfusionMatrix({ classes: 1.5 })).toThrow(ArgumentError);
  expect(() => new metrics.PrecisionRecall({ classes: 2, average: 'mean' as never })).toThrow(/average 'micro', 'macro' or 'weighted', got 'mean'/);
  expect(() => new metrics.CalibrationError({ bins: 0 })).toThrow(ArgumentError);
  expect(() => new metrics.Accuracy().update(tensor([[0, 1]]), y)).toThrow(ShapeError);
  expect(() => new metrics.RocAuc().update(tensor([[0], [1]]), y)).toThrow(/labels\.reshape\(\[2, 1\]\)/);
  expect(() => new metrics.Accuracy().merge({ metric: 'accuracy(topK: 2)', numbers: [] })).toThrow(/a state of accuracy\(topK: 1\)/);
  const confusion = new metrics.ConfusionMatrix({ classes: 2 });
  confusion.update(y, tensor([0, 2], { dtype: 'int32' }));
  await expect(confusion.compute()).rejects.toThrow(IndexError);
  const roc = new metrics.RocAuc();
  roc.update(tensor([NaN, 1]), y);
  await expect(roc.compute()).rejects.toThrow(/scores that are numbers, got NaN/);
});
