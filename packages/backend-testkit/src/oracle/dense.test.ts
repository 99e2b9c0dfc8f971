/**
 * The oracle's kernels over dense operands: on examples small enough to check by hand, and gradients against central differences of what they
 * are the gradients of.
 */

import { accumulator } from '@gradus/backend';
import type { AttentionKernel, DType, Kernel, Operand, OptimizerStepKernel, QuantizedContractKernel, RowwiseKernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';
import { random } from '../cases/random.ts';
import { interpret } from './interpret.ts';
import type { Cells } from './launch.ts';

/** An operand: what it holds, or (a number) how many elements are written. */
type Content = readonly number[] | number;

const dense = (dtype: DType, access: Operand['access']): Operand => ({ dtype, access, layout: 'indexed', space: 'full' });

/** A kernel without its operands. */
type Work<K extends Kernel = Kernel> = K extends Kernel ? Omit<K, 'operands' | 'scalars'> : never;

/** Runs a kernel over dense operands and gives what they hold afterwards. */
function run(
  work: Work,
  sizes: readonly number[],
  contents: readonly Content[],
  scalars: readonly number[] = [],
  dtypes: readonly DType[] = [],
): number[][] {
  const dtypeOf = (i: number): DType => dtypes[i] ?? dtypes[0] ?? 'float64';
  const cells = contents.map((content): Cells => {
    const values = typeof content === 'number' ? new Float64Array(content).fill(-7) : Float64Array.from(content);
    return { values, written: new Uint8Array(values.length) };
  });
  const operands = contents.map((content, i) => dense(dtypeOf(i), typeof content === 'number' ? 'write' : 'read'));
  const kernel = { ...work, operands, scalars: scalars.map(() => dtypeOf(0)) } as Kernel;
  interpret(kernel, cells, Int32Array.from([...sizes, ...cells.flatMap(({ values }) => [0, values.length])]), scalars);
  return cells.map(({ values }) => [...values]);
}

/** Random numbers in [-2, 2). */
function numbers(count: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: count }, () => 4 * next() - 2);
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? NaN), 0);

/** The gradient of `f` at `x` by central differences: an error of about 1e-9 for the functions here. */
function differences(f: (x: readonly number[]) => number, x: readonly number[]): number[] {
  const step = 1e-5;
  return x.map((value, i) => (f(x.with(i, value + step)) - f(x.with(i, value - step))) / (2 * step));
}

function expectClose(got: readonly number[] | undefined, expected: readonly number[]): void {
  expect(got?.length).toBe(expected.length);
  got?.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? NaN, 7));
}

const rowwise = (name: RowwiseKernel['function'], pass: RowwiseKernel['pass'] = 'forward'): Work<RowwiseKernel> => ({
  kind: 'rowwise',
  function: name,
  pass,
});

describe('rowwise', () => {
  test('by hand', () => {
    const x = [0, Math.log(3), 5, 5];
    expectClose(run(rowwise('softmax'), [2, 2], [x, 4])[1], [0.25, 0.75, 0.5, 0.5]);
    expectClose(run(rowwise('logSoftmax'), [2, 2], [x, 4])[1], [0.25, 0.75, 0.5, 0.5].map(Math.log));
    expectClose(run(rowwise('logSumExp'), [2, 2], [x, 2])[1], [Math.log(4), 5 + Math.log(2)]);
    // Mean 2, variance 1, and eps 3: r = 1/2.
    expectClose(run(rowwise('layerNorm'), [1, 2], [[1, 3], [10, 100], [0.25, 0.5], 2], [3])[3], [-4.75, 50.5]);
    // Mean square 5, and eps 4: r = 1/3.
    expectClose(run(rowwise('rmsNorm'), [1, 2], [[1, 3], [30, 3], 2], [4])[2], [10, 3]);
  });

  test('special values', () => {
    const row = (name: RowwiseKernel['function'], ...x: readonly number[]): number[] | undefined =>
      run(rowwise(name), [1, x.length], [x, name === 'logSumExp' ? 1 : x.length])[1];
    expect(row('softmax', -Infinity, 0)).toEqual([0, 1]);
    expect(row('softmax', -Infinity, -Infinity)).toEqual([NaN, NaN]);
    expect(row('softmax', Infinity, 0)).toEqual([NaN, NaN]);
    expect(row('softmax', 1000, -1000)).toEqual([1, 0]);
    expect(row('logSoftmax', -Infinity, 0)).toEqual([-Infinity, 0]);
    expect(row('logSoftmax', -Infinity, -Infinity)).toEqual([NaN, NaN]);
    expect(row('logSoftmax', NaN, 0)).toEqual([NaN, NaN]);
    expect(row('logSumExp', -Infinity, -Infinity)).toEqual([-Infinity]);
    expect(row('logSumExp', Infinity, 0)).toEqual([Infinity]);
    expect(row('logSumExp', Infinity, NaN)).toEqual([NaN]);
    expect(row('logSumExp')).toEqual([-Infinity]);
  });

  test.each(['softmax', 'logSoftmax', 'logSumExp', 'layerNorm', 'rmsNorm'] as const)('the gradient of %s', (name) => {
    const columns = 5;
    const [x, g, w, b] = [numbers(columns, 1), numbers(name === 'logSumExp' ? 1 : columns, 2), numbers(columns, 3), numbers(columns, 4)];
    const weights = name === 'layerNorm' ? [w, b] : name === 'rmsNorm' ? [w] : [];
    const scalars = weights.length > 0 ? [0.3] : [];
    const forward = (at: readonly number[]): number[] => run(rowwise(name), [1, columns], [at, ...weights, g.length], scalars).at(-1) ?? [];
    const inputs = weights.length > 0 ? [x, w, g] : name === 'logSumExp' ? [x, forward(x), g] : [forward(x), g];
    const got = run(rowwise(name, 'backward'), [1, columns], [...inputs, columns], scalars).at(-1);
    expectClose(
      got,
      differences((at) => dot(forward(at), g), x),
    );
  });

  test('every row by itself', () => {
    expectClose(run(rowwise('logSumExp', 'backward'), [2, 1], [[3, 4], [3, 4], [10, 20], 2])[3], [10, 20]);
    expectClose(run(rowwise('rmsNorm'), [3, 1], [[3, -4, 5], [2], 3], [0])[2], [2, -2, 2]);
  });
});

