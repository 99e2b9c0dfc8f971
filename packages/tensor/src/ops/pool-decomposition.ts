/**
 * Pools without a pool kernel: gather-reduces over the cells of windows.
 *
 * Max pooling takes three steps: the maximum of each window, the position of its first occurrence, and the selection (forward) or
 * the sum of the gradients that select a cell (backward). Averages take one.
 */

import { apply, bytesPerElement, cast, constant, gather, rewrite, where as select } from '@gradus/backend';
import type { DType, Expression, FoldKind, Operand, Output, PoolKernel, ReduceKernel, Window } from '@gradus/backend';
import type { DecomposedRun, Decomposition } from '../graph/op.ts';
import { rowMajorStrides } from '../graph/shape.ts';
import type { Dims } from '../tensor.ts';
import { SizeArguments, TRUE, axesFrom, both, flatPosition, guarded, inputCoordinate, int, outputCoordinate, within } from './windows.ts';

/** Geometry, and the shapes of the input and the output of the forward pass. */
export interface PoolGeometry {
  readonly window: Window;
  readonly countPadding: boolean;
  readonly x: Dims;
  readonly y: Dims;
}

/** A position that is larger than any other, so that the smallest wins. */
const NOWHERE = 2 ** 31 - 1;

const product = (dims: Dims): number => dims.reduce((n, size) => n * size, 1);

/** An operand of a step, with its entries in `dims`. */
interface Part {
  readonly operand: Operand;
  readonly dims: readonly number[];
  readonly block: DecomposedRun['blocks'][number];
}

const temporaryPart = (temporary: number, dtype: DType, dims: Dims, access: 'read' | 'write'): Part => ({
  operand: access === 'write' ? { dtype, access, layout: 'contiguous', space: 'kept' } : { dtype, access, layout: 'indexed', space: 'full' },
  dims: access === 'write' ? [0, ...rowMajorStrides(dims)] : [0, product(dims)],
  block: { temporary },
});

/** What a step computes, given its size arguments: operand numbers are those of `parts`. */
interface StepBody {
  readonly fold: FoldKind;
  readonly value: Expression;
  readonly outputs: readonly Output[];
}

