import { expect, test } from 'vitest';
import { Curves } from './curves.ts';

const progress = (images: number, loss = 1): Parameters<Curves['addProgress']>[0] => {
  return { images, loss, accuracy: 0.5, steps: 0, epochs: 0, imagesPerSecond: 0 };
};
const evaluation = (images: number, accuracy: number): Parameters<Curves['addEvaluation']>[0] => {
  return { images, accuracy, steps: 0, tested: 10, confusion: new Int32Array(100), complete: false };
};

test('what was measured at one moment is one row', () => {
  const curves = new Curves();
  curves.addProgress(progress(64, 2));
  curves.addProgress(progress(128, 1));
  curves.addEvaluation(evaluation(128, 0.7));
  expect(curves.rows).toEqual([
    { images: 64, loss: 2, training: 0.5, test: null, reports: 1 },
    { images: 128, loss: 1, training: 0.5, test: 0.7, reports: 1 },
  ]);
  curves.addProgress(progress(192, 9));
  curves.rewind(128);
  expect(curves.rows.at(-1)).toMatchObject({ images: 128, test: 0.7 });
  curves.clear();
  expect(curves.rows).toEqual([]);
});

test('many rows are thinned: the last one, the means and the tests stay', () => {
  const curves = new Curves();
  for (let i = 1; i <= 5000; i++) {
    curves.addProgress(progress(i, i % 2));
    if (i % 100 === 0) curves.addEvaluation(evaluation(i, i / 5000));
  }
  const { rows } = curves;
  expect(rows.length).toBeLessThanOrEqual(1200);
  expect(rows.length).toBeGreaterThan(500);
  expect(rows.at(-1)).toMatchObject({ images: 5000, test: 1 });
  expect(rows.every(({ images }, i) => images > (rows[i - 1]?.images ?? 0))).toBe(true);
  expect(rows[10]?.loss).toBeCloseTo(0.5);
  expect(rows.filter(({ test: share }) => share !== null)).toHaveLength(50);
});
