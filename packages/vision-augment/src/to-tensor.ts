/** From pixels to the tensors that networks take. */

import { tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { AugmentError } from './errors.ts';
import { requireImage } from './image.ts';
import type { Image } from './image.ts';

/** The image as [C, H, W] float32 from 0 to 1: torchvision's `ToTensor`. @throws AugmentError for an image that is not whole */
export function toTensor(image: Image): Tensor {
  requireImage('toTensor', image);
  const { width, height, channels, data } = image;
  const pixels = width * height;
  const planes = new Float32Array(channels * pixels);
  for (let channel = 0; channel < channels; channel++)
    for (let pixel = 0; pixel < pixels; pixel++) planes[channel * pixels + pixel] = (data[pixel * channels + channel] as number) / 255;
  return tensor(planes, { shape: [channels, height, width] });
}

/** Options of {@link normalize}: one number for each channel. */
export interface NormalizeOptions {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * (x - mean) / std by channel, of one image [C, H, W] or a batch [N, C, H, W]: torchvision's `Normalize`.
 *
 * @throws AugmentError for a tensor of another rank, for other numbers of channels, or a std that is not above 0
 */
export function normalize(x: Tensor, { mean, std }: NormalizeOptions): Tensor {
  if (x.shape.length !== 3 && x.shape.length !== 4)
    throw new AugmentError({ op: 'normalize', expected: '[C, H, W] or [N, C, H, W]', got: `[${x.shape.join(', ')}]` });
  const channels = x.shape.at(-3) ?? 0;
  if (mean.length !== channels || std.length !== channels)
    throw new AugmentError({ op: 'normalize', expected: `mean and std of ${channels} numbers`, got: `${mean.length} and ${std.length}` });
  if (!mean.every(Number.isFinite) || !std.every((value) => Number.isFinite(value) && value > 0))
    throw new AugmentError({ op: 'normalize', expected: 'finite means, and finite stds above 0', got: `[${mean.join(', ')}], [${std.join(', ')}]` });
  const perChannel = (values: readonly number[]): Tensor => tensor(Float32Array.from(values), { shape: [channels, 1, 1], device: x.device });
  return x.sub(perChannel(mean)).div(perChannel(std));
}
