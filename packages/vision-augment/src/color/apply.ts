/** Colour operations by name. */

import { AugmentError } from '../errors.ts';
import type { Image } from '../image.ts';
import type { ColorOperation } from '../operations.ts';
import { brightness, contrast, hue, saturation } from './colors.ts';
import { erase, gaussianBlur, gaussianNoise } from './filters.ts';

/** The image after one operation. @throws AugmentError for parameters out of range */
export function applyColor(image: Image, operation: ColorOperation): Image {
  switch (operation.op) {
    case 'brightness':
      return brightness(image, requireWithin(operation.op, 'factor', operation.factor, 0, Infinity));
    case 'contrast':
      return contrast(image, requireWithin(operation.op, 'factor', operation.factor, 0, Infinity));
    case 'saturation':
      return saturation(image, requireWithin(operation.op, 'factor', operation.factor, 0, Infinity));
    case 'hue':
      return hue(image, requireWithin(operation.op, 'shift', operation.shift, -0.5, 0.5));
    case 'gaussianNoise':
      return gaussianNoise(image, requireWithin(operation.op, 'sigma', operation.sigma, 0, Infinity), operation.key);
    case 'gaussianBlur': {
      const radius = requireWithin(operation.op, 'radius', operation.radius, 0, Infinity);
      if (!Number.isInteger(radius)) throw new AugmentError({ op: operation.op, expected: 'a radius of whole pixels', got: String(radius) });
      return gaussianBlur(image, requireWithin(operation.op, 'sigma', operation.sigma, Number.MIN_VALUE, Infinity), radius);
    }
  }
  operation.op satisfies 'erase';
  return erase(image, operation, operation.fill);
}

/** The value, checked. @throws AugmentError when it is no finite number from `low` to `high` */
export function requireWithin(op: string, name: string, value: number, low: number, high: number): number {
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  const lowest = low === Number.MIN_VALUE ? 'above 0' : `of at least ${low}`;
  const range = high === Infinity ? lowest : `from ${low} to ${high}`;
  throw new AugmentError({ op, expected: `a finite ${name} ${range}`, got: String(value) });
}
