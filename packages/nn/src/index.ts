/** Layers and models, with PyTorch's names, layouts and initial values. */

export { Parameter } from '@gradus/tensor';
export { StateDictError } from './errors.ts';
export { Flatten, ReLU } from './layers/activation.ts';
export { BatchNorm1d, BatchNorm2d } from './layers/batch-norm.ts';
export type { BatchNormOptions } from './layers/batch-norm.ts';
export { Conv2d } from './layers/convolution.ts';
export type { Conv2dOptions } from './layers/convolution.ts';
export { Dropout } from './layers/dropout.ts';
export { fanInUniform } from './layers/init.ts';
export { Linear } from './layers/linear.ts';
export { MaxPool2d } from './layers/pooling.ts';
export { Sequential } from './layers/sequential.ts';
export { Buffer, Module } from './module.ts';
export type { LoadOptions, LoadReport } from './module.ts';
export { replaceModules } from './replace.ts';
