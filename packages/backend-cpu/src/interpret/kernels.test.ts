/** The interpreter against generated code: equal to the bit, on random kernels. (The sign and payload of a NaN are no part of its value.) */

import { accumulator, cast, gather, load, verifyKernel, verifyRun } from '@gradus/backend';
import type { DType, Expression, Kernel, MapKernel, Operand, ReduceKernel, ScatterKernel } from '@gradus/backend';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { COMPUTED, expression, laid, numbers } from '../../test/random.ts';
import type { Laid } from '../../test/random.ts';
import { PATIENCE, deviceOf, get, operand, put } from '../../test/support.ts';

const STORED: readonly DType[] = [...COMPUTED, 'float16', 'bfloat16'];
const FOLDED: readonly DType[] = COMPUTED.filter((dtype) => dtype !== 'bool');

/** An operand with its place, its numbers, and the sizes it ranges over. */
interface Filled {
  readonly operand: Operand;
  readonly laid: Laid;
  readonly values: readonly number[];
}

function filled(dtype: DType, access: Operand['access'], space: Operand['space'], sizes: readonly number[]): fc.Arbitrary<Filled> {
  return laid(sizes, access !== 'read').chain((place) =>
    fc
      .array(numbers(dtype), { minLength: place.length, maxLength: place.length })
      .map((values) => ({ operand: operand(dtype, access, place.layout, space), laid: place, values })),
  );
}

function tableOf(dtype: DType, access: Operand['access']): fc.Arbitrary<Filled> {
  return fc.array(numbers(dtype), { minLength: 2, maxLength: 9 }).map((values) => ({
    operand: operand(dtype, access, 'indexed'),
    laid: { layout: 'indexed', offset: 1, strides: [values.length - 1], length: values.length },
    values,
  }));
}

interface Launch {
  readonly kernel: Kernel;
  readonly operands: readonly Filled[];
  readonly scalars: readonly number[];
  readonly sizes: readonly number[];
}

/** The numbers in every block after the run. */
function outcome(way: 'generated' | 'interpreted', { kernel, operands, scalars, sizes }: Launch): number[][] {
  const device = deviceOf(way);
  const blocks = operands.map(({ operand: o, values }) => put(device, o.dtype, values));
  const dims = Int32Array.from([...sizes, ...operands.flatMap((o) => [o.laid.offset, ...o.laid.strides])]);
  const args = [...blocks, ...scalars];
  verifyKernel(kernel);
  verifyRun(kernel, args, dims);
  device.run(device.prepare(kernel, dims), args, dims);
  const numbersAfter = blocks.map((block, i) => get(device, block, operands[i]?.operand.dtype ?? 'uint8'));
  device.dispose();
  return numbersAfter;
}

const SIZES = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
const SCALARS: readonly DType[] = ['float32', 'int32'];
const SCALAR_VALUES = fc.tuple(numbers('float32'), numbers('int32'));

function outputsOf(values: readonly Expression[], first: number): MapKernel['outputs'] {
  return values.map((value, i) => ({ operand: first + i, value }));
}

const maps: fc.Arbitrary<Launch> = SIZES.chain((sizes) =>
  fc.record({
    sizes: fc.constant(sizes),
    inputs: fc.array(
      fc.constantFrom(...STORED).chain((dtype) => filled(dtype, 'read', 'full', sizes)),
      { maxLength: 3 },
    ),
    updated: filled('float32', 'readWrite', 'full', sizes),
    table: tableOf('float32', 'read'),
    scalars: SCALAR_VALUES,
    targets: fc.array(fc.constantFrom(...STORED), { maxLength: 2 }),
  }),
).chain(({ sizes, inputs, updated, table, scalars, targets }) => {
  const read = [table, updated, ...inputs];
  const loads = read.map((f, i) => (i === 0 ? gather('float32', 0, cast(load('float32', 1), 'int32'), 0.5) : load(f.operand.dtype, i)));
  const values = fc.tuple(
    ...['float32' as DType, ...targets].map((dtype) => expression({ loads, axes: sizes.length, scalars: SCALARS }, 8).map((e) => cast(e, dtype))),
  );
  return fc
    .tuple(values, fc.tuple(...targets.map((dtype) => filled(dtype, 'write', 'full', sizes))))
    .map(([[inPlace, ...others], written]): Launch => {
      const operands = [...read, ...written];
      return {
        kernel: {
          kind: 'map',
          rank: sizes.length,
          operands: operands.map((f) => f.operand),
          scalars: SCALARS,
          outputs: [{ operand: 1, value: inPlace ?? load('float32', 1) }, ...outputsOf(others, read.length)],
        },
        operands,
        scalars,
        sizes,
      };
    });
});

