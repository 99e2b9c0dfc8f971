/** Models with small weights: dynamic int8 with PyTorch's numbers, and int8 and int4 weights, each with a report of what changed. */

export { IntegerLinear } from './layers/integer-linear.ts';
export { QuantizedLinear } from './layers/quantized-linear.ts';
export type { QuantizedLinearOptions } from './layers/quantized-linear.ts';
export { Int4WeightOnlyLinear, Int8WeightOnlyLinear, WeightOnlyLinear } from './layers/weight-only-linear.ts';
export { int4WeightOnly, int8WeightOnly, quantizeDynamic } from './quantize.ts';
export type { DynamicOptions, Int4Options, LayerClass } from './quantize.ts';
export type { QuantizedModel, SkipOptions } from './replace-layers.ts';
export { QuantizationReport } from './report.ts';
export type { LayerReport, ReportTotals } from './report.ts';
export { affineScale, quantizeActivations, quantizeSymmetric, symmetricScale } from './scales.ts';
export type { ActivationOptions, AffineScale, QuantizedActivations } from './scales.ts';
