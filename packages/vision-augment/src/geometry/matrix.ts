/**
 * 3 × 3 matrices that map positions (x, y, 1), row by row; the last row is 0, 0, 1 in all that is made here. Positions are measured from the
 * corner of the image, as told in sample.ts.
 */

/** The nine numbers, row by row. */
export type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** A position. */
export type Point = readonly [x: number, y: number];

/** x' = a·x + b·y + c, y' = d·x + e·y + f. */
export function affineMatrix(a: number, b: number, c: number, d: number, e: number, f: number): Matrix {
  return [a, b, c, d, e, f, 0, 0, 1];
}

export const IDENTITY: Matrix = affineMatrix(1, 0, 0, 0, 1, 0);

/** First `second`'s argument goes through `first`, then through `second`. */
export function chain(first: Matrix, second: Matrix): Matrix {
  const [a, b, c, d, e, f] = second;
  const [g, h, i, j, k, l] = first;
  return affineMatrix(a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f);
}

/** The matrix that leads back; undefined where there is none. */
export function inverse([a, b, c, d, e, f]: Matrix): Matrix | undefined {
  const determinant = a * e - b * d;
  if (!(Math.abs(determinant) > 1e-12)) return undefined;
  // Divided, not multiplied by a reciprocal, so that flips and quarter turns stay exact.
  return affineMatrix(
    e / determinant,
    -b / determinant,
    (b * f - c * e) / determinant,
    -d / determinant,
    a / determinant,
    (c * d - a * f) / determinant,
  );
}

/** Where a position goes. */
export function mapPoint([a, b, c, d, e, f]: Matrix, [x, y]: Point): Point {
  return [a * x + b * y + c, d * x + e * y + f];
}

/** Whether every pixel goes exactly onto a pixel: a flip, a quarter turn, a shift by whole pixels. */
export function movesWholePixels([a, b, c, d, e, f]: Matrix): boolean {
  const axes = (Math.abs(a) === 1 && b === 0 && d === 0 && Math.abs(e) === 1) || (a === 0 && Math.abs(b) === 1 && Math.abs(d) === 1 && e === 0);
  return axes && Number.isInteger(c) && Number.isInteger(f);
}

/** The matrix `linear` [a, b, d, e] about `from`, which it takes to `to`. */
export function about([a, b, d, e]: readonly [number, number, number, number], from: Point, to: Point): Matrix {
  return affineMatrix(a, b, to[0] - a * from[0] - b * from[1], d, e, to[1] - d * from[0] - e * from[1]);
}

/** Cosine and sine of an angle in degrees, exact for right angles. */
export function turn(degrees: number): { readonly cos: number; readonly sin: number } {
  const angle = ((degrees % 360) + 360) % 360;
  if (angle % 90 === 0) return { cos: [1, 0, -1, 0][angle / 90] ?? 1, sin: [0, 1, 0, -1][angle / 90] ?? 0 };
  return { cos: Math.cos((angle * Math.PI) / 180), sin: Math.sin((angle * Math.PI) / 180) };
}
