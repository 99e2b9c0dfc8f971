/**
 * Random programs: whatever is computed with whatever, lazily or op by op, on cpu or on three kernels, gives the same.
 *
 * A program is a list of instructions over a growing list of values; an instruction that does not fit its operands does nothing, so that
 * every list is a program and failing ones shrink to a few instructions. State is assigned on the way, some results are read early, and
 * at the end every value is read and the gradient of their sum is taken.
 */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import {
  Parameter,
  State,
  assign,
  commit,
  compile,
  concatenate,
  debug,
  expand,
  flip,
  layerNorm,
  matmul,
  maximum,
  pad,
  permute,
  rmsNorm,
  scatterAdd,
  scope,
  silu,
  slice,
  softmax,
  stack,
  takeAlongAxis,
  tensor,
  where,
} from '@gradus/tensor';
import type { DType, Device, Tensor } from '@gradus/tensor';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';

/** One instruction: what to do, to which values, and numbers to decide details by. */
interface Instruction {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly n: number;
}

/** The machine's memory while a program runs. */
interface Machine {
  readonly values: Tensor[];
  readonly parameter: Parameter;
  readonly state: State;
}

type Action = (m: Machine, x: Tensor, y: Tensor, n: number) => Tensor | null;

const LARGEST = 300;
const axisOf = (x: Tensor, n: number): number => n % Math.max(1, x.rank);
const sameShape = (x: Tensor, y: Tensor): boolean => String(x.shape) === String(y.shape);
const broadcasts = (x: Tensor, y: Tensor): boolean => {
  for (let i = 1; i <= Math.min(x.rank, y.rank); i++) {
    const [a, b] = [x.shape.at(-i), y.shape.at(-i)];
    if (a !== b && a !== 1 && b !== 1) return false;
  }
  return true;
};
const both =
  (f: (x: Tensor, y: Tensor) => Tensor): Action =>
  (_, x, y) =>
    broadcasts(x, y) ? f(x, y) : null;
const ranked =
  (f: (x: Tensor, axis: number, n: number) => Tensor): Action =>
  (_, x, __, n) =>
    x.rank > 0 ? f(x, axisOf(x, n), n) : null;

const actions: readonly Action[] = [
  both((x, y) => x.add(y)),
  both((x, y) => x.sub(y.mul(0.5))),
  both((x, y) => x.mul(y)),
  both((x, y) => maximum(x, y)),
  both((x, y) => where(x.greater(y), x, y.neg())),
  (_, x) => x.tanh(),
  (_, x) => x.sigmoid().mul(x),
  (_, x) => x.square().add(1).sqrt(),
  (_, x, __, n) => x.mul(n / 7 - 0.4),
  (_, x) => x.relu(),
  ranked((x, axis) => x.sum({ axis, keepDims: axis % 2 === 0 })),
  ranked((x, axis) => (x.shape[axis] === 0 ? x : x.max({ axis }))),
  (_, x) => x.mean(),
  ranked((x, axis) => (x.size === 0 ? x : softmax(x, { axis }))),
  ranked((x, axis) => layerNorm(x, { normalizedShape: x.shape.slice(axis), eps: 0.5 })),
  ranked((x) => rmsNorm(silu(x), { eps: 0.5 })),
  ranked((x, _, n) =>
    permute(
      x,
      x.shape.map((__, i) => (i + n) % x.rank),
    ),
  ),
  ranked((x, axis) => flip(x, { axis })),
  (_, x) => x.reshape([-1]),
  (_, x, __, n) => (n % 2 === 0 && x.size % 2 === 0 ? x.reshape([2, -1]) : x.unsqueeze(0)),
  ranked((x, axis, n) =>
    slice(
      x,
      x.shape.map((size, i) => (i === axis ? { start: n % 2, step: 1 + (n % 2), end: size } : null)),
    ),
  ),
  (_, x) => (x.rank < 4 && x.size > 0 && x.size * 3 <= LARGEST ? expand(x, [3, ...x.shape]) : null),
  (_, x, y) => (x.rank === 2 && y.rank === 2 && x.shape[1] === y.shape[0] ? matmul(x, y) : null),
  (_, x, y) => (x.rank === 2 && y.rank === 2 && x.shape[1] === y.shape[1] ? matmul(x, y.transpose()) : null),
  (_, x) => (x.rank === 2 ? matmul(x.transpose(), x) : null),
  (_, x, y, n) => (sameShape(x, y) && x.rank > 0 ? concatenate([x, y, x], { axis: axisOf(x, n) }) : null),
  (_, x, y) => (sameShape(x, y) ? stack([x, y]) : null),
  ranked((x, axis, n) =>
    pad(
      x,
      x.shape.map((_, i) => (i === axis ? [n % 3, 1] : [0, 0])),
      { value: 0.25 },
    ),
  ),
  ranked((x, axis) => (x.shape[axis] === 0 ? x : takeAlongAxis(x, x.argmax({ axis, keepDims: true }), { axis }))),
  ranked((x, axis) => (x.shape[axis] === 0 ? x : scatterAdd(x, x.argmin({ axis, keepDims: true }), x.sum({ axis, keepDims: true }), { axis }))),
  (m, x) => (broadcasts(x, m.parameter) ? x.mul(m.parameter) : null),
  (m) => m.parameter.copy(),
  (m) => m.state.add(0.5),
  (m, x) => {
    if (x.size !== m.state.size || x.size === 0) return null;
    assign(m.state, m.state.mul(0.5).add(x.detach().reshape(m.state.shape)));
    return m.state.mul(2);
  },
  (m) => {
    assign(m.state, m.state.mul(0.75));
    commit(m.state);
    return m.state.reshape([-1]);
  },
  (_, x) => {
    x.evaluate();
    return null;
  },
  (_, x) => x.detach(),
];

