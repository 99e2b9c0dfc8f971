/** Specifications of what arranges elements: moved axes, parts, repetitions, padding, diagonals and windows. */

import { chunk, meshgrid, movedim, narrow, repeat, repeatInterleave, roll, rot90, tile, unbind } from './arrangement.ts';
import { diag, diagEmbed, diagonal, trace, tril, triu } from './diagonals.ts';
import { pad } from './padding.ts';
import { fold, unfold, unfoldAxis } from './patches.ts';
import { array, at } from './specification.spec.ts';
import type { OpSpecification } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

type Place = (index: readonly number[]) => readonly number[] | null;

/** The result's element at `index` is x's at `place(index)`, or `fill`. */
const moved = (
  name: string,
  run: OpSpecification['run'],
  from: readonly number[],
  to: readonly number[],
  place: Place,
  fill = 0,
): OpSpecification => ({
  name,
  run,
  reference: (x) =>
    array(to, (index) => {
      const found = place(index);
      return found === null ? fill : at(x, found);
    }),
  cases: [[{ dims: from, low: -2, high: 2 }]],
});

/** `i` mirrored at the ends of an axis of `size`. */
const mirror = (i: number, size: number): number => (i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i);
const wrap = (i: number, size: number): number => ((i % size) + size) % size;
const nearest = (i: number, size: number): number => Math.min(Math.max(i, 0), size - 1);

const PATCHES = { kernelSize: [2, 3], dilation: [1, 2], padding: [1, 2], stride: [2, 1] } as const;
const [ROWS, COLUMNS] = [3, 4];

/** Where cell (i, j) of the window at place l lies in a 4 × 4 image, for {@link PATCHES}; null in the padding. */
const cell = (i: number, j: number, l: number): readonly [number, number] | null => {
  const y = Math.floor(l / COLUMNS) * 2 + i - 1;
  const x = (l % COLUMNS) + 2 * j - 2;
  return y < 0 || y >= 4 || x < 0 || x >= 4 ? null : [y, x];
};