describe('attention', () => {
  const work = (more: Partial<AttentionKernel> = {}): Work<AttentionKernel> => ({
    kind: 'attention',
    pass: 'forward',
    headDim: 1,
    causal: false,
    mask: 'none',
    ...more,
  });
  const third = Math.log(3);

  test('by hand: weights 1/4 and 3/4', () => {
    // One query of 1, keys 0 and log 3, values 8 and 16.
    const plain = run(work(), [1, 1, 1, 1, 2], [[1], [0, third], [8, 16], 1, 1], [1]);
    expectClose(plain[3], [14]);
    expectClose(plain[4], [Math.log(4)]);
    // With a scale of 1/2 and a query of 2 the same.
    expectClose(run(work(), [1, 1, 1, 1, 2], [[2], [0, third], [8, 16], 1, 1], [0.5])[3], [14]);
    const added = work({ mask: 'additive' });
    expectClose(run(added, [1, 1, 1, 1, 2], [[0], [5, 5], [8, 16], [0, third], 1, 1], [1])[4], [14]);
  });

  test('masks: causal from the first key, bool, both, and nothing at all', () => {
    const sizes = [1, 1, 1, 3, 2];
    const inputs = [
      [0, 0, 0],
      [0, 0],
      [8, 16],
    ];
    const dtypes: readonly DType[] = ['float64', 'float64', 'float64', 'bool', 'float64', 'float64'];
    expect(run(work({ causal: true }), sizes, [...inputs, 3, 3], [1])[3]).toEqual([8, 12, 12]);
    expect(run(work({ causal: true }), [1, 1, 1, 1, 3], [[0], [0, 0, 0], [8, 16, 24], 1, 1], [1])[3]).toEqual([8]);
    const masked = run(work({ mask: 'bool' }), sizes, [...inputs, [0, 1, 0, 0, 1, 1], 3, 3], [1], dtypes);
    expect(masked[4]).toEqual([16, 0, 12]);
    expect(masked[5]).toEqual([0, -Infinity, Math.log(2)]);
    const both = run(work({ mask: 'bool', causal: true }), sizes, [...inputs, [0, 1, 1, 1, 1, 0], 3, 3], [1], dtypes);
    expect(both[4]).toEqual([0, 12, 8]);
    const added = run(work({ mask: 'additive' }), sizes, [...inputs, [-Infinity, 0, -Infinity, -Infinity, 0, 0], 3, 3], [1]);
    expect(added[4]).toEqual([16, 0, 12]);
    expect(run(work(), [1, 1, 1, 1, 0], [[1], [], [], 1, 1], [1]).slice(3)).toEqual([[0], [-Infinity]]);
  });

  test('heads in a row share a key head; images are apart', () => {
    const y = run(work(), [2, 4, 2, 1, 1], [numbers(8, 1), [1, 2, 3, 4], [10, 20, 30, 40], 8, 8], [1])[3];
    expect(y).toEqual([10, 10, 20, 20, 30, 30, 40, 40]);
  });

  test.each([{}, { causal: true }, { mask: 'bool' }, { mask: 'additive', causal: true }] as const)('gradients with %o', (options) => {
    const [b, heads, keyHeads, T, S, headDim] = [2, 4, 2, 3, 4, 2];
    const { mask = 'none' } = options as Partial<AttentionKernel>;
    const queries = b * heads * T * headDim;
    const keys = b * keyHeads * S * headDim;
    const inputs = [numbers(queries, 1), numbers(keys, 2), numbers(keys, 3)];
    const masks = mask === 'none' ? [] : [numbers(b * T * S, 4).map((x, i) => (mask === 'additive' ? x : Number(x > 0 && i >= S)))];
    const g = numbers(queries, 5);
    const sizes = [b, heads, keyHeads, T, S];
    const dtypes = (count: number): DType[] => Array.from({ length: count }, (_, i) => (i === 3 && mask === 'bool' ? 'bool' : 'float64'));
    const forward = (at: readonly (readonly number[])[]): number[][] =>
      run(work({ ...options, headDim }), sizes, [...at, ...masks, queries, b * heads * T], [0.7], dtypes(6)).slice(3 + masks.length);
    const got = run(
      work({ ...options, headDim, pass: 'backward' }),
      sizes,
      [...inputs, ...masks, ...forward(inputs), g, queries, keys, keys],
      [0.7],
      dtypes(10),
    ).slice(-3);
    inputs.forEach((input, i) => {
      expectClose(
        got[i],
        differences((x) => dot(forward(inputs.with(i, [...x]))[0] ?? [], g), input),
      );
    });
  });
});