const SHAPES: readonly (readonly number[])[] = [[2, 3], [3], [3, 2], [], [2, 1, 3]];

/** Carries a program out on these inputs: everything it computed, and the gradient of its sum in the parameter. */
function carryOut(program: readonly Instruction[], inputs: readonly Tensor[], parameter: Parameter, state: State): Tensor[] {
  const values = [...inputs];
  const machine: Machine = { values, parameter, state };
  for (const { op, a, b, n } of program) {
    const x = values[a % values.length] as Tensor;
    const result = actions[op % actions.length]?.(machine, x, values[b % values.length] as Tensor, n) ?? null;
    if (result !== null && result.size <= LARGEST) values.push(result);
  }
  const total = values.map((v) => v.mul(0.1).sum()).reduce((x, y) => x.add(y));
  if (total.requiresGrad) total.backward();
  return [...values, total];
}

/** Runs a program `calls` times, with state that goes on from call to call, and gives everything it computed, gradients included. */
function run(program: readonly Instruction[], device: Device, calls = 1, compiled = false, dtype: DType = 'float32'): number[][] {
  return scope(() => {
    const leaf = (shape: readonly number[], seed: number): Tensor => {
      const size = shape.reduce((n, d) => n * d, 1);
      return tensor(
        Float32Array.from({ length: size }, (_, i) => Math.sin(1 + seed * 3.7 + i * 1.3)),
        { shape, dtype, device },
      );
    };
    const parameter = new Parameter(leaf([3], 9));
    const state = new State(leaf([2, 3], 8));
    const whole = (...inputs: Tensor[]): Tensor[] => carryOut(program, inputs, parameter, state);
    const call = compiled ? compile(whole) : whole;
    const results: number[][] = [];
    for (let i = 0; i < calls; i++) {
      const computed = call(...SHAPES.map((shape, j) => leaf(shape, j + 10 * i)));
      results.push(...[...computed, state].map((v) => [...v.dataSync()]), [...(parameter.grad?.dataSync() ?? [])]);
    }
    parameter.dispose();
    state.dispose();
    if (compiled) (call as { dispose?: () => void }).dispose?.();
    return results;
  });
}

const instruction = fc.record({ op: fc.nat({ max: actions.length - 1 }), a: fc.nat({ max: 30 }), b: fc.nat({ max: 30 }), n: fc.nat({ max: 9 }) });
const programs = fc.array(instruction, { minLength: 1, maxLength: 20 });

const RUNS = 400;
const reference = cpu();
const minimal = withoutFastPaths(cpu());

afterAll(() => {
  reference.dispose();
});

describe('random programs', () => {
  test('give the same bits lazily and op by op', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const lazy = run(program, reference);
        const settings = debug({ eager: true });
        try {
          expect(run(program, reference)).toEqual(lazy);
        } finally {
          settings[Symbol.dispose]();
        }
      }),
      { numRuns: RUNS, seed: 1 },
    );
  });

  test('give the same bits compiled, call after call', () => {
    fc.assert(
      fc.property(programs, (program) => {
        expect(run(program, reference, 3, true)).toEqual(run(program, reference, 3));
      }),
      { numRuns: RUNS, seed: 4 },
    );
  });

  test('give the same on three kernels, to rounding', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const whole = run(program, reference).flat();
        const composed = run(program, minimal).flat();
        expect(composed.length).toBe(whole.length);
        for (const [i, value] of whole.entries()) {
          const other = composed[i] ?? NaN;
          expect(Object.is(other, value) || Math.abs(other - value) <= 1e-4 * Math.max(1, Math.abs(value)), `${other} and ${value}`).toBe(true);
        }
      }),
      { numRuns: RUNS, seed: 2 },
    );
  });

  /** Twenty ops with sums of at most 300 terms, each within some units of 2^-24: 1e-4 of the largest value of a result, or of 1. */
  test('give in float32 what they give in float64, to rounding', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const exact = run(program, reference, 1, false, 'float64');
        const found = run(program, reference);
        expect(found.map((values) => values.length)).toEqual(exact.map((values) => values.length));
        found.forEach((values, k) => {
          const wanted = exact[k] ?? [];
          const scale = wanted.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
          for (const [i, value] of values.entries()) {
            const other = wanted[i] ?? NaN;
            expect(Object.is(value, other) || Math.abs(value - other) <= 1e-4 * scale, `${value} and ${other} in result ${k}`).toBe(true);
          }
        });
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });

  test('break no rule of the planner or the contract, compiled or not', () => {
    const settings = debug({ verify: true });
    try {
      fc.assert(
        fc.property(programs, (program) => {
          run(program, reference);
          run(program, reference, 2, true);
        }),
        { numRuns: RUNS / 2, seed: 3 },
      );
    } finally {
      settings[Symbol.dispose]();
    }
  });
});
