import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { affine, compose, createImage, crop, horizontalFlip, resize, rotate, rotate90, verticalFlip } from '../src/index.ts';
import type { Image, Keypoint, Transform } from '../src/index.ts';
import { largestDifference, pattern } from './photos.ts';

/** The image of this size whose pixel at (x, y) is the old one at `from(x, y)`, by naive loops. */
function moved(image: Image, width: number, height: number, from: (x: number, y: number) => [number, number]): Image {
  const out = createImage({ width, height, channels: image.channels });
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [column, row] = from(x, y);
      for (let c = 0; c < image.channels; c++)
        out.data[(y * width + x) * image.channels + c] = image.data[(row * image.width + column) * image.channels + c] ?? 0;
    }
  return out;
}

const run = (image: Image, ...transforms: Transform[]): Image => compose(transforms)({ image }).image;

describe.each([1, 3, 4] as const)('%i channels: bytes are moved, not computed', (channels) => {
  const image = pattern(7, 4, channels);

  test('flips', () => {
    expect(run(image, horizontalFlip())).toEqual(moved(image, 7, 4, (x, y) => [6 - x, y]));
    expect(run(image, verticalFlip())).toEqual(moved(image, 7, 4, (x, y) => [x, 3 - y]));
  });

  test('quarter turns, counter-clockwise, by either name', () => {
    const left = moved(image, 4, 7, (x, y) => [6 - y, x]);
    const right = moved(image, 4, 7, (x, y) => [y, 3 - x]);
    const half = moved(image, 7, 4, (x, y) => [6 - x, 3 - y]);
    for (const [turns, expected] of [left, half, right, image].map((each, i) => [i + 1, each] as const)) {
      expect(run(image, rotate90({ turns }))).toEqual(expected);
      expect(run(image, rotate90({ turns: turns - 4 }))).toEqual(expected);
      expect(run(image, rotate({ degrees: 90 * turns, expand: true }))).toEqual(expected);
    }
  });

  test('crops', () => {
    expect(run(image, crop({ x: 2, y: 1, width: 4, height: 2 }))).toEqual(moved(image, 4, 2, (x, y) => [x + 2, y + 1]));
  });

  test('and compositions of them', () => {
    const mixed = run(image, crop({ x: 2, y: 1, width: 4, height: 2 }), rotate90(), horizontalFlip());
    expect(mixed).toEqual(moved(image, 2, 4, (x, y) => [5 - y, 2 - x]));
    expect(run(image, rotate({ degrees: 180 }), rotate({ degrees: 180 }))).toEqual(image);
  });
});

describe('fusion', () => {
  const image = pattern(24, 18);

  test('rotations that cancel give the image back within the part that was never outside', () => {
    const back = run(image, rotate({ degrees: 33, expand: true }), rotate({ degrees: -33 }));
    const middle = crop({ x: 2, y: 2, width: 20, height: 14 });
    const offset = crop({ x: (back.width - 24) / 2 + 2, y: (back.height - 18) / 2 + 2, width: 20, height: 14 });
    expect(largestDifference(run(back, offset), run(image, middle))).toBeLessThanOrEqual(1);
  });

  test('what a crop removed does not come back', () => {
    const white = createImage({ width: 20, height: 20, channels: 1 }, 255);
    const cut = run(white, crop({ x: 5, y: 5, width: 10, height: 10 }), rotate({ degrees: 45, expand: true }));
    expect(cut.data[0]).toBe(0);
    expect(cut.data[7 * cut.width + 7]).toBe(255);
  });

  test('a resize in the middle is part of the warp when it does not antialias, and a pass of its own when it does', () => {
    const grown = [resize([48, 36]), rotate({ degrees: 20 })] as const;
    const apart = run(run(image, grown[0]), grown[1]);
    expect(largestDifference(run(image, ...grown), apart)).toBeGreaterThan(0);
    const shrunk = [resize([12, 9]), rotate({ degrees: 20 })] as const;
    expect(run(image, ...shrunk)).toEqual(run(run(image, shrunk[0]), shrunk[1]));
    const last = [rotate({ degrees: 20 }), resize([48, 36])] as const;
    expect(run(image, ...last)).toEqual(run(run(image, last[0]), last[1]));
  });

  test('colours of the outside that differ are not fused', () => {
    const steps = [rotate({ degrees: 20, expand: true, fill: 255 }), rotate({ degrees: 25, expand: true, fill: 9 })] as const;
    expect(run(image, ...steps)).toEqual(run(run(image, steps[0]), steps[1]));
  });
});

