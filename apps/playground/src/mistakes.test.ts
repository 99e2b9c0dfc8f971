import { expect, test } from 'vitest';
import { DATASET_CHOICES } from './choices.ts';
import { describeMistakes, worstMistake } from './mistakes.ts';

const { classes } = DATASET_CHOICES.mnist;

/** A matrix with 90 right of each class, and these counts besides, by label and prediction. */
function matrix(...mistakes: readonly (readonly [label: number, prediction: number, count: number])[]): Int32Array {
  const confusion = Int32Array.from({ length: 100 }, (_, i) => (i % 11 === 0 ? 90 : 0));
  for (const [label, prediction, count] of mistakes) confusion[label * 10 + prediction] = count;
  return confusion;
}

test('the worst mistake is not on the diagonal', () => {
  expect(worstMistake(matrix())).toBeNull();
  expect(worstMistake(matrix([4, 9, 7], [9, 4, 8], [0, 6, 8]))).toEqual({ label: 0, prediction: 6, count: 8 });
});

test('in words', () => {
  expect(describeMistakes(matrix(), classes)).toBe('No mistakes.');
  expect(describeMistakes(matrix([4, 9, 7], [4, 1, 3]), classes)).toBe('Most often 4 is taken for 9: 7 of 100.');
  expect(describeMistakes(matrix([6, 0, 5]), DATASET_CHOICES['fashion-mnist'].classes)).toBe('Most often Shirt is taken for T-shirt: 5 of 95.');
});
