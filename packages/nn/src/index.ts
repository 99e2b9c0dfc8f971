/** Layers and models, with PyTorch's names, layouts and initial values. */

export { Parameter } from '@gradus/tensor';
export { GraphError, StateDictError } from './errors.ts';
export { functionalCall } from './functional-call.ts';
export { inMode } from './mode.ts';
export { GraphModel, graphModel } from './functional-graph/graph-model.ts';
export type { GraphDefinition } from './functional-graph/graph-model.ts';
export { dense, layer } from './functional-graph/layer.ts';
export type { Activation, DenseOptions, GraphLayer } from './functional-graph/layer.ts';
export { add, average, concatenate, maximum, multiply } from './functional-graph/merge.ts';
export type { GraphStructure, TensorsFor } from './functional-graph/structure.ts';
export { SymbolicTensor, input } from './functional-graph/symbolic.ts';
export type { GraphPart, GraphStep, InputOptions } from './functional-graph/symbolic.ts';
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
export { StackedModules, stackModules } from './stack-modules.ts';
