/** Tensors with automatic differentiation, on any backend of `@gradus/backend`. */

export type { Backend, DType, ErrorParts } from '@gradus/backend';
export { GradusError } from '@gradus/backend';
export { Arena } from './arena.ts';
export { backward, grad, isGradEnabled, noGrad, valueAndGrad, vjp } from './autograd/backward.ts';
export type { BackwardOptions, ScalarFunction, ValueAndGradient } from './autograd/backward.ts';
export { compile } from './compile/compile.ts';
export type { CompileStatistics, Compiled } from './compile/compile.ts';
export { arange, eye, full, linspace, oneHot, ones, onesLike, tensor, zeros, zerosLike } from './creation.ts';
export type { TensorData, TensorOptions } from './creation.ts';
export { debug, explain, memory, trimMemory } from './debug.ts';
export type { DebugOptions, MemoryReport } from './debug.ts';
export { broadcast, customGradient, defineOp, sameAs } from './define-op.ts';
export type { CompositeDefinition, ElementwiseDefinition, ShapeRule, ValueWithGradient } from './define-op.ts';
export * from './errors.ts';
export { HostNumber, hostDecision, hostEffect, hostNumber } from './host.ts';
export type { FlushReport, StepReport } from './lowering/report.ts';
export type { PlanStatistics } from './lowering/cache.ts';
export type { ElementArray } from './memory/elements.ts';
export { compose, iterationScopes, keep, scope } from './memory/scope.ts';
export type { ScopeHandle } from './memory/scope.ts';
export type { TensorMethods } from './methods.ts';
export { gelu, silu } from './ops/activations.ts';
export {
  add,
  div,
  equal,
  floorDiv,
  greater,
  greaterEqual,
  isNaN,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  pow,
  remainder,
  sign,
  square,
  sub,
  where,
} from './ops/arithmetic.ts';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from './ops/adaptive-pooling.ts';
export type { AdaptivePoolOptions } from './ops/adaptive-pooling.ts';
export { argmax, argmin } from './ops/arg-reduce.ts';
export type { ArgOptions } from './ops/arg-reduce.ts';
export { requireOptions } from './ops/arguments.ts';
export type { Axes, Operand, ReduceOptions } from './ops/arguments.ts';
export { scaledDotProductAttention } from './ops/attention.ts';
export type { AttentionOptions } from './ops/attention.ts';
export { batchNorm, batchStatistics } from './ops/batch-norm.ts';
export type { BatchNormOptions, BatchStatistics } from './ops/batch-norm.ts';
export { copy, detach, stopGradient } from './ops/convert.ts';
export { conv1d, conv2d, conv3d } from './ops/convolution.ts';
export type { ConvolutionOptions } from './ops/convolution.ts';
export { expand, sum } from './ops/expand.ts';
export {
  atan,
  ceil,
  cos,
  erf,
  exp,
  expm1,
  floor,
  leakyRelu,
  log,
  log1p,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sin,
  softplus,
  sqrt,
  tan,
  tanh,
  trunc,
} from './ops/functions.ts';
export { embedding } from './ops/embedding.ts';
export type { EmbeddingOptions } from './ops/embedding.ts';
export { maskedSelect, nonzero } from './ops/dynamic.ts';
export { affineGrid, gridSample } from './ops/grid-sample.ts';
export type { AffineGridOptions, GridSampleOptions } from './ops/grid-sample.ts';
export { indexSelect, requireIndices, scatterAdd, takeAlongAxis } from './ops/indexing.ts';
export { interpolate } from './ops/interpolate.ts';
export type { InterpolateOptions, InterpolationMode } from './ops/interpolate.ts';
export { matmul } from './ops/matmul.ts';
export { concatenate, flip, pad, permute, slice, split, stack, transpose } from './ops/movement.ts';
export type { Range } from './ops/movement.ts';
export { groupNorm, layerNorm, rmsNorm } from './ops/norms.ts';
export type { GroupNormOptions, LayerNormOptions, RmsNormOptions } from './ops/norms.ts';
export { channelShuffle, pixelShuffle, pixelUnshuffle } from './ops/pixel-shuffle.ts';
export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d, maxPoolIndices } from './ops/pooling.ts';
export type { AveragePoolOptions, PoolOptions } from './ops/pooling.ts';
export type { CreationOptions } from './ops/positions.ts';
export { quantizedMatmul } from './ops/quantized.ts';
export type { QuantizedMatmulOptions } from './ops/quantized.ts';
export { all, any, max, mean, min, norm, prod, std, variance } from './ops/reduce.ts';
export type { VarianceOptions } from './ops/reduce.ts';
export { abs, clamp, flatten, reshape, squeeze, toDType } from './ops/own-handles.ts';
export { unsqueeze } from './ops/reshape.ts';
export { cummax, cummin, cumprod, cumsum } from './ops/scan.ts';
export type { ScanOptions, ValuesAndIndices } from './ops/scan.ts';
export { logSoftmax, logSumExp, softmax } from './ops/softmax.ts';
export { argsort, sort, topK } from './ops/sort.ts';
export type { SortOptions, TopKOptions } from './ops/sort.ts';
export { convTranspose1d, convTranspose2d, convTranspose3d } from './ops/transposed-convolution.ts';
export type { TransposedConvolutionOptions } from './ops/transposed-convolution.ts';
export { lpPool1d, lpPool2d, lpPool3d, maxUnpool } from './ops/unpooling.ts';
export type { MaxUnpoolOptions, PowerPoolOptions } from './ops/unpooling.ts';
export type { PerAxis } from './ops/windows.ts';
export { Generator, defaultGenerator, manualSeed, permutationOf } from './random/generator.ts';
export type { Draw, GeneratorState } from './random/generator.ts';
export { threefry } from './random/threefry.ts';
export { bernoulli, normal, rand, randint, randn, uniform } from './random/random.ts';
export type { RandomOptions } from './random/random.ts';
export { profile } from './profile.ts';
export type { KernelEvent, KernelTotal, Profile } from './profile.ts';
export { data, dataSync, evaluate, item, itemSync, toArray } from './read.ts';
export type { NestedNumbers } from './read.ts';
export { defaultDevice, setDefaultDevice } from './runtime.ts';
export type { Device } from './runtime.ts';
export { Parameter, State, assign, commit } from './state.ts';
export { Tensor, hasGradient, isTensor } from './tensor.ts';
export type { Dims } from './tensor.ts';
export { to } from './transfer.ts';
export { showValue } from './values.ts';
export { CORE_VERSION } from './version.ts';
