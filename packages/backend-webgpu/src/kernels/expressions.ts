/** Scalar expressions of a kernel as WGSL: where their loads, coordinates, scalars and accumulators come from. */

import type { Dialect, Expression, Kernel } from '@gradus/backend';
import { emit } from '@gradus/backend';
import type { Frame } from '../program/frame.ts';
import type { Slot } from '../program/program.ts';
import { OPERATORS, WRAP, bitcast, cast, constant, typeOf, whereText } from '../wgsl/language.ts';
import type { Loop, Space } from './space.ts';

/** Operands as slots of a program. */
export function slotsOf(kernel: Kernel): Slot[] {
  return kernel.operands.map(({ dtype, access }) => ({ dtype, access }));
}

/** Functions `gather3(position, fill)` of the indexed operands that are read. */
export function gathers(kernel: Kernel, space: Space): string {
  return kernel.operands
    .flatMap(({ layout, access, dtype }, k) => {
      if (layout !== 'indexed' || access === 'write') return [];
      const { offset, length } = space.indexed(k);
      // As unsigned numbers, negative positions lie beyond every length.
      return [
        `fn gather${k}(position: i32, fill: ${typeOf(dtype)}) -> ${typeOf(dtype)} {
if (u32(position) >= u32(${length})) { return fill; }
return load${k}(${offset} + position);
}`,
      ];
    })
    .join('\n');
}

/** The language at a place where the coordinates of `loops` are known and accumulator i is the value `accumulator(i)`. */
export function dialectAt(frame: Frame, space: Space, loops: readonly Loop[], accumulator: (index: number) => string): Dialect {
  return {
    declare: (name, dtype, value) => `let ${name}: ${typeOf(dtype)} = ${value};`,
    constant,
    scalar: (index, dtype) => frame.scalar(index, dtype),
    axis: (axis) => `x${axis}`,
    load: (operand) => `load${operand}(${space.element(operand, loops)})`,
    gather: (operand, position, fill) => `gather${operand}(${position}, ${fill})`,
    accumulator: (index) => accumulator(index),
    cast,
    bitcast,
    where: whereText,
    operators: OPERATORS,
    ...(WRAP === undefined ? {} : { wrap: WRAP }),
  };
}

/** Statements that compute the outputs of a kernel and then store them: all loads of a point come before its stores. */
export function storeOutputs(
  outputs: readonly { readonly operand: number; readonly value: Expression }[],
  dialect: Dialect,
  space: Space,
  loops: readonly Loop[],
  prefix: string,
): string[] {
  const { statements, values } = emit(
    outputs.map((output) => output.value),
    dialect,
    { prefix },
  );
  const elements = outputs.map(({ operand }) => space.element(operand, loops));
  return [...statements, ...outputs.map(({ operand }, i) => `store${operand}(${elements[i]}, ${values[i]});`)];
}

/** No accumulator is read where nothing is folded. */
export const NO_ACCUMULATOR = (): string => '0';