describe('optimizerStep', () => {
  const work = (more: Partial<OptimizerStepKernel>): Work<OptimizerStepKernel> => ({
    kind: 'optimizerStep',
    algorithm: 'sgd',
    momentum: false,
    nesterov: false,
    ...more,
  });

  test('sgd by hand', () => {
    expect(
      run(
        work({}),
        [2],
        [
          [10, 20],
          [1, 2],
        ],
        [0.5, 0],
      )[0],
    ).toEqual([9.5, 19]);
    expect(run(work({}), [1], [[10], [1]], [0.5, 0.25])[0]).toEqual([10 - 3.5 * 0.5]);
    // The buffer 4 becomes 4 · 0.5 + 2 · 0.25 = 2.5; Nesterov moves by 2 + 2.5 · 0.5 = 3.25.
    expect(run(work({ momentum: true }), [1], [[10], [2], [4]], [0.5, 0, 0.5, 0.25])).toEqual([[8.75], [2], [2.5]]);
    expect(run(work({ momentum: true, nesterov: true }), [1], [[10], [2], [4]], [0.5, 0, 0.5, 0.25])[0]).toEqual([8.375]);
  });

  test('adam by hand, with eps outside the root and after its division', () => {
    // m = 0 + 2 · 0.5 = 1, v = 0 + 4 · 0.25 = 1, p = 10 - (1 · 3) / (1 / 0.5 + 1).
    const scalars = [3, 0, 0.5, 0.5, 0.75, 0.25, 0.5, 1];
    expect(run(work({ algorithm: 'adam' }), [1], [[10], [2], [0], [0]], scalars)).toEqual([[9], [2], [1], [1]]);
    // L2: the gradient is 2 + 10 · 0.2 = 4. m = 2, v = 4, p = 10 - 6 / (2 / 0.5 + 1).
    expect(run(work({ algorithm: 'adam' }), [1], [[10], [2], [0], [0]], scalars.with(1, 0.2))).toEqual([[8.8], [2], [2], [4]]);
    // Decoupled: p is 9 first, and the moments do not see it.
    expect(run(work({ algorithm: 'adamw' }), [1], [[10], [2], [0], [0]], scalars.with(1, 0.9))).toEqual([[8], [2], [1], [1]]);
  });

  test('every operation rounds', () => {
    const f = Math.fround;
    const [p, g, lr, decay] = [f(0.1), f(0.1), f(0.1), f(0.3)];
    const expected = f(p - f(f(g + f(p * decay)) * lr));
    expect(run(work({}), [1], [[p], [g]], [0.1, 0.3], ['float32'])[0]).toEqual([expected]);
    expect(expected).not.toBe(f(p - (g + p * decay) * lr));
  });
});

