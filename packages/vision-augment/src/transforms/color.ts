/** Transforms that change colours where they are. Colours change as torchvision changes those of uint8 tensors; masks, boxes and keypoints stay. */

import type { Fill, Operation } from '../operations.ts';
import { drawSides } from './geometric.ts';
import { requireRange, withProbability } from './transform.ts';
import type { Range, Transform, TransformOptions } from './transform.ts';

/** Options of {@link brightness}, {@link contrast} and {@link saturation}. */
export interface FactorOptions extends TransformOptions {
  /** 1 leaves the image as it is, 0 takes all away. */
  readonly factor: Range;
}

function byFactor(op: 'brightness' | 'contrast' | 'saturation', { factor, ...options }: FactorOptions): Transform {
  requireRange(op, 'factor', factor, 0);
  return withProbability(op, options, (stream) => [{ op, factor: stream.within(factor) }]);
}

/** A blend of the image and black. */
export function brightness(options: FactorOptions): Transform {
  return byFactor('brightness', options);
}

/** A blend of the image and its mean grey. */
export function contrast(options: FactorOptions): Transform {
  return byFactor('contrast', options);
}

/** A blend of the image and its grey version. Grey images stay as they are. */
export function saturation(options: FactorOptions): Transform {
  return byFactor('saturation', options);
}

/** Turns the hue by `shift` of the full circle, from -0.5 to 0.5. Grey images stay as they are. */
export function hue({ shift, ...options }: TransformOptions & { readonly shift: Range }): Transform {
  requireRange('hue', 'shift', shift, -0.5, 0.5);
  return withProbability('hue', options, (stream) => [{ op: 'hue', shift: stream.within(shift) }]);
}

/** Options of {@link colorJitter}: 0, the default of each, leaves it out. */
export interface ColorJitterOptions extends TransformOptions {
  /** The factor is drawn between 1 - brightness (at least 0) and 1 + brightness; so for contrast and saturation. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** The shift is drawn between -hue and hue; up to 0.5. */
  readonly hue?: number;
}

/** Brightness, contrast, saturation and hue in random order: torchvision's `ColorJitter`. */
export function colorJitter(options: ColorJitterOptions): Transform {
  const parts: Transform[] = [];
  for (const op of ['brightness', 'contrast', 'saturation'] as const) {
    const reach = options[op] ?? 0;
    requireRange('colorJitter', op, reach, 0);
    if (reach > 0) parts.push(byFactor(op, { factor: [Math.max(0, 1 - reach), 1 + reach] }));
  }
  const turn = options.hue ?? 0;
  requireRange('colorJitter', 'hue', turn, 0, 0.5);
  if (turn > 0) parts.push(hue({ shift: [-turn, turn] }));
  return withProbability('colorJitter', options, (stream, geometry) => {
    const drawn = parts.flatMap((part) => part.draw(stream, geometry));
    return shuffled(drawn, (count) => stream.below(count));
  });
}

/** Fisher and Yates, from the end. */
function shuffled(operations: readonly Operation[], below: (count: number) => number): Operation[] {
  const rest = [...operations];
  const order: Operation[] = [];
  while (rest.length > 0) order.push(...rest.splice(below(rest.length), 1));
  return order;
}

/** Adds normal noise of standard deviation `sigma`, in levels of 255. */
export function gaussianNoise({ sigma, ...options }: TransformOptions & { readonly sigma: Range }): Transform {
  requireRange('gaussianNoise', 'sigma', sigma, 0);
  return withProbability('gaussianNoise', options, (stream) => [
    { op: 'gaussianNoise', sigma: stream.within(sigma), key: [...stream.child(0).key] as const },
  ]);
}

/** Blurs by a Gaussian of standard deviation `sigma`, in pixels, cut at three times that. Borders are mirrored. */
export function gaussianBlur({ sigma, ...options }: TransformOptions & { readonly sigma: Range }): Transform {
  requireRange('gaussianBlur', 'sigma', sigma, Number.MIN_VALUE);
  return withProbability('gaussianBlur', options, (stream) => {
    const drawn = stream.within(sigma);
    return [{ op: 'gaussianBlur', sigma: drawn, radius: Math.ceil(3 * drawn) }];
  });
}

/** Options of {@link erase}. */
export interface EraseOptions extends TransformOptions {
  /** The part of the area, default [0.02, 0.33]. */
  readonly scale?: readonly [number, number];
  /** Width by height, drawn evenly in the logarithm; default [0.3, 3.3]. */
  readonly ratio?: readonly [number, number];
  /** Default 0. */
  readonly fill?: Fill;
}

/** How often a rectangle is drawn before nothing is erased. */
const TRIES = 10;

/** Paints a random rectangle: torchvision's `RandomErasing`. Zhong et al., "Random Erasing Data Augmentation", AAAI 2020. */
export function erase({ scale = [0.02, 0.33], ratio = [0.3, 3.3], fill = 0, ...options }: EraseOptions = {}): Transform {
  requireRange('erase', 'scale', scale, Number.MIN_VALUE);
  requireRange('erase', 'ratio', ratio, Number.MIN_VALUE);
  return withProbability('erase', options, (stream, size) => {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const [width, height] = drawSides(stream, size, scale, ratio);
      if (width === 0 || height === 0 || width >= size.width || height >= size.height) continue;
      return [{ op: 'erase', x: stream.below(size.width - width + 1), y: stream.below(size.height - height + 1), width, height, fill }];
    }
    return [];
  });
}
