/**
 * Shape, index, order and contraction ops at their edges: bad input, which gives a typed error, dtypes that are no floats or narrow ones, ops that
 * wait for values, compiled functions, and what is done in one kernel.
 */

import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import * as g from '@gradus/tensor';
import {
  ArgumentError,
  AxisError,
  DTypeError,
  IndexError,
  ShapeError,
  TraceError,
  compile,
  memory,
  ones,
  scope,
  tensor,
  zeros,
} from '@gradus/tensor';
import type { DType, Device, GradusError, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { specifications as arrangement } from '../src/ops/arrangement.spec.ts';
import { specifications as contraction } from '../src/ops/einsum.spec.ts';
import { specifications as scattering } from '../src/ops/scattering.spec.ts';
import { closeTo, eachCase, toTensor } from './specifications.ts';

const values = (t: Tensor): number[] => [...t.dataSync()];
const ints = (numbers: readonly number[], shape: readonly number[] = [numbers.length]): Tensor => tensor([...numbers], { dtype: 'int32', shape });
const m = (): Tensor => ones([2, 3]);
const i = (): Tensor => ints([0, 1, 2], [1, 3]);
/** Calls a function of the library without types. */
const call = (name: string, ...args: readonly unknown[]): unknown =>
  (g as unknown as Readonly<Record<string, (...a: readonly unknown[]) => unknown>>)[name]?.(...args);

type Kind = new (...args: never[]) => GradusError;

describe('bad input is a typed error', () => {
  test.each<readonly [string, () => unknown, Kind, string]>([
    ['movedim axis', () => g.movedim(m(), 2, 0), AxisError, 'an axis from -2 to 1, got 2'],
    ['movedim counts', () => g.movedim(m(), [0, 1], 0), AxisError, 'as many targets as sources'],
    ['movedim twice', () => g.movedim(m(), [0, -2], [0, 1]), AxisError, 'each axis once'],
    ['chunk count', () => g.chunk(m(), 0), ArgumentError, 'at least 1'],
    ['chunk axis', () => g.chunk(m(), 2, { axis: 5 }), AxisError, 'got 5'],
    ['unbind of a number', () => g.unbind(tensor(1)), AxisError, 'no axis for a tensor of rank 0'],
    ['narrow too far', () => g.narrow(m(), 1, 2, 2), ShapeError, 'within size 3 of axis 1'],
    ['narrow of a fraction', () => g.narrow(m(), 1, 0.5, 1), ShapeError, 'start 0.5'],
    ['tile', () => g.tile(m(), [-1]), ArgumentError, 'whole numbers of at least 0'],
    ['tile without an array', () => call('tile', m(), 2), ArgumentError, 'in an array'],
    ['repeat with too few', () => g.repeat(m(), [2]), ArgumentError, 'a number for each of 2 axes'],
    ['repeatInterleave', () => g.repeatInterleave(m(), 1.5), ArgumentError, 'a whole number'],
    ['roll axis', () => g.roll(m(), 1, { axis: 3 }), AxisError, 'got 3'],
    ['roll counts', () => g.roll(m(), [1, 2], { axis: 0 }), ArgumentError, 'each of 1 axes'],
    ['rot90 axes', () => g.rot90(m(), 1, { axis: [0, 0] }), AxisError, 'each axis once'],
    ['rot90 of a vector', () => g.rot90(ones([3])), AxisError, 'got 1'],
    ['rot90 turns', () => g.rot90(m(), 0.5), ArgumentError, 'whole number of turns'],
    ['meshgrid of nothing', () => g.meshgrid([]), ArgumentError, 'at least one tensor'],
    ['meshgrid of a matrix', () => g.meshgrid([m()]), ShapeError, 'rank 1'],
    ['meshgrid indexing', () => call('meshgrid', [ones([2])], { indexing: 'ji' }), ArgumentError, "'ij' or 'xy'"],
    ['pad pairs', () => g.pad(m(), [[1, 1]]), ShapeError, 'a pair for each of 2 axes'],
    ['pad crop', () => g.pad(ones([2]), [[-2, -1]]), ShapeError, 'size 2 of axis 0'],
    ['pad reflect', () => g.pad(ones([2]), [[2, 0]], { mode: 'reflect' }), ShapeError, '(mode reflect)'],
    ['pad circular', () => g.pad(ones([2]), [[0, 3]], { mode: 'circular' }), ShapeError, '(mode circular)'],
    ['pad replicate of nothing', () => g.pad(ones([0]), [[1, 0]], { mode: 'replicate' }), ShapeError, '(mode replicate)'],
    ['pad mode', () => call('pad', ones([2]), [[1, 0]], { mode: 'edge' }), ArgumentError, 'a mode: constant'],
    ['pad fraction', () => g.pad(ones([2]), [[0.5, 0]]), ArgumentError, 'whole widths'],
    ['diagonal axes', () => g.diagonal(m(), { axis: [1, -1] }), AxisError, 'two different axes'],
    ['diagonal of a vector', () => g.diagonal(ones([3])), AxisError, 'got 1'],
    ['diagonal offset', () => g.diagonal(m(), { offset: 0.5 }), ArgumentError, 'a whole offset'],
    ['diag of three axes', () => g.diag(ones([2, 2, 2])), ShapeError, 'a vector or a matrix'],
    ['diagEmbed of a number', () => g.diagEmbed(tensor(1)), ShapeError, 'at least one axis'],
    ['triu of a vector', () => g.triu(ones([3])), ShapeError, 'at least two axes'],
    ['gather rank', () => g.gather(m(), ints([0]), { axis: 0 }), ShapeError, 'rank 2'],
    ['gather size', () => g.gather(m(), ints([0, 1, 0], [3, 1]), { axis: 1 }), ShapeError, 'fit [2, 3] beside axis 1'],
    ['gather index', () => g.gather(m(), ints([3], [1, 1]), { axis: 1 }), IndexError, 'from -3 to 2, got 3'],
    ['gather dtype', () => g.gather(m(), ones([1, 1]), { axis: 1 }), DTypeError, 'integer indices'],
    ['takeAlongAxis sizes', () => g.takeAlongAxis(ones([3, 3]), ints([0, 0], [2, 1]), { axis: 1 }), ShapeError, 'beside axis 1'],
    ['scatter rank', () => g.scatter(m(), ints([0]), 1, { axis: 0 }), ShapeError, 'rank 2'],
    ['scatter source', () => g.scatter(m(), i(), ones([2, 2]), { axis: 1 }), ShapeError, '[1, 3]'],
    ['scatter index', () => g.scatter(m(), ints([2, 0, 0], [1, 3]), 1, { axis: 0 }), IndexError, 'got 2'],
    ['scatter a fraction among integers', () => g.scatter(ints([1, 2]), ints([0]), 0.5, { axis: 0 }), DTypeError, 'a value that int32 holds'],
    ['scatterAdd of bool', () => g.scatterAdd(zeros([2], { dtype: 'bool' }), ints([0]), ones([1]), { axis: 0 }), DTypeError, 'got bool'],
    [
      'scatterReduce of bool',
      () => g.scatterReduce(zeros([2], { dtype: 'bool' }), ints([0]), ones([1]), { axis: 0, reduce: 'prod' }),
      DTypeError,
      'prod',
    ],
    ['scatterReduce by another', () => call('scatterReduce', m(), i(), m(), { axis: 0, reduce: 'max' }), ArgumentError, "got 'max'"],
    ['indexAdd source', () => g.indexAdd(m(), ints([0]), ones([2, 3])), ShapeError, 'a source of shape [1, 3]'],
    ['indexAdd index', () => g.indexAdd(m(), ints([0, 1], [1, 2]), m()), ShapeError, 'indices of rank 1'],
    ['indexCopy range', () => g.indexCopy(m(), ints([-3]), ones([1, 3])), IndexError, 'got -3'],
    ['indexFill value', () => g.indexFill(m(), ints([0]), ones([1])), ShapeError, 'rank 0'],
    ['maskedFill mask', () => g.maskedFill(m(), ones([3]), 0), DTypeError, 'a mask of bool'],
    ['maskedFill sizes', () => g.maskedFill(m(), zeros([2], { dtype: 'bool' }), 0), ShapeError, 'broadcast'],
    ['maskedScatter sizes', () => g.maskedScatter(ones([3]), zeros([2, 3], { dtype: 'bool' }), m()), ShapeError, 'broadcasts to'],
    ['index with too many', () => g.index(m(), [0, 0, 0]), AxisError, 'at most 2 subscripts'],
    ['index beyond', () => g.index(m(), [2]), IndexError, 'got 2'],
    ['index with a tensor beyond', () => g.index(m(), [{}, ints([0, -4])]), IndexError, 'got -4'],
    ['index with a mask', () => g.index(m(), [zeros([2], { dtype: 'bool' })]), DTypeError, 'indexMasked'],
    ['index with floats', () => g.index(m(), [ones([2])]), DTypeError, 'integer indices'],
    ['index with two ellipses', () => g.index(m(), ['...', '...']), ArgumentError, "at most one '...'"],
    ['index with text', () => call('index', m(), ['1']), ArgumentError, "got '1'"],
    ['index without an array', () => call('index', m(), 1), ArgumentError, 'subscripts in an array'],
    ['index tensors that differ', () => g.index(m(), [ints([0, 1]), ints([0, 1, 2])]), ShapeError, 'broadcast'],
    ['indexPut values', () => g.indexPut(m(), [0], ones([2])), ShapeError, '[3]'],
    ['unfoldAxis too long', () => g.unfoldAxis(m(), { axis: 1, size: 4 }), ShapeError, 'at most 3'],
    ['unfoldAxis step', () => g.unfoldAxis(m(), { axis: 1, size: 2, step: 0 }), ArgumentError, 'step'],
    ['unfold rank', () => g.unfold(m(), { kernelSize: 1 }), ShapeError, '[N, C, H, W]'],
    ['unfold window', () => g.unfold(ones([1, 2, 2]), { kernelSize: 3 }), ShapeError, 'windows that fit'],
    ['unfold kernelSize', () => g.unfold(ones([1, 2, 2]), { kernelSize: [1] }), ArgumentError, 'kernelSize'],
    ['fold columns', () => g.fold(ones([4, 3]), { kernelSize: 2, outputSize: 3 }), ShapeError, '4 columns'],
    ['fold rows', () => g.fold(ones([3, 4]), { kernelSize: 2, outputSize: 3 }), ShapeError, 'multiple of 4 rows'],
    ['searchSorted axes', () => g.searchSorted(ones([2, 3]), ones([3, 2])), ShapeError, 'leading axes'],
    ['bucketize', () => g.bucketize(m(), m()), ShapeError, 'rank 1'],
    ['bincount dtype', () => g.bincount(ones([2]), { length: 2 }), DTypeError, 'integers'],
    ['bincount rank', () => g.bincount(i(), { length: 2 }), ShapeError, 'rank 1'],
    ['bincount negative', () => g.bincount(ints([-1]), { length: 2 }), IndexError, 'got -1'],
    ['bincount weights', () => g.bincount(ints([1]), { length: 2, weights: ones([2]) }), ShapeError, 'weights of shape [1]'],
    ['bincount length', () => g.bincount(ints([1]), { length: 1.5 }), ArgumentError, 'got 1.5'],
    ['histogram dtype', () => g.histogram(ints([1]), 2), DTypeError, 'floating-point'],
    ['histogram bins', () => g.histogram(m(), 0), ArgumentError, 'at least one bin'],
    ['histogram edges', () => g.histogram(m(), ones([1])), ShapeError, 'at least two edges'],
    ['histogram range', () => g.histogram(m(), 2, { range: [1, 0] }), ArgumentError, 'from low to high'],
    ['kthValue', () => g.kthValue(m(), 4), ArgumentError, 'from 1 to 3'],
    ['einsum terms', () => g.einsum('ij,jk->ik', m()), ArgumentError, 'as many terms as operands'],
    ['einsum axes', () => g.einsum('i->i', m()), ShapeError, "axes for 'i', got 2"],
    ['einsum sizes', () => g.einsum('ij,ij->', m(), ones([3, 3])), ShapeError, "one size for axis 'i'"],
    ['einsum diagonal', () => g.einsum('ii->i', ones([1, 3])), ShapeError, "one size for axis 'i'"],
    ['einsum letter', () => g.einsum('ij->ik', m()), ArgumentError, 'letters of the operands'],
    ['einsum letter twice', () => g.einsum('ij->ii', m()), ArgumentError, 'each once'],
    ['einsum sign', () => g.einsum('i1->i', m()), ArgumentError, "'i1'"],
    ['einsum arrows', () => g.einsum('ij->i->j', m()), ArgumentError, "at most one '->'"],
    ['einsum of nothing', () => g.einsum('->'), ArgumentError, 'at least one operand'],
    ['einsum of bool', () => g.einsum('i->', zeros([2], { dtype: 'bool' })), DTypeError, 'got bool'],
    ['tensordot axes', () => g.tensordot(m(), m(), { axes: 3 }), AxisError, 'from 0 to 2'],
    ['tensordot sizes', () => g.tensordot(m(), m(), { axes: 1 }), ShapeError, 'equal sizes'],
    ['tensordot pairs', () => g.tensordot(m(), m(), { axes: [[0], [0, 1]] }), AxisError, 'as many axes'],
    ['dot', () => g.dot(ones([2]), ones([3])), ShapeError, 'one length'],
    ['outer', () => g.outer(m(), ones([3])), ShapeError, 'two vectors'],
    ['inner', () => g.inner(m(), ones([2])), ShapeError, 'last axes of one size'],
    ['bilinear', () => g.bilinear(m(), m(), ones([2, 2, 3])), ShapeError, 'weight [O, I, J]'],
    ['bilinear bias', () => g.bilinear(m(), m(), ones([2, 3, 3]), { bias: ones([3]) }), ShapeError, 'bias of shape [2]'],
    ['chainMatmul', () => g.chainMatmul([m(), m()]), ShapeError, '3 rows'],
    ['chainMatmul of a vector inside', () => g.chainMatmul([m(), ones([3]), m()]), ShapeError, 'a vector at either end'],
    ['cdist', () => g.cdist(m(), ones([2, 2])), ShapeError, '[..., P, M] and [..., R, M]'],
    ['cdist p', () => g.cdist(m(), m(), { p: -1 }), ArgumentError, 'at least 0'],
    ['cov', () => g.cov(ones([2, 2, 2])), ShapeError, 'at most two axes'],
    ['corrcoef', () => g.corrcoef(ones([2, 2, 2])), ShapeError, 'at most two axes'],
    ['linspace', () => g.linspace(0, 1, 2.5), ArgumentError, 'a whole count'],
    ['logspace', () => g.logspace(0, 1, -1), ArgumentError, 'a whole count'],
  ])('%s', (_, run, kind, message) => {
    expect(() => scope(run)).toThrow(kind);
    expect(() => scope(run)).toThrow(message);
  });

  test.each(['chunk', 'unbind', 'roll', 'diagonal', 'trace', 'diagEmbed', 'triu', 'tril', 'cov', 'unique'])(
    '%s refuses an axis in place of options',
    async (name) => {
      const args = name === 'chunk' || name === 'roll' ? [1, 0] : [0];
      await expect((async () => call(name, m(), ...args))()).rejects.toThrow(ArgumentError);
    },
  );
});

describe('ops that wait for values', () => {
  const x = tensor([3, 1, 3, 2, 1, 3], { requiresGrad: true });

  test('unique gives values, where each went, and counts; the gradient goes to the first of each', async () => {
    const { values: found, inverse, counts } = await g.unique(x);
    expect([values(found), values(inverse), values(counts)]).toEqual([
      [1, 2, 3],
      [2, 0, 2, 1, 0, 2],
      [2, 1, 3],
    ]);
    found
      .mul(tensor([10, 20, 30]))
      .sum()
      .backward();
    expect(values(x.grad as Tensor)).toEqual([30, 10, 0, 20, 0, 0]);
  });

  test('NaN differs from itself', async () => {
    const { values: found, counts } = await g.unique(tensor([NaN, 1, NaN, -Infinity, 1]));
    expect([values(found), values(counts)]).toEqual([
      [-Infinity, 1, NaN, NaN],
      [1, 2, 1, 1],
    ]);
  });

  test('masks may stand beside ranges and integers', async () => {
    const t = tensor(
      Array.from({ length: 12 }, (_, k) => k),
      { shape: [2, 3, 2] },
    );
    const mask = tensor([true, false, true]);
    expect(await (await g.indexMasked(t, [1, mask, { start: 1 }])).toArray()).toEqual([[7], [11]]);
    expect(await (await g.indexMasked(t, ['...', tensor([false, true])])).toArray()).toEqual([
      [[1], [3], [5]],
      [[7], [9], [11]],
    ]);
    await expect(g.indexMasked(t, [mask])).rejects.toThrow(ShapeError);
  });

  test('a compiled function refuses them and names what to do', async () => {
    const promised: readonly [(t: Tensor) => Promise<unknown>, RegExp][] = [
      [(t) => g.unique(t), /\[unique\].*sort keeps the shape/],
      [(t) => g.indexMasked(t, [t.greater(0)]), /\[indexMasked\].*where\(mask, x, fill\)/],
    ];
    for (const [run, fix] of promised) {
      let refused: Promise<unknown> = Promise.resolve();
      compile((t: Tensor) => {
        refused = run(t);
        return t;
      })(ones([3]));
      await expect(refused).rejects.toThrow(fix);
      await expect(refused).rejects.toThrow(TraceError);
    }
    expect(() => compile((t: Tensor) => g.bincount(t))(ints([1]))).toThrow(TraceError);
    const fixed = compile((t: Tensor) => g.bincount(t, { length: 3 }));
    expect(values(fixed(ints([0, 2, 2, 7])))).toEqual([1, 0, 2]);
  });
});

test.each([...arrangement, ...contraction, ...scattering])('compiled, $name gives the same', (specification) => {
  const device = cpu();
  for (const { inputs, values: numbers } of eachCase(specification)) {
    scope(() => {
      const args = inputs.map((input, k) => toTensor(input, numbers[k] ?? new Float64Array(), 'float32', device));
      const compiled = compile(specification.run);
      const want = values(specification.run(...args));
      closeTo(values(compiled(...args)), want, 1e-6, 1e-6, 'traced');
      closeTo(values(compiled(...args)), want, 1e-6, 1e-6, 'replayed');
    });
  }
});

describe.each([
  ['cpu', () => Promise.resolve(cpu())],
  ['wasm', () => wasm()],
] as const)('on %s', (_, open) => {
  const integers: readonly DType[] = ['int8', 'uint8', 'int32', 'uint32'];

  test.each<DType>([...integers, 'float16', 'bfloat16', 'float32'])('every way of writing to places takes %s', async (dtype) => {
    const device: Device = await open();
    const x = tensor([5, 6, 7], { dtype, device });
    const index = tensor([0, 2, 0], { dtype: 'int32', device });
    const source = tensor([2, 3, 4], { dtype, device });
    const reduced = (reduce: g.ScatterReduction): number[] => values(g.scatterReduce(x, index, source, { axis: 0, reduce }));
    expect(values(g.scatter(x, index, source, { axis: 0 }))).toEqual([4, 6, 3]);
    expect(reduced('sum')).toEqual([11, 6, 10]);
    expect(reduced('prod')).toEqual([40, 6, 21]);
    expect(reduced('mean')[1]).toBe(6);
    expect(reduced('mean')[2]).toBe(5);
    expect(reduced('amax')).toEqual([5, 6, 7]);
    expect(reduced('amin')).toEqual([2, 6, 3]);
    expect(g.scatterReduce(x, index, source, { axis: 0, reduce: 'mean' }).dtype).toBe(dtype);
    expect(values(g.maskedFill(x, tensor([true, false, true], { device }), 1))).toEqual([1, 6, 1]);
    expect(values(g.indexPut(x, [index], 9))).toEqual([9, 6, 9]);
    expect(values(g.triu(g.outer(x, x)))[3]).toBe(0);
    expect(values(g.roll(x, 1))).toEqual([7, 5, 6]);
    expect(values(g.einsum('i,i->', x, source))).toEqual([5 * 2 + 6 * 3 + 7 * 4]);
    expect(g.einsum('i,i->', x, source).dtype).toBe(dtype);
  });

  test('bool is written, reduced by amax and amin, and arranged', async () => {
    const device: Device = await open();
    const x = tensor([true, false, false], { device });
    const index = tensor([0, 2], { dtype: 'int32', device });
    const source = tensor([false, true], { device });
    const found = [
      g.scatter(x, index, source, { axis: 0 }),
      g.scatterReduce(x, index, source, { axis: 0, reduce: 'amax' }),
      g.scatterReduce(x, index, source, { axis: 0, reduce: 'amin' }),
      g.maskedFill(
        x,
        source
          .flip()
          .expand([2])
          .slice([{ end: 1 }]),
        0,
      ),
      g.diagonal(g.diagEmbed(x)),
      g.pad(x, [[-1, 1]], { value: 1 }),
      g.index(x, [index]),
    ];
    expect(found.map((t) => t.dtype)).toEqual(found.map(() => 'bool'));
    expect(found.map(values)).toEqual([
      [0, 0, 1],
      [1, 0, 1],
      [0, 0, 0],
      [0, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
      [1, 0],
    ]);
  });

  test('empty tensors have results of the right shape', async () => {
    const device: Device = await open();
    const none = zeros([0, 3], { device });
    const index = tensor(new Int32Array(), { shape: [0, 3], device });
    expect(g.gather(none, index, { axis: 0 }).shape).toEqual([0, 3]);
    expect(values(g.scatter(ones([2, 3], { device }), index, none, { axis: 0 }))).toEqual([1, 1, 1, 1, 1, 1]);
    expect(values(g.einsum('ij,ik->jk', none, none))).toEqual(Array.from({ length: 9 }, () => 0));
    expect(g.einsum('ij,kj->ik', none, none).shape).toEqual([0, 0]);
    expect(g.tile(none, [2, 2]).shape).toEqual([0, 6]);
    expect(values(g.histogram(zeros([0], { device }), 2).counts)).toEqual([0, 0]);
    expect(values(g.bincount(tensor(new Int32Array(), { device }), { length: 2 }))).toEqual([0, 0]);
    expect(g.cdist(none, ones([2, 3], { device })).shape).toEqual([0, 2]);
    const { values: found, inverse } = await g.unique(none);
    expect([found.shape, inverse.shape]).toEqual([[0], [0, 3]]);
    expect((await g.bincount(tensor(new Int32Array(), { device }))).shape).toEqual([0]);
  });
});

test('fullLike takes shape, dtype and device from a tensor', () => {
  const device = cpu();
  const like = ones([2, 1], { dtype: 'int8', device });
  const filled = g.fullLike(like, 300.7);
  expect([filled.shape, filled.dtype, filled.device === device, values(filled)]).toEqual([
    [2, 1],
    'int8',
    true,
    values(g.full([2, 1], 300.7, { dtype: 'int8' })),
  ]);
  expect(values(g.fullLike(like, 0.5, { dtype: 'float64' }))).toEqual([0.5, 0.5]);
});

test('a size of -1 stays what it is in expand', () => {
  expect(ones([3, 1]).expand([2, -1, 4]).shape).toEqual([2, 3, 4]);
  expect(() => ones([3]).expand([-1, 3])).toThrow(ShapeError);
});

test('searchSorted goes by a sorter', () => {
  const shuffled = tensor([5, 1, 3]);
  expect(values(g.searchSorted(shuffled, tensor([0, 2, 4, 6]), { sorter: g.argsort(shuffled) }))).toEqual([0, 1, 2, 3]);
  expect(() => g.searchSorted(shuffled, shuffled, { sorter: ints([0, 1]) })).toThrow(ShapeError);
});

test('views stay views: no kernel runs', () => {
  const x = tensor(
    Array.from({ length: 24 }, (_, k) => k),
    { shape: [2, 3, 4], device: cpu() },
  );
  const before = memory().liveBytes;
  const views = [
    g.movedim(x, 0, -1),
    g.diagonal(x, { axis: [1, 2] }),
    g.unfoldAxis(x, { axis: 2, size: 2 }),
    g.narrow(x, 1, 0, 2),
    g.index(x, [1, '...', null, { step: 2 }]),
    g.rot90(x),
  ];
  views.forEach((view) => view.evaluate());
  expect(memory().liveBytes).toBe(before);
});

test('einsum is one product for a pair, in place, and chooses the cheap order', () => {
  const [a, b, c] = [ones([64, 2]).copy(), ones([2, 64]).copy(), ones([64, 1]).copy()];
  const product = (): readonly (readonly number[])[] => g.explain()?.kernels.flatMap(({ outputs }) => outputs.map(({ dims }) => dims)) ?? [];
  for (const t of [a, b, c]) t.evaluate();
  g.einsum('ij,jk,kl->il', a, b, c).evaluate();
  // b · c first: 2 rows, then 64.
  expect(product()).toEqual([
    [2, 1],
    [64, 1],
  ]);
  const [q, k] = [ones([2, 3, 2, 4]).copy(), ones([2, 5, 2, 4]).copy()];
  for (const t of [q, k]) t.evaluate();
  g.einsum('bqhd,bkhd->bhqk', q, k).evaluate();
  expect(product()).toEqual([[2, 2, 3, 5]]);
});