describe('quantizedContract', () => {
  const product = (
    more: Partial<QuantizedContractKernel>,
    sizes: readonly [number, number, number],
    inputs: readonly (readonly number[])[],
  ): number[] => {
    const [m, n] = sizes;
    const to = more.group == null ? 'int32' : 'float32';
    const values = new Float64Array(m * n);
    const cells = [...inputs.map((input) => Float64Array.from(input)), values].map((held) => ({
      values: held,
      written: new Uint8Array(held.length),
    }));
    const dtypes: readonly DType[] = ['int8', more.bBits === 4 ? 'uint8' : 'int8', 'float32'];
    const result: Operand = { dtype: to, access: 'write', layout: 'contiguous', space: 'kept' };
    const kernel: QuantizedContractKernel = {
      kind: 'quantizedContract',
      aBits: 8,
      bBits: 8,
      group: null,
      operands: [...inputs.map((_, i) => dense(dtypes[i] ?? 'float32', 'read')), result],
      scalars: [],
      outputs: [{ operand: inputs.length, value: accumulator(to) }],
      ...more,
    };
    interpret(kernel, cells, Int32Array.from([...sizes, ...inputs.flatMap((input) => [0, input.length]), 0, n, 1]), []);
    return [...values];
  };

  test('by hand', () => {
    const a = [1, 2, 3, 4, 5, 6];
    const b = [1, 0, -1, -128, 127, 1];
    expect(product({}, [2, 2, 3], [a, b])).toEqual([-2, 129, -2, 129]);
    // Scales 10 and 100 for the first row of b, 1 and 0.5 for the second; the last group has one member.
    expect(product({ group: 2 }, [1, 2, 3], [a.slice(0, 3), b, [10, 100, 1, 0.5]])).toEqual([-290, 127.5]);
    expect(product({}, [1, 1, 0], [[], []])).toEqual([0]);
  });

  test('two values a byte, the low half first, a row from a new byte on', () => {
    // Rows 1, -1, 7 and -8, 2, 3.
    const packed = [0xf1, 0x07, 0x28, 0x03];
    expect(product({ bBits: 4 }, [1, 2, 3], [[1, 10, 100], packed])).toEqual([691, 312]);
    expect(product({ bBits: 4, group: 2 }, [1, 2, 3], [[1, 10, 100], packed, [1, 0.5, 2, 1]])).toEqual([341, 324]);
  });
});

describe('order', () => {
  const scan = (fold: 'sum' | 'prod' | 'min' | 'max', more: { exclusive?: boolean; reverse?: boolean }, ...x: readonly number[]): unknown =>
    run({ kind: 'scan', fold, exclusive: false, reverse: false, ...more }, [1, x.length], [x, x.length], [], ['float32'])[1];

  test('running folds', () => {
    expect(scan('sum', {}, 1, 2, 3)).toEqual([1, 3, 6]);
    expect(scan('sum', { exclusive: true }, 1, 2, 3)).toEqual([0, 1, 3]);
    expect(scan('prod', { reverse: true }, 2, 3, 4)).toEqual([24, 12, 4]);
    expect(scan('prod', { reverse: true, exclusive: true }, 2, 3, 4)).toEqual([12, 4, 1]);
    expect(scan('max', {}, -1, NaN, 5)).toEqual([-1, NaN, NaN]);
    expect(scan('min', { exclusive: true }, 0, -0, 5)).toEqual([Infinity, 0, -0]);
    const bytes = run({ kind: 'scan', fold: 'sum', exclusive: false, reverse: false }, [2, 2], [[100, 100, 1, 2], 4], [], ['int8'])[1];
    expect(bytes).toEqual([100, -56, 1, 3]);
  });

  test('sorting is stable, and NaN the greatest', () => {
    const x = [0, NaN, 2, -0, 2, NaN, -Infinity];
    const sorted = (descending: boolean): number[][] => run({ kind: 'sort', descending }, [1, 7], [x, 7, 7]).slice(1);
    expect(sorted(false)).toEqual([
      [-Infinity, 0, -0, 2, 2, NaN, NaN],
      [6, 0, 3, 2, 4, 1, 5],
    ]);
    expect(sorted(true)).toEqual([
      [NaN, NaN, 2, 2, 0, -0, -Infinity],
      [1, 5, 2, 4, 0, 3, 6],
    ]);
  });

  test('the first extreme, or the first NaN', () => {
    const place = (fold: 'min' | 'max', ...x: readonly number[]): unknown => run({ kind: 'argReduce', fold }, [1, x.length], [x, 1])[1];
    expect([place('max', 1, 3, 3), place('min', 1, 0, -0), place('max', 5, NaN, NaN), place('min', Infinity, Infinity)]).toEqual([
      [1],
      [1],
      [1],
      [0],
    ]);
  });
});