describe('targets', () => {
  test('a box is the smallest around its corners, and one with nothing left is reported', () => {
    const { boxes, droppedBoxes } = compose([crop({ x: 4, y: 4, width: 10, height: 10 }), rotate90()])({
      image: pattern(20, 20),
      boxes: [
        [0, 0, 3, 3],
        [2, 6, 8, 7],
        [15, 0, 16, 20],
      ],
    });
    expect(boxes).toEqual([[2, 6, 3, 10]]);
    expect(droppedBoxes).toEqual([0, 2]);
  });

  test('a box that a crop in the middle removed does not come back', () => {
    const sample = { image: pattern(20, 20), boxes: [[0, 0, 4, 4] as const, [4, 4, 16, 16] as const] };
    const { boxes, droppedBoxes } = compose([crop({ x: 5, y: 5, width: 10, height: 10 }), rotate({ degrees: 45, expand: true })])(sample);
    expect(droppedBoxes).toEqual([0]);
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = boxes?.[0] ?? [];
    for (const [edge, wanted] of [x0, y0, 16 - x1, 16 - y1].map((value) => [value, 8 - Math.hypot(5, 5)] as const))
      expect(edge).toBeCloseTo(wanted, 9);
  });

  test('keypoints name pixels', () => {
    const keypoints = [
      [0, 0],
      [3, 1],
    ] as const;
    expect(compose([horizontalFlip()])({ image: pattern(10, 4), keypoints }).keypoints).toEqual([
      [9, 0],
      [6, 1],
    ]);
    expect(compose([resize([20, 8])])({ image: pattern(10, 4), keypoints }).keypoints).toEqual([
      [0.5, 0.5],
      [6.5, 2.5],
    ]);
  });

  test('masks have no new classes', () => {
    const mask = createImage(
      { width: 24, height: 18, channels: 1 },
      Uint8Array.from({ length: 24 * 18 }, (_, i) => (i % 24 < 9 ? 3 : 200)),
    );
    const out = compose([affine({ degrees: 20, scale: 0.9, shearX: 8 }), resize([31, 40])])({ image: pattern(24, 18), mask });
    expect([out.mask?.width, out.mask?.height]).toEqual([31, 40]);
    expect([...new Set(out.mask?.data)].toSorted((a, b) => a - b)).toEqual([0, 3, 200]);
  });
});

/** Where a bright dot near a place is, and the sum of its levels. */
function findDot(image: Image, [x, y]: Keypoint, reach: number): { readonly at: Keypoint; readonly mass: number } {
  let [mass, sumX, sumY] = [0, 0, 0];
  for (let row = Math.max(0, Math.round(y) - reach); row <= Math.min(image.height - 1, Math.round(y) + reach); row++)
    for (let column = Math.max(0, Math.round(x) - reach); column <= Math.min(image.width - 1, Math.round(x) + reach); column++) {
      const level = image.data[row * image.width + column] ?? 0;
      [mass, sumX, sumY] = [mass + level, sumX + level * column, sumY + level * row];
    }
  return { at: [sumX / mass, sumY / mass], mass };
}

/** A crop by two and five pixels at opposite borders: a transform of one's own. */
const trim: Transform = {
  draw: (_, { width, height }) => [{ op: 'crop', x: 2, y: 5, width: width - 7, height: height - 7 }],
};

const anyTransform = fc.oneof(
  fc.constantFrom(trim, horizontalFlip(), verticalFlip(), rotate90(), rotate90({ turns: 2 })),
  fc.record({ degrees: fc.integer({ min: -180, max: 180 }), expand: fc.boolean() }).map(rotate),
  fc
    .record({
      degrees: fc.integer({ min: -90, max: 90 }),
      translateX: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      translateY: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
      scale: fc.double({ min: 0.8, max: 1.25, noNaN: true }),
      shearX: fc.integer({ min: -12, max: 12 }),
    })
    .map(affine),
  fc
    .tuple(
      fc.integer({ min: 80, max: 130 }),
      fc.integer({ min: 80, max: 130 }),
      fc.constantFrom('bilinear' as const, 'opencv-bilinear' as const, 'bicubic' as const),
    )
    .map(([width, height, resampler]) => resize([width, height], { resampler })),
);

test('a warped picture of dots agrees with the keypoints within half a pixel, for random compositions', () => {
  const [columns, rows, radius, spacing] = [5, 4, 4, 24];
  const image = createImage({ width: columns * spacing, height: rows * spacing, channels: 1 });
  const keypoints: Keypoint[] = [];
  for (let y = spacing / 2; y < image.height; y += spacing)
    for (let x = spacing / 2; x < image.width; x += spacing) {
      keypoints.push([x, y]);
      for (let dy = -radius; dy <= radius; dy++)
        // soft, so that the centre survives sampling
        for (let dx = -radius; dx <= radius; dx++)
          image.data[(y + dy) * image.width + x + dx] = Math.max(0, Math.round(255 * (1 - Math.hypot(dx, dy) / radius)));
    }
  const whole = findDot(image, [spacing / 2, spacing / 2], radius).mass;
  let compared = 0;
  fc.assert(
    fc.property(fc.array(anyTransform, { minLength: 1, maxLength: 4 }), (transforms) => {
      const out = compose(transforms)({ image, keypoints });
      const places = out.keypoints ?? [];
      // The sides of one cell of the grid of dots, as parts of what they were.
      const side = (to: number): Keypoint =>
        [0, 1].map((axis) => ((places[to]?.[axis] ?? 0) - (places[0]?.[axis] ?? 0)) / spacing) as [number, number];
      const [a, b] = side(1);
      const [c, d] = side(columns);
      const area = Math.abs(a * d - b * c);
      const reach = Math.ceil(radius * Math.hypot(a, b, c, d));
      for (const point of places) {
        const near = places.filter((other) => Math.max(Math.abs(other[0] - point[0]), Math.abs(other[1] - point[1])) < 2 * reach);
        const { at, mass } = findDot(out.image, point, reach);
        // A dot that was cut at a border, or has another beside it, has its centre elsewhere.
        if (near.length > 1 || Math.abs(mass / (whole * area) - 1) > 0.1) continue;
        compared++;
        expect(Math.hypot(at[0] - point[0], at[1] - point[1])).toBeLessThan(0.5);
      }
    }),
    { seed: 5, numRuns: 150 },
  );
  expect(compared).toBeGreaterThan(1000);
});
