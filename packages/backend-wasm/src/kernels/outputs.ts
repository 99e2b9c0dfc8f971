/** Storing the outputs of a kernel at a point: the values first, then the stores, as the contract wants it. */

import type { Output } from '@gradus/backend';
import { i32 } from '../assembler/instructions.ts';
import type { Type, Value } from '../assembler/value.ts';
import type { Elements } from '../lanes/elements.ts';
import type { Evaluator } from '../lanes/expressions.ts';
import { inFloats, storedDType } from './point.ts';
import type { Point } from './point.ts';

/** Evaluates and stores all outputs. */
export function storeOutputs<F extends Type, I extends Type>(
  elements: Elements<Value<F>, Value<I>>,
  evaluator: Evaluator<F, I>,
  point: Point,
  outputs: readonly Output[],
): void {
  for (const { value } of outputs) evaluator.evaluate(value);
  for (const { operand, value } of outputs) {
    const floats = inFloats(value.dtype);
    const address = point.addresses[operand] ?? i32.const(0);
    const step = point.steps[operand] ?? 'none';
    elements.store(storedDType(point.operands[operand]), address, step, floats ? evaluator.float(value) : null, floats ? null : evaluator.int(value));
  }
}
