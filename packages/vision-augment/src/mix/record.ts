/** What was drawn for a mixture, as plain JSON. */

import { AugmentError } from '../errors.ts';

/** The weight of each image itself, from 0 to 1; of CutMix, also the part that comes from the other. */
export type MixRecord =
  | { readonly op: 'mixUp'; readonly lambda: number }
  | { readonly op: 'cutMix'; readonly lambda: number; readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** @throws AugmentError for a part that is not inside images of this size */
export function requirePart({ op, x, y, ...part }: MixRecord & { readonly op: 'cutMix' }, width: number, height: number): void {
  if (x + part.width <= width && y + part.height <= height) return;
  throw new AugmentError({
    op,
    expected: `a part of ${width} × ${height}`,
    got: `${part.width} × ${part.height} at (${x}, ${y})`,
    fix: 'replay it on images of the size it was drawn for',
  });
}