export const specifications: readonly OpSpecification[] = [
  moved(
    'movedim',
    (x) => movedim(x, [0, 1], [-1, 0]),
    [2, 3, 2],
    [3, 2, 2],
    ([a = 0, b = 0, c = 0]) => [c, a, b],
  ),
  moved(
    'chunk',
    (x) => chunk(x, 3, { axis: 1 })[1] as Tensor,
    [2, 5],
    [2, 2],
    ([a = 0, b = 0]) => [a, b + 2],
  ),
  moved(
    'unbind',
    (x) => unbind(x, { axis: -1 })[2] as Tensor,
    [2, 3],
    [2],
    ([a = 0]) => [a, 2],
  ),
  moved(
    'narrow',
    (x) => narrow(x, 1, -3, 2),
    [2, 4],
    [2, 2],
    ([a = 0, b = 0]) => [a, b + 1],
  ),
  moved(
    'tile',
    (x) => tile(x, [2, 1, 2]),
    [3, 2],
    [2, 3, 4],
    ([, b = 0, c = 0]) => [b, c % 2],
  ),
  moved(
    'repeat',
    (x) => repeat(x, [2, 2]),
    [3, 2],
    [6, 4],
    ([a = 0, b = 0]) => [a % 3, b % 2],
  ),
  moved(
    'repeatInterleave',
    (x) => repeatInterleave(x, 2, { axis: 1 }),
    [2, 3],
    [2, 6],
    ([a = 0, b = 0]) => [a, Math.floor(b / 2)],
  ),
  moved(
    'roll',
    (x) => roll(x, [1, -2], { axis: [0, 1] }),
    [3, 4],
    [3, 4],
    ([a = 0, b = 0]) => [wrap(a - 1, 3), wrap(b + 2, 4)],
  ),
  moved(
    'rot90',
    (x) => rot90(x, 1),
    [2, 3],
    [3, 2],
    ([a = 0, b = 0]) => [b, 2 - a],
  ),
  moved(
    'meshgrid',
    (x) => meshgrid([x.flatten(), x.flatten()], { indexing: 'xy' })[1] as Tensor,
    [3],
    [3, 3],
    ([a = 0]) => [a],
  ),
  moved(
    'pad, cropping one side',
    (x) =>
      pad(
        x,
        [
          [1, -1],
          [-1, 2],
        ],
        { value: 7 },
      ),
    [3, 3],
    [3, 4],
    ([a = 0, b = 0]) => (a >= 1 && b < 2 ? [a - 1, b + 1] : null),
    7,
  ),
  moved(
    'pad by reflection',
    (x) =>
      pad(
        x,
        [
          [1, 2],
          [2, 0],
        ],
        { mode: 'reflect' },
      ),
    [3, 3],
    [6, 5],
    ([a = 0, b = 0]) => [mirror(a - 1, 3), mirror(b - 2, 3)],
  ),
  moved(
    'pad by the nearest cell',
    (x) =>
      pad(
        x,
        [
          [1, 0],
          [2, 3],
        ],
        { mode: 'replicate' },
      ),
    [2, 2],
    [3, 7],
    ([a = 0, b = 0]) => [nearest(a - 1, 2), nearest(b - 2, 2)],
  ),
  moved(
    'pad in a circle',
    (x) =>
      pad(
        x,
        [
          [1, 2],
          [3, 0],
        ],
        { mode: 'circular' },
      ),
    [2, 3],
    [5, 6],
    ([a = 0, b = 0]) => [wrap(a - 1, 2), wrap(b - 3, 3)],
  ),
  moved(
    'diagonal',
    (x) => diagonal(x, { offset: -1, axis: [0, 2] }),
    [3, 2, 4],
    [2, 2],
    ([a = 0, b = 0]) => [b + 1, a, b],
  ),
  moved(
    'diagEmbed',
    (x) => diagEmbed(x, { offset: 1, axis: [2, 0] }),
    [2, 2],
    [3, 2, 3],
    ([column = 0, b = 0, r = 0]) => (column === r + 1 ? [b, r] : null),
  ),
  moved(
    'diag',
    (x) => diag(x, { offset: -1 }),
    [2],
    [3, 3],
    ([a = 0, b = 0]) => (a === b + 1 ? [b] : null),
  ),
  moved(
    'triu',
    (x) => triu(x, { offset: 1 }),
    [2, 3, 3],
    [2, 3, 3],
    ([n = 0, a = 0, b = 0]) => (b >= a + 1 ? [n, a, b] : null),
  ),
  moved(
    'tril',
    (x) => tril(x),
    [3, 4],
    [3, 4],
    ([a = 0, b = 0]) => (b <= a ? [a, b] : null),
  ),
  {
    name: 'trace',
    run: (x) => trace(x, { offset: 1 }),
    reference: (x) => array([], () => at(x, [0, 1]) + at(x, [1, 2]) + at(x, [2, 3])),
    cases: [[{ dims: [3, 4], low: -2, high: 2 }]],
  },
  moved(
    'unfoldAxis',
    (x) => unfoldAxis(x, { axis: 0, size: 3, step: 2 }),
    [6, 2],
    [2, 2, 3],
    ([w = 0, b = 0, k = 0]) => [2 * w + k, b],
  ),
  moved(
    'unfold',
    (x) => unfold(x, PATCHES),
    [2, 4, 4],
    [12, ROWS * COLUMNS],
    ([row = 0, l = 0]) => {
      const place = cell(Math.floor(row / 3) % 2, row % 3, l);
      return place === null ? null : [Math.floor(row / 6), ...place];
    },
  ),
  {
    name: 'fold',
    run: (x) => fold(x, { ...PATCHES, outputSize: 4 }),
    reference: (x) => {
      const image = array([1, 4, 4], () => 0);
      array([6, ROWS * COLUMNS], ([row = 0, l = 0]) => {
        const place = cell(Math.floor(row / 3), row % 3, l);
        if (place !== null) image.data[place[0] * 4 + place[1]] = at(image, [0, ...place]) + at(x, [row, l]);
        return 0;
      });
      return image;
    },
    cases: [[{ dims: [6, ROWS * COLUMNS], low: -2, high: 2 }]],
  },
];
