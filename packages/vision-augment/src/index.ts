/** Image augmentation: transforms draw operations, which are plain JSON; operations move images, masks, boxes and keypoints together. */

export type { Augmented } from './apply.ts';
export { AugmentError, ImageError } from './errors.ts';
export { createImage } from './image.ts';
export type { Image, Size } from './image.ts';
export { readImage } from './io/read.ts';
export type { ReadImageOptions } from './io/read.ts';
export { writeImage } from './io/write.ts';
export type { WriteImageOptions } from './io/write.ts';
export type { Batch, Mixed } from './mix/batch.ts';
export { cutMix, mixUp } from './mix/mix.ts';
export type { MixOptions, Mixing } from './mix/mix.ts';
export type { LabelledImage, MixedImage, Pair } from './mix/pair.ts';
export type { MixRecord } from './mix/record.ts';
export type { AffineParameters, AugmentRecord, ColorOperation, Fill, GeometricOperation, Operation, Resampler } from './operations.ts';
export { Stream } from './random.ts';
export type { StreamKey, Words } from './random.ts';
export type { Box, Keypoint, Sample } from './sample.ts';
export { normalize, toTensor } from './to-tensor.ts';
export type { NormalizeOptions } from './to-tensor.ts';
export { brightness, colorJitter, contrast, erase, gaussianBlur, gaussianNoise, hue, saturation } from './transforms/color.ts';
export type { ColorJitterOptions, EraseOptions, FactorOptions } from './transforms/color.ts';
export { compose, oneOf } from './transforms/compose.ts';
export type { Augmentation } from './transforms/compose.ts';
export {
  affine,
  centerCrop,
  crop,
  horizontalFlip,
  randomCrop,
  randomResizedCrop,
  resize,
  rotate,
  rotate90,
  verticalFlip,
} from './transforms/geometric.ts';
export type { AffineOptions, RandomResizedCropOptions, ResizeOptions, RotateOptions, WidthHeight } from './transforms/geometric.ts';
export type { Geometry, Range, Transform, TransformOptions } from './transforms/transform.ts';
