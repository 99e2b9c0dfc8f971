/** Tensors with automatic differentiation, on any backend of `@gradus/backend`. */

export type { Backend, DType, ErrorParts } from '@gradus/backend';
export { GradusError } from '@gradus/backend';
export { Arena } from './arena.ts';
export { backward, grad, isGradEnabled, noGrad, valueAndGrad, vjp } from './autograd/backward.ts';
export type { BackwardOptions, ScalarFunction, ValueAndGradient } from './autograd/backward.ts';
export { checkpoint } from './autograd/checkpoint.ts';
export { hessian, jacobian, jvp } from './autograd/transforms.ts';
export type { JacobianOptions, ValueAndTangent } from './autograd/transforms.ts';
export { compile } from './compile/compile.ts';
export type { CompileStatistics, Compiled } from './compile/compile.ts';
export { arange, eye, full, fullLike, linspace, logspace, oneHot, ones, onesLike, tensor, zeros, zerosLike } from './creation.ts';
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
export { chunk, meshgrid, movedim, narrow, repeat, repeatInterleave, roll, rot90, tile, unbind } from './ops/arrangement.ts';
export type { MeshgridOptions } from './ops/arrangement.ts';
export { scaledDotProductAttention } from './ops/attention.ts';
export type { AttentionOptions } from './ops/attention.ts';
export { batchNorm, batchStatistics } from './ops/batch-norm.ts';
export type { BatchNormOptions, BatchStatistics } from './ops/batch-norm.ts';
export { copy, detach, stopGradient } from './ops/convert.ts';
export { bitwiseAnd, bitwiseNot, bitwiseOr, bitwiseXor, leftShift, rightShift } from './ops/bits.ts';
export { conv1d, conv2d, conv3d } from './ops/convolution.ts';
export type { ConvolutionOptions } from './ops/convolution.ts';
export { erfc, erfinv } from './ops/error-functions.ts';
export { acosh, asinh, atanh, cosh, exp2, log10, log2, logSigmoid, logaddexp, logit, sinh, xlogy } from './ops/exponentials.ts';
export { diag, diagEmbed, diagonal, trace, tril, triu } from './ops/diagonals.ts';
export type { DiagEmbedOptions, DiagonalOptions } from './ops/diagonals.ts';
export { cdist, corrcoef, cov } from './ops/distances.ts';
export { bilinear, chainMatmul, dot, einsum, inner, kron, outer, tensordot } from './ops/einsum.ts';
export type { ContractedAxes } from './ops/einsum.ts';
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
export { digamma, lgamma, polygamma } from './ops/gamma.ts';
export { embedding } from './ops/embedding.ts';
export type { EmbeddingOptions } from './ops/embedding.ts';
export { maskedSelect, nonzero } from './ops/dynamic.ts';
export { gather, indexSelect, requireIndices, scatterAdd, takeAlongAxis } from './ops/indexing.ts';
export { affineGrid, gridSample } from './ops/grid-sample.ts';
export type { AffineGridOptions, GridSampleOptions } from './ops/grid-sample.ts';
export { interpolate } from './ops/interpolate.ts';
export type { InterpolateOptions, InterpolationMode } from './ops/interpolate.ts';
export { matmul } from './ops/matmul.ts';
export { concatenate, flip, permute, slice, split, stack, transpose } from './ops/movement.ts';
export type { Range } from './ops/movement.ts';
export { groupNorm, layerNorm, rmsNorm } from './ops/norms.ts';
export type { GroupNormOptions, LayerNormOptions, RmsNormOptions } from './ops/norms.ts';
export { addcdiv, addcmul, copysign, fmod, frac, heaviside, isFinite, isInf, lerp, nanToNum } from './ops/parts.ts';
export type { BlendOptions, NanToNumOptions } from './ops/parts.ts';
export { pad } from './ops/padding.ts';
export type { PadMode, PadOptions } from './ops/padding.ts';
export { fold, unfold, unfoldAxis } from './ops/patches.ts';
export type { FoldOptions, UnfoldOptions } from './ops/patches.ts';
export { channelShuffle, pixelShuffle, pixelUnshuffle } from './ops/pixel-shuffle.ts';
export { avgPool1d, avgPool2d, avgPool3d, maxPool1d, maxPool2d, maxPool3d, maxPoolIndices } from './ops/pooling.ts';
export type { AveragePoolOptions, PoolOptions } from './ops/pooling.ts';
export type { CreationOptions } from './ops/positions.ts';
export { median, quantile } from './ops/quantile.ts';
export type { Interpolation, MedianOptions, QuantileOptions } from './ops/quantile.ts';
export { quantizedMatmul } from './ops/quantized.ts';
export type { QuantizedMatmulOptions } from './ops/quantized.ts';
export {
  celu,
  elu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  mish,
  prelu,
  relu6,
  selu,
  softmin,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from './ops/rectifiers.ts';
export { all, any, countNonzero, max, mean, min, nanmean, nansum, prod, std, variance } from './ops/reduce.ts';
export type { VarianceOptions } from './ops/reduce.ts';
export { abs, clamp, flatten, reshape, squeeze, toDType } from './ops/own-handles.ts';
export { unsqueeze } from './ops/reshape.ts';
export { cummax, cummin, cumprod, cumsum, logcumsumexp } from './ops/scan.ts';
export type { ScanOptions, ValuesAndIndices } from './ops/scan.ts';
export { indexAdd, indexCopy, indexFill, maskedFill, maskedScatter, scatter, scatterReduce } from './ops/scattering.ts';
export type { ScatterReduceOptions, ScatterReduction } from './ops/scattering.ts';
export { bincount, bucketize, histogram, kthValue, searchSorted } from './ops/searching.ts';
export type { BincountOptions, Histogram, HistogramOptions, SearchOptions } from './ops/searching.ts';
export { logSoftmax, logSumExp, softmax } from './ops/softmax.ts';
export { argsort, sort, topK } from './ops/sort.ts';
export type { SortOptions, TopKOptions } from './ops/sort.ts';
export { acos, asin, atan2, deg2rad, hypot, rad2deg, sinc } from './ops/trigonometry.ts';
export { convTranspose1d, convTranspose2d, convTranspose3d } from './ops/transposed-convolution.ts';
export type { TransposedConvolutionOptions } from './ops/transposed-convolution.ts';
export { norm } from './ops/vector-norm.ts';
export type { NormOptions } from './ops/vector-norm.ts';
export { index, indexMasked, indexPut } from './ops/subscripts.ts';
export type { Subscript } from './ops/subscripts.ts';
export { unique, uniqueConsecutive } from './ops/unique.ts';
export type { Unique } from './ops/unique.ts';
export { lpPool1d, lpPool2d, lpPool3d, maxUnpool } from './ops/unpooling.ts';
export type { MaxUnpoolOptions, PowerPoolOptions } from './ops/unpooling.ts';
export type { PerAxis } from './ops/windows.ts';
export { categorical, exponential, gumbel, multinomial, permutation, truncatedNormal } from './random/distributions.ts';
export type { CategoricalOptions, TruncatedNormalOptions } from './random/distributions.ts';
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
export { Parameter, State, assign, commit, withValues } from './state.ts';
export { Tensor, hasGradient, isTensor } from './tensor.ts';
export type { Dims } from './tensor.ts';
export { to } from './transfer.ts';
export { showValue } from './values.ts';
export { CORE_VERSION } from './version.ts';
