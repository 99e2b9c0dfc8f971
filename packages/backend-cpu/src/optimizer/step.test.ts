/** A step as one kernel gives the bits that its operations give as a map. */

import { apply, load, scalar } from '@gradus/backend';
import type { DType, Expression, MapKernel, OptimizerStepKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { numbers } from '../../test/random.ts';
import { PATIENCE, dense, deviceOf, get, operand, put, run, runDense } from '../../test/support.ts';

type Rule = Pick<OptimizerStepKernel, 'algorithm' | 'momentum' | 'nesterov'>;

/** Which rule, and how many state operands and scalars it has. */
const RULES: readonly (readonly [Rule, number, number])[] = [
  [{ algorithm: 'sgd', momentum: false, nesterov: false }, 0, 2],
  [{ algorithm: 'sgd', momentum: true, nesterov: false }, 1, 4],
  [{ algorithm: 'sgd', momentum: true, nesterov: true }, 1, 4],
  [{ algorithm: 'adam', momentum: false, nesterov: false }, 2, 8],
  [{ algorithm: 'adamw', momentum: false, nesterov: false }, 2, 8],
];

/** New parameters and state as expressions, written as `@gradus/optim` writes them in ops. `decays`: is the weight decay not 0? */
function expressions({ algorithm, momentum, nesterov }: Rule, dtype: DType, decays: boolean): Expression[] {
  const [p, g, first, second] = [0, 1, 2, 3].map((i) => load(dtype, i));
  const s = (i: number): Expression => scalar(dtype, i);
  if (p === undefined || g === undefined || first === undefined || second === undefined) return [];
  const add = (a: Expression, b: Expression): Expression => apply('add', a, b);
  const mul = (a: Expression, b: Expression): Expression => apply('multiply', a, b);
  const slope = decays && algorithm !== 'adamw' ? add(g, mul(p, s(1))) : g;
  if (algorithm === 'sgd') {
    if (!momentum) return [apply('subtract', p, mul(slope, s(0)))];
    const direction = add(mul(first, s(2)), mul(slope, s(3)));
    const move = nesterov ? add(slope, mul(direction, s(2))) : direction;
    return [apply('subtract', p, mul(move, s(0))), direction];
  }
  const from = algorithm === 'adamw' ? mul(p, s(1)) : p;
  const m = add(mul(first, s(2)), mul(slope, s(3)));
  const v = add(mul(second, s(4)), mul(mul(slope, slope), s(5)));
  const denominator = add(apply('divide', apply('sqrt', v), s(6)), s(7));
  return [apply('subtract', from, apply('divide', mul(m, s(0)), denominator)), m, v];
}

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test.each(RULES)('%o equals its map, in any numbers', { timeout: PATIENCE }, (rule, states, scalars) => {
    const operands = 2 + states;
    const device = deviceOf('generated');
    const columns = fc.array(fc.tuple(...Array.from({ length: operands }, () => numbers(dtype))), { maxLength: 40 });
    const rates = fc.tuple(...Array.from({ length: scalars }, () => numbers(dtype)));
    fc.assert(
      fc.property(columns, rates, (rows, values) => {
        const contents = Array.from({ length: operands }, (_, i) => rows.map((row) => row[i] ?? 0));
        const types = values.map(() => dtype);
        const step: OptimizerStepKernel = {
          kind: 'optimizerStep',
          ...rule,
          operands: contents.map((_, i) => dense(dtype, i === 1 ? 'read' : 'readWrite')),
          scalars: types,
        };
        const outputs = expressions(rule, dtype, values[1] !== 0);
        const map: MapKernel = {
          kind: 'map',
          rank: 1,
          operands: contents.map((_, i) => operand(dtype, i === 1 ? 'read' : 'readWrite')),
          scalars: types,
          outputs: outputs.map((value, i) => ({ operand: i === 0 ? 0 : i + 1, value })),
        };
        const blocks = contents.map((content) => put(device, dtype, content));
        run(device, map, [...blocks, ...values], [rows.length, ...blocks.flatMap(() => [0, 1])]);
        const expected = blocks.map((block) => get(device, block, dtype));
        expect(runDense(device, step, [rows.length], contents, values)).toEqual(expected);
        for (const block of blocks) device.free(block);
      }),
    );
  });
});
