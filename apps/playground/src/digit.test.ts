import { expect, test } from 'vitest';
import { SIDE } from './choices.ts';
import { asDigit } from './digit.ts';
import type { Drawing } from './digit.ts';

/** A drawing with a filled rectangle. */
function rectangle(left: number, top: number, width: number, height: number): Drawing {
  const ink = new Float32Array(280 * 280);
  for (let y = top; y < top + height; y++) ink.fill(1, y * 280 + left, y * 280 + left + width);
  return { width: 280, height: 280, ink };
}

/** The box of pixels above a half: first and last column, first and last row. */
function boxOf(pixels: Float32Array): number[] {
  const on = [...pixels.keys()].filter((i) => (pixels[i] ?? 0) > 0.5);
  const [xs, ys] = [on.map((i) => i % SIDE), on.map((i) => Math.floor(i / SIDE))];
  return [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
}

const massOf = (pixels: Float32Array, of: (i: number) => number): number =>
  pixels.reduce((sum, p, i) => sum + p * (of(i) + 0.5), 0) / pixels.reduce((a, b) => a + b);

test('an empty drawing is no digit', () => {
  expect(asDigit({ width: 4, height: 4, ink: new Float32Array(16) })).toBeNull();
});

test.each([
  ['small, in a corner', rectangle(3, 5, 10, 40), [12, 15, 4, 23]],
  ['large', rectangle(0, 0, 100, 280), [10, 17, 4, 23]],
  ['wide', rectangle(100, 260, 160, 16), [4, 23, 13, 14]],
])('a bar, %s, has 20 pixels along its longer side and lies in the middle', (_, drawing, box) => {
  const pixels = asDigit(drawing) ?? new Float32Array();
  expect(pixels).toHaveLength(SIDE * SIDE);
  const [left = 0, right = 0, top = 0, bottom = 0] = boxOf(pixels);
  const [expectedLeft = 0, expectedRight = 0, expectedTop = 0, expectedBottom = 0] = box;
  expect(Math.abs(left - expectedLeft) + Math.abs(right - expectedRight)).toBeLessThanOrEqual(1);
  expect([top, bottom]).toEqual([expectedTop, expectedBottom]);
});

test('the centre of mass is in the middle, wherever the ink is', () => {
  const drawing = rectangle(200, 20, 20, 160);
  for (let y = 150; y < 180; y++) drawing.ink.fill(0.8, y * 280 + 120, y * 280 + 220); // a foot to the left: heavy below
  const pixels = asDigit(drawing) ?? new Float32Array();
  expect(massOf(pixels, (i) => i % SIDE)).toBeCloseTo(SIDE / 2, 1);
  expect(massOf(pixels, (i) => Math.floor(i / SIDE))).toBeCloseTo(SIDE / 2, 1);
});

test('grey stays grey, and no pixel is above 1', () => {
  const pixels = asDigit({ width: 40, height: 40, ink: new Float32Array(1600).fill(0.5) }) ?? new Float32Array();
  expect(Math.max(...pixels)).toBeCloseTo(0.5);
  expect(pixels[0]).toBe(0);
});
