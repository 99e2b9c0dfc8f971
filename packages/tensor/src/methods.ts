/**
 * The methods of tensors: the functions of `ops/`, with the tensor as first argument.
 *
 * They are put on the class when the first tensor is created, so that the class depends on no op and importing has no side effect.
 */

import type { DType } from '@gradus/backend';
import { backward } from './autograd/backward.ts';
import type { BackwardOptions } from './autograd/backward.ts';
import { Node } from './graph/node.ts';
import * as arithmetic from './ops/arithmetic.ts';
import { argmax, argmin } from './ops/arg-reduce.ts';
import type { ArgOptions } from './ops/arg-reduce.ts';
import type { Axes, Operand, ReduceOptions } from './ops/arguments.ts';
import { copy, detach } from './ops/convert.ts';
import { expand, sum } from './ops/expand.ts';
import * as functions from './ops/functions.ts';
import { matmul } from './ops/matmul.ts';
import { flip, permute, slice, transpose } from './ops/movement.ts';
import type { Range } from './ops/movement.ts';
import { abs, clamp, flatten, reshape, squeeze, toDType } from './ops/own-handles.ts';
import * as reduce from './ops/reduce.ts';
import type { VarianceOptions } from './ops/reduce.ts';
import { logSoftmax, softmax } from './ops/softmax.ts';
import { unsqueeze } from './ops/reshape.ts';
import { print } from './print.ts';
import { data, dataSync, evaluate, item, itemSync, toArray } from './read.ts';
import type { NestedNumbers } from './read.ts';
import type { ElementArray } from './memory/elements.ts';
import type { Device } from './runtime.ts';
import { Tensor } from './tensor.ts';
import type { Dims } from './tensor.ts';
import { to } from './transfer.ts';

/** What every tensor can do; each method is the function of the same name. */
export interface TensorMethods<S extends Dims = Dims> {
  add(other: Operand): Tensor;
  sub(other: Operand): Tensor;
  mul(other: Operand): Tensor;
  div(other: Operand): Tensor;
  pow(exponent: Operand): Tensor;
  maximum(other: Operand): Tensor;
  minimum(other: Operand): Tensor;
  equal(other: Operand): Tensor;
  notEqual(other: Operand): Tensor;
  less(other: Operand): Tensor;
  lessEqual(other: Operand): Tensor;
  greater(other: Operand): Tensor;
  greaterEqual(other: Operand): Tensor;
  clamp(range: { readonly min?: number; readonly max?: number }): Tensor;
  neg(): Tensor<S>;
  abs(): Tensor<S>;
  square(): Tensor<S>;
  sign(): Tensor<S>;
  exp(): Tensor<S>;
  log(): Tensor<S>;
  sqrt(): Tensor<S>;
  reciprocal(): Tensor<S>;
  sin(): Tensor<S>;
  cos(): Tensor<S>;
  tanh(): Tensor<S>;
  sigmoid(): Tensor<S>;
  relu(): Tensor<S>;
  sum(options?: ReduceOptions): Tensor;
  mean(options?: ReduceOptions): Tensor;
  prod(options?: ReduceOptions): Tensor;
  max(options?: ReduceOptions): Tensor;
  min(options?: ReduceOptions): Tensor;
  variance(options?: VarianceOptions): Tensor;
  std(options?: VarianceOptions): Tensor;
  argmax(options?: ArgOptions): Tensor;
  argmin(options?: ArgOptions): Tensor;
  softmax(options?: { readonly axis?: number }): Tensor<S>;
  logSoftmax(options?: { readonly axis?: number }): Tensor<S>;
  matmul(other: Tensor): Tensor;
  reshape(shape: Dims): Tensor;
  flatten(options?: { readonly start?: number; readonly end?: number }): Tensor;
  squeeze(options?: { readonly axis?: Axes }): Tensor;
  unsqueeze(axis: number): Tensor;
  permute(order: Dims): Tensor;
  transpose(a?: number, b?: number): Tensor;
  expand(shape: Dims): Tensor;
  slice(ranges: readonly (Range | null)[]): Tensor;
  flip(options?: { readonly axis?: Axes }): Tensor;
  copy(): Tensor<S>;
  detach(): Tensor<S>;
  toDType(dtype: DType): Tensor<S>;
  to(device: Device): Promise<Tensor>;
  backward(options?: BackwardOptions): void;
  evaluate(): void;
  data(): Promise<ElementArray>;
  dataSync(): ElementArray;
  item(): Promise<number>;
  itemSync(): number;
  toArray(): Promise<NestedNumbers>;
}

type AnyFunction = (x: Tensor, ...rest: never[]) => unknown;

const table = (): { readonly [Name in keyof TensorMethods]: AnyFunction } => {
  const { add, sub, mul, div, pow, maximum, minimum, equal, notEqual, less, lessEqual, greater, greaterEqual, neg, square, sign } = arithmetic;
  const { exp, log, sqrt, reciprocal, sin, cos, tanh, sigmoid, relu } = functions;
  const { mean, prod, max, min, variance, std } = reduce;
  const arithmeticMethods = {
    add,
    sub,
    mul,
    div,
    pow,
    maximum,
    minimum,
    equal,
    notEqual,
    less,
    lessEqual,
    greater,
    greaterEqual,
    clamp,
    neg,
    abs,
    square,
    sign,
  };
  const functionMethods = { exp, log, sqrt, reciprocal, sin, cos, tanh, sigmoid, relu };
  const reductions = { sum, mean, prod, max, min, variance, std, argmax, argmin, softmax, logSoftmax, matmul };
  const movement = { reshape, flatten, squeeze, unsqueeze, permute, transpose, expand, slice, flip };
  const rest = { copy, detach, toDType, to, backward, evaluate, data, dataSync, item, itemSync, toArray };
  return { ...arithmeticMethods, ...functionMethods, ...reductions, ...movement, ...rest };
};

let attached = false;

function attach(): void {
  attached = true;
  const methods = Object.entries({ ...table(), toString: print } as Record<string, AnyFunction>);
  for (const [name, fn] of methods) {
    const value = function method(this: Tensor, ...rest: never[]): unknown {
      return fn(this, ...rest);
    };
    Object.defineProperty(Tensor.prototype, name, { value, writable: true, configurable: true });
  }
}

/** A tensor with its methods, from a node or a handle that may be the first of its kind. */
export function methodful(made: Node | Tensor): Tensor {
  if (!attached) attach();
  return made instanceof Node ? new Tensor(made) : made;
}
