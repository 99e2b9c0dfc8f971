/** Ways of quantizing a model: each gives a new model and a report, and leaves the old model as it is. */

import { Linear } from '@gradus/nn';
import type { Module } from '@gradus/nn';
import { ArgumentError, requireOptions, showValue } from '@gradus/tensor';
import { IntegerLinear } from './layers/integer-linear.ts';
import { QuantizedLinear } from './layers/quantized-linear.ts';
import type { QuantizedLinearOptions } from './layers/quantized-linear.ts';
import { Int4WeightOnlyLinear, Int8WeightOnlyLinear, requireGroupSize } from './layers/weight-only-linear.ts';
import { replaceLayers } from './replace-layers.ts';
import type { Decision, QuantizedModel, SkipOptions } from './replace-layers.ts';

/** A class of layers: `Linear`. */
export type LayerClass = abstract new (...args: never[]) => Module;

/** Options of {@link quantizeDynamic}. */
export interface DynamicOptions extends QuantizedLinearOptions, SkipOptions {
  /** Of the weights. Default and only choice `'qint8'`. */
  readonly dtype?: 'qint8';
}

/** Options of {@link int4WeightOnly}. */
export interface Int4Options extends SkipOptions {
  /** Values along a row that share a scale: even, and a divisor of every Linear's input features. Default 32. */
  readonly groupSize?: number;
}

const DEFAULT_GROUP_SIZE = 32;

/** The classes that {@link quantizeDynamic} knows. */
const DYNAMIC: readonly LayerClass[] = [Linear];

/**
 * The model with every layer of the given classes as a {@link QuantizedLinear}: int8 weights, inputs quantized in each call. The semantics and
 * numbers of PyTorch's `quantize_dynamic`, whose defaults on x86 these are. As there, subclasses are not replaced.
 *
 * @throws ArgumentError for a class that cannot be quantized, an unknown dtype or option, or a model that cannot be copied; the model stays
 * as it is, also then
 */
export function quantizeDynamic(model: Module, layers: readonly LayerClass[], options: DynamicOptions = {}): QuantizedModel {
  const op = 'quantizeDynamic';
  requireOptions(op, options, "{ dtype: 'qint8' }");
  requireClasses(op, layers);
  const { dtype = 'qint8', skip = [], perChannel = false, reduceRange = true } = options;
  if (dtype !== 'qint8') throw new ArgumentError({ op, expected: "dtype 'qint8'", got: showValue(dtype), fix: "pass { dtype: 'qint8' }." });
  const decide = ofLinears(layers, (linear) => new QuantizedLinear(linear, { perChannel, reduceRange }));
  return replaceLayers(op, model, skip, decide);
}

/**
 * The model with the weight of every Linear in int8, a scale for each row, and everything calculated in float32: torchao's
 * `Int8WeightOnlyConfig`.
 *
 * @throws ArgumentError as quantizeDynamic
 */
export function int8WeightOnly(model: Module, options: SkipOptions = {}): QuantizedModel {
  const op = 'int8WeightOnly';
  requireOptions(op, options, "{ skip: ['head'] }");
  const decide = ofLinears([Linear], (linear) => new Int8WeightOnlyLinear(linear));
  return replaceLayers(op, model, options.skip ?? [], decide);
}

/**
 * The model with the weight of every Linear in 4 bits, a scale for every `groupSize` values of a row, and everything calculated in float32.
 *
 * @throws ArgumentError for a groupSize that is odd or does not divide the input features of a Linear; and as quantizeDynamic
 */
export function int4WeightOnly(model: Module, options: Int4Options = {}): QuantizedModel {
  const op = 'int4WeightOnly';
  requireOptions(op, options, '{ groupSize: 32 }');
  const { groupSize = DEFAULT_GROUP_SIZE, skip = [] } = options;
  requireGroupSize(op, groupSize);
  const decide = ofLinears([Linear], (linear, name) => {
    if (linear.inFeatures % groupSize === 0) return new Int4WeightOnlyLinear(linear, groupSize);
    throw new ArgumentError({
      op,
      expected: `a groupSize that divides the ${linear.inFeatures} input features of ${name === '' ? 'the model' : name}`,
      got: String(groupSize),
      fix: `choose a divisor, or leave the layer as it is with { skip: ['${name}'] }.`,
    });
  });
  return replaceLayers(op, model, skip, decide);
}

function requireClasses(op: string, layers: readonly LayerClass[]): void {
  const supported = DYNAMIC.map(({ name }) => name).join(', ');
  const refuse = (got: string): ArgumentError =>
    new ArgumentError({ op, expected: `a list of layer classes out of ${supported}`, got, fix: `call quantizeDynamic(model, [${supported}]).` });
  if (!Array.isArray(layers)) throw refuse(showValue(layers));
  if (layers.length === 0) throw refuse('none');
  const unknown = layers.find((each) => !DYNAMIC.includes(each));
  if (unknown !== undefined) throw refuse(typeof unknown === 'function' ? unknown.name : showValue(unknown));
}

/** Decides for modules of exactly these classes, of which all are Linear so far: a subclass may calculate something else. */
function ofLinears(classes: readonly LayerClass[], make: (linear: Linear, name: string) => Module): (layer: Module, name: string) => Decision {
  return (layer, name) => {
    const { constructor } = layer;
    if (layer instanceof Linear && classes.some((each) => each === constructor)) {
      const reason = IntegerLinear.whyNot(layer);
      return reason === null ? make(layer, name) : { reason };
    }
    const base = classes.find((each) => layer instanceof each);
    if (base !== undefined) return { reason: `a subclass of ${base.name} may calculate something else` };
    return { reason: layer instanceof IntegerLinear ? 'it is quantized already' : `only ${classes.map((each) => each.name).join(', ')} is replaced` };
  };
}