/** Decomposes a pool kernel launched with `dims`. */
export function decomposePool(kernel: PoolKernel, dims: Int32Array, geometry: PoolGeometry): Decomposition {
  const { x, y, window, countPadding } = geometry;
  const spatial = window.size.length;
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  const inputs = kernel.mode === 'max' ? 2 : 1;

  const step = (kept: Dims, folded: Dims, parts: readonly Part[], body: (args: SizeArguments) => StepBody): DecomposedRun => {
    const args = new SizeArguments(kernel.scalars.length);
    const { fold, value, outputs } = body(args);
    const reduce: ReduceKernel = {
      kind: 'reduce',
      rank: kept.length + folded.length,
      folded: folded.length,
      operands: parts.map((p) => p.operand),
      scalars: [...kernel.scalars, ...args.values.map((): DType => 'int32')],
      folds: [{ fold, value }],
      outputs,
    };
    return {
      kernel: reduce,
      dims: Int32Array.from([...kept, ...folded, ...parts.flatMap((p) => p.dims)]),
      blocks: parts.map((p) => p.block),
      sizes: args.values,
    };
  };

  /** The kernel's own operands as parts, in their order, so that epilogues need no renumbering. */
  const head = 2 + 2 * spatial;
  const own: Part[] = [];
  let at = head;
  kernel.operands.forEach((operand, i) => {
    const length = operand.layout === 'indexed' ? 2 : 1 + x.length;
    own.push({ operand: i < inputs ? { ...operand, space: 'full' } : operand, dims: [...dims.subarray(at, at + length)], block: { operand: i } });
    at += length;
  });
  const epilogue = (change: (accumulator: Expression) => Expression): Output[] =>
    kernel.outputs.map(({ operand, value }) => ({
      operand,
      value: rewrite([value], (e) => (e.op === 'accumulator' ? change(e) : null))[0] ?? value,
    }));
  const [n, c, ...places] = axesFrom(0, 2 + spatial) as [Expression, Expression, ...Expression[]];
  const cells = axesFrom(2 + spatial, spatial);

  /** Position in x of this window cell, or -1, at a point of [n, c, ...outputs, ...cells]. */
  const cellPosition = (args: SizeArguments): Expression => {
    const coordinates = places.map((out, i) => inputCoordinate(window, i, out, cells[i] ?? int(0)));
    const inside = coordinates.reduce((ok, coordinate, i) => both(ok, within(coordinate, args.of(x[2 + i] ?? 0))), TRUE);
    return guarded(flatPosition([n, c, ...coordinates], x, args), inside);
  };
  /** Position in y of the window whose cell this is, or -1, at a point of [n, c, ...inputs, ...cells]; and its spatial coordinates. */
  const windowPosition = (args: SizeArguments): { position: Expression; out: Expression[] } => {
    const reached = places.map((here, i) => outputCoordinate(window, i, here, cells[i] ?? int(0), args.of(y[2 + i] ?? 0)));
    const inside = reached.reduce((ok, r) => both(ok, r.valid), TRUE);
    const out = reached.map((r) => r.out);
    return { position: guarded(flatPosition([n, c, ...out], y, args), inside), out };
  };
  /** 1 / (cells that an average counts), of the window at these spatial coordinates. */
  const inverse = (out: readonly Expression[], args: SizeArguments): Expression => {
    if (countPadding) return constant(dtype, 1 / product(window.size));
    let count: Expression = int(1);
    out.forEach((o, i) => {
      count = apply('multiply', count, cellsInside(window, i, o, args.of(x[2 + i] ?? 0)));
    });
    return apply('divide', constant(dtype, 1), cast(count, dtype));
  };

  if (kernel.mode === 'average') {
    const run =
      kernel.pass === 'forward'
        ? step(y, window.size, own, (args) => ({
            fold: 'sum',
            value: gather(dtype, 0, cellPosition(args)),
            outputs: epilogue((sum) => apply('multiply', sum, inverse(places, args))),
          }))
        : step(x, window.size, own, (args) => {
            const { position, out } = windowPosition(args);
            return { fold: 'sum', value: apply('multiply', gather(dtype, 0, position), inverse(out, args)), outputs: epilogue((sum) => sum) };
          });
    return { temporaries: [], runs: [run] };
  }

  const x0 = { ...own[0], operand: { dtype, access: 'read', layout: 'indexed', space: 'full' } } as Part;
  const maxima = step(y, window.size, [x0, temporaryPart(0, dtype, y, 'write')], (args) => ({
    fold: 'max',
    value: gather(dtype, 0, cellPosition(args), -Infinity),
    outputs: [{ operand: 1, value: { op: 'accumulator', dtype, index: 0 } }],
  }));
  const winners = step(y, window.size, [x0, temporaryPart(0, dtype, y, 'read'), temporaryPart(1, 'int32', y, 'write')], (args) => {
    const position = cellPosition(args);
    const value = gather(dtype, 0, position);
    const best = gather(dtype, 1, flatPosition([n, c, ...places], y, args));
    const wins = apply('or', apply('equal', value, best), apply('notEqual', value, value));
    const valid = both(apply('lessEqual', int(0), position), wins);
    return {
      fold: 'min',
      value: select(valid, position, int(NOWHERE)),
      outputs: [{ operand: 2, value: { op: 'accumulator', dtype: 'int32', index: 0 } }],
    };
  });
  const chosenPlaces = temporaryPart(1, 'int32', y, 'read');
  const last =
    kernel.pass === 'forward'
      ? // A fold over no axes: max with its identity leaves every value as it is.
        step(y, [], [...own, chosenPlaces], (args) => ({
          fold: 'max',
          value: gather(kernel.operands[1]?.dtype ?? dtype, 1, gather('int32', own.length, flatPosition([n, c, ...places], y, args))),
          outputs: epilogue((value) => value),
        }))
      : step(x, window.size, [...own, chosenPlaces], (args) => {
          const { position } = windowPosition(args);
          const here = flatPosition([n, c, ...places], x, args);
          const chosen = apply('equal', gather('int32', own.length, position, -1), here);
          return { fold: 'sum', value: select(chosen, gather(dtype, 1, position), constant(dtype, 0)), outputs: epilogue((sum) => sum) };
        });
  return { temporaries: [product(y) * bytesPerElement(dtype), product(y) * 4], runs: [maxima, winners, last] };
}

/** How many cells of the window at output `out` lie inside `[0, size)` along spatial axis `i`. */
function cellsInside(window: Window, i: number, out: Expression, size: Expression): Expression {
  const d = int(window.dilation[i] ?? 1);
  const first = inputCoordinate(window, i, out, int(0));
  // Cells before the input: ceil(-first / d) where first is negative; cells up to the last one inside: floor((size - 1 - first) / d) + 1.
  const before = apply('max', int(0), apply('divide', apply('subtract', apply('subtract', d, int(1)), first), d));
  const reach = apply('add', apply('divide', apply('subtract', apply('subtract', size, int(1)), first), d), int(1));
  return apply('subtract', apply('min', int(window.size[i] ?? 1), reach), before);
}