const reduces: fc.Arbitrary<Launch> = fc
  .record({
    sizes: fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 8, max: 11 })), { maxLength: 3 }),
    folded: fc.nat({ max: 3 }),
    scalars: SCALAR_VALUES,
  })
  .chain(({ sizes, folded: wish, scalars }) => {
    const folded = Math.min(wish, sizes.length);
    const kept = sizes.slice(0, sizes.length - folded);
    return fc
      .tuple(
        fc.array(
          fc.constantFrom(...STORED).chain((dtype) => filled(dtype, 'read', 'full', sizes)),
          { minLength: 1, maxLength: 3 },
        ),
        filled('float32', 'read', 'kept', kept),
        fc.constantFrom(...STORED).chain((dtype) => filled(dtype, 'write', 'kept', kept)),
        fc.array(fc.tuple(fc.constantFrom('sum', 'prod', 'min', 'max'), fc.constantFrom(...FOLDED)), { minLength: 1, maxLength: 2 }),
      )
      .chain(([inputs, extra, result, folds]) => {
        const full = { loads: inputs.map((f, i) => load(f.operand.dtype, i)), axes: sizes.length, scalars: SCALARS };
        const values = fc.tuple(...folds.map(([, dtype]) => expression(full, 4).map((e) => cast(e, dtype))));
        const finished = [load('float32', inputs.length), ...folds.map(([, dtype], i) => accumulator(dtype, i))];
        const epilogue = expression({ loads: finished, axes: kept.length, scalars: SCALARS }, 4).map((e) => cast(e, result.operand.dtype));
        return fc.tuple(values, epilogue).map(([folding, value]): Launch => {
          const operands = [...inputs, extra, result];
          const kernel: ReduceKernel = {
            kind: 'reduce',
            rank: sizes.length,
            folded,
            operands: operands.map((f) => f.operand),
            scalars: SCALARS,
            folds: folds.map(([fold, dtype], i) => ({ fold, value: folding[i] ?? load(dtype, 0) })),
            outputs: outputsOf([value], operands.length - 1),
          };
          return { kernel, operands, scalars, sizes };
        });
      });
  });

const scatters: fc.Arbitrary<Launch> = SIZES.chain((sizes) =>
  fc
    .tuple(
      fc.constantFrom('set', 'add', 'max'),
      fc.constantFrom(...STORED),
      fc.constantFrom(...STORED).chain((dtype) => filled(dtype, 'read', 'full', sizes)),
      filled('int8', 'read', 'full', sizes),
      SCALAR_VALUES,
    )
    .chain(([wish, dtype, source, positions, scalars]) => {
      const mode = dtype === 'bool' ? 'set' : wish;
      const loads = [load('int8', 0), load(source.operand.dtype, 1)];
      return fc.tuple(tableOf(dtype, 'readWrite'), expression({ loads, axes: sizes.length, scalars: SCALARS }, 5)).map(([target, value]): Launch => {
        const operands = [positions, source, target];
        const kernel: ScatterKernel = {
          kind: 'scatter',
          rank: sizes.length,
          mode,
          target: 2,
          operands: operands.map((f) => f.operand),
          scalars: SCALARS,
          position: cast(load('int8', 0), 'int32'),
          value: cast(value, dtype),
          deterministic: true,
        };
        return { kernel, operands, scalars, sizes };
      });
    }),
);

test.each([
  ['map', maps],
  ['reduce', reduces],
  ['scatter', scatters],
] as const)(
  '%s: interpreted equals generated',
  (_, launches) => {
    fc.assert(
      fc.property(launches, (launch) => {
        expect(outcome('interpreted', launch)).toEqual(outcome('generated', launch));
      }),
      { numRuns: 300 },
    );
  },
  PATIENCE,
);
