/**
 * Matrix products of integers: what layers with quantized weights are made of.
 *
 * One row, an anchor: what follows (scales, zero points, biases, activations) joins the kernel as its epilogue. Where the device does not
 * claim the contract's `quantizedContract` kernel it is a reduce of widened products, or two where groups have scales.
 */

import { apply, axisIndex, cast, gather } from '@gradus/backend';
import type { DType, Expression, Operand, Output, QuantizedContractKernel } from '@gradus/backend';
import { ArgumentError, DTypeError, ShapeError } from '../errors.ts';
import { intern } from '../graph/node.ts';
import { attributeValue, row } from '../graph/op.ts';
import type { AnchorPlan, DecomposedRun, Decomposition, OpRow, OpSite } from '../graph/op.ts';
import { record } from '../graph/record.ts';
import { rowMajorStrides, shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import { requireOptions } from './arguments.ts';
import { reshape } from './reshape.ts';
import { SizeArguments, guarded, int, plus } from './windows.ts';

/** The formats of the operands, and the sizes. */
interface QuantizedAttribute extends Pick<QuantizedContractKernel, 'aBits' | 'bBits' | 'group'> {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Inputs a, b, and scales where there are groups. */
const QUANTIZED: OpRow = /* @__PURE__ */ row({ name: 'quantizedMatmul', lowering: { kind: 'anchor', plan: (site) => planOf(site) } });

function planOf(site: OpSite): AnchorPlan {
  const attribute = attributeValue<QuantizedAttribute>(site);
  const { aBits, bBits, group, m, n, k } = attribute;
  return {
    sizes: [m, n, k],
    accumulate: site.dtype,
    kernel: (operands, scalars, outputs) => ({ kind: 'quantizedContract', aBits, bBits, group, operands, scalars, outputs }),
    decompose: (kernel, dims) => decompose(kernel as QuantizedContractKernel, dims, attribute),
  };
}

/** Operands of one step, with their entries in `dims` and their blocks. */
interface Part {
  readonly operands: readonly Operand[];
  readonly entries: readonly number[];
  readonly blocks: DecomposedRun['blocks'];
}

/** A sum of `value` along the last of `sizes`. */
function reduceOf(
  kernel: QuantizedContractKernel,
  sizes: readonly number[],
  args: SizeArguments,
  { operands, entries, blocks }: Part,
  value: Expression,
  outputs: readonly Output[],
): DecomposedRun {
  const scalars = [...kernel.scalars, ...args.values.map((): DType => 'int32')];
  return {
    kernel: { kind: 'reduce', rank: sizes.length, folded: 1, operands, scalars, folds: [{ fold: 'sum', value }], outputs },
    dims: Int32Array.from([...sizes, ...entries]),
    blocks,
    sizes: args.values,
  };
}

const times = (a: Expression, b: Expression): Expression => apply('multiply', a, b);

/** a[m, k] · b[n, k] as int32; 0 where k lies outside. */
function product(
  kernel: QuantizedContractKernel,
  { k: size, bBits }: QuantizedAttribute,
  [m, n, k]: readonly [Expression, Expression, Expression],
  args: SizeArguments,
): Expression {
  const inside = apply('less', k, args.of(size));
  const element = (operand: number, position: Expression): Expression =>
    cast(gather(kernel.operands[operand]?.dtype ?? 'int8', operand, guarded(position, inside)), 'int32');
  const a = element(0, plus(times(m, args.of(size)), k));
  if (bBits === 8) return times(a, element(1, plus(times(n, args.of(size)), k)));
  const byte = element(1, plus(times(n, args.of(Math.ceil(size / 2))), apply('divide', k, int(2))));
  // The half goes to the top of the word, and back with its sign: by 28 bits the low one, by 24 the high one.
  const up = apply('subtract', int(28), times(int(4), apply('and', k, int(1))));
  return times(a, apply('shiftRight', apply('shiftLeft', byte, up), int(28)));
}

/** Coordinates of the decomposed index spaces `[M, N | K]`, `[M, N, groups | group]` and `[M, N | groups]`. */
const LINE = /* @__PURE__ */ axisIndex(0);
const COLUMN = /* @__PURE__ */ axisIndex(1);
const THIRD = /* @__PURE__ */ axisIndex(2);
const FOURTH = /* @__PURE__ */ axisIndex(3);

/** One reduce where there are no groups. The kernel's operands keep their numbers, so that its epilogue needs no change. */
function decompose(kernel: QuantizedContractKernel, dims: Int32Array, attribute: QuantizedAttribute): Decomposition {
  const { m, n, k, group } = attribute;
  const own: Part = {
    operands: kernel.operands.map((o, i): Operand => (i < (group === null ? 2 : 3) ? { ...o, space: 'full' } : o)),
    entries: [...dims.subarray(3)],
    blocks: kernel.operands.map((_, operand) => ({ operand })),
  };
  if (group !== null) return decomposeGroups(kernel, own, attribute, group);
  const args = new SizeArguments(kernel.scalars.length);
  const value = product(kernel, attribute, [LINE, COLUMN, THIRD], args);
  return { temporaries: [], runs: [reduceOf(kernel, [m, n, k], args, own, value, kernel.outputs)] };
}

/** First the int32 sum of each group, then the sum of these times their scales. */
function decomposeGroups(kernel: QuantizedContractKernel, own: Part, attribute: QuantizedAttribute, group: number): Decomposition {
  const { m, n, k } = attribute;
  const groups = Math.ceil(k / group);
  const size = m * n * groups;
  const sums: Part = {
    operands: [...own.operands.slice(0, 2), { dtype: 'int32', access: 'write', layout: 'contiguous', space: 'kept' }],
    entries: [...own.entries.slice(0, 4), 0, ...rowMajorStrides([m, n, groups])],
    blocks: [...own.blocks.slice(0, 2), { temporary: 0 }],
  };
  const args = new SizeArguments(kernel.scalars.length);
  const value = product(kernel, attribute, [LINE, COLUMN, plus(times(THIRD, int(group)), FOURTH)], args);
  const first = reduceOf(kernel, [m, n, groups, group], args, sums, value, [{ operand: 2, value: { op: 'accumulator', dtype: 'int32', index: 0 } }]);

  const scaling: Part = {
    operands: [...own.operands, { dtype: 'int32', access: 'read', layout: 'indexed', space: 'full' }],
    entries: [...own.entries, 0, size],
    blocks: [...own.blocks, { temporary: 0 }],
  };
  const more = new SizeArguments(kernel.scalars.length);
  const groupOfLine = (line: Expression): Expression => plus(times(line, more.of(groups)), THIRD);
  const sum = gather('int32', own.operands.length, groupOfLine(plus(times(LINE, more.of(n)), COLUMN)));
  const scaled = times(cast(sum, 'float32'), gather('float32', 2, groupOfLine(COLUMN)));
  const second = reduceOf(kernel, [m, n, groups], more, scaling, scaled, kernel.outputs);
  return { temporaries: [4 * size], runs: [first, second] };
}

/** Options of {@link quantizedMatmul}. */
export interface QuantizedMatmulOptions {
  /** 7 promises that all of `a` lies in 0..127, which some devices multiply faster. Default 8. */
  readonly aBits?: 8 | 7;
  /** float32 `[N, ceil(K / group)]`: a scale for every `group` values along K. Then the result is float32. */
  readonly scales?: Tensor;
  /** With scales: values that share one; even for 4-bit b. The last group of a row may have fewer. Default K, one scale a row. */
  readonly group?: number;
}

/**
 * `Σ_k a[m, k] · b[n, k]`, exact in int32 (modulo 2³²); with scales `Σ_groups float32(Σ_k in the group) · scale`, in float32. No gradient.
 *
 * b has its rows along N, as weights of layers do. What is done with the result next, such as `.toDType('float32').mul(scale).add(bias)`,
 * joins its kernel.
 *
 * @param a int8 or uint8 `[..., K]`
 * @param b int8 `[N, K]`; or uint8 `[N, ceil(K / 2)]`, two values of -8..7 a byte, the low half first
 * @returns `[..., N]`
 * @throws ShapeError, DTypeError; ArgumentError for a group that does not fit
 */
export function quantizedMatmul(a: Tensor, b: Tensor, options: QuantizedMatmulOptions = {}): Tensor {
  const op = 'quantizedMatmul';
  requireOptions(op, options, '{ scales, group: 32 }');
  const left = nodeOf(a, op);
  const right = nodeOf(b, op);
  const { aBits = 8, scales } = options;
  if (aBits !== 8 && aBits !== 7) throw new ArgumentError({ op, expected: 'aBits 8 or 7', got: String(aBits) });
  if (left.dtype !== 'int8' && left.dtype !== 'uint8')
    throw new DTypeError({ op, expected: 'a in int8 or uint8', got: left.dtype, fix: 'quantize it: round(x / scale), clamped, with toDType.' });
  if (right.dtype !== 'int8' && right.dtype !== 'uint8')
    throw new DTypeError({ op, expected: 'b in int8, or in uint8 with two values a byte', got: right.dtype });
  const bBits = right.dtype === 'int8' ? 8 : 4;
  const k = left.shape.dims.at(-1) ?? 0;
  const width = bBits === 8 ? k : Math.ceil(k / 2);
  const [n = 0, bWidth = 0] = right.shape.dims;
  if (left.shape.rank === 0 || right.shape.rank !== 2 || bWidth !== width) {
    throw new ShapeError({
      op,
      expected: `a [..., K] and b ${bBits === 8 ? '[N, K]' : '[N, ceil(K / 2)], as uint8 has two values a byte'}`,
      got: `${showDims(left.shape.dims)} and ${showDims(right.shape.dims)}`,
      ...(right.shape.dims.at(-2) === width && { fix: 'transpose b: its rows lie along N.' }),
    });
  }
  const group = groupOf(options, k, bBits);
  if (scales !== undefined && group !== null) requireScales(scales, [n, Math.ceil(k / group)]);
  const m = k === 0 ? shapeOf(left.shape.dims.slice(0, -1)).size : left.shape.size / k;
  const attribute: QuantizedAttribute = { aBits, bBits, group, m, n, k };
  return compose(() => {
    const rows = nodeOf(reshape(a, [m, k]), op);
    const inputs = scales === undefined ? [rows, right] : [rows, right, nodeOf(scales, op)];
    const dtype = scales === undefined ? 'int32' : 'float32';
    const y = record(QUANTIZED, inputs, shapeOf([m, n]), dtype, intern(`quantized:${JSON.stringify(attribute)}`, attribute));
    return reshape(y, [...left.shape.dims.slice(0, -1), n]);
  });
}

function groupOf({ scales, group }: QuantizedMatmulOptions, k: number, bBits: 8 | 4): number | null {
  const op = 'quantizedMatmul';
  if (scales === undefined) {
    if (group === undefined) return null;
    throw new ArgumentError({ op, expected: 'scales with a group', got: `group ${group} alone`, fix: 'pass { scales, group }.' });
  }
  const even = bBits === 4;
  const whole = Math.max(1, k);
  const size = group ?? (even ? whole + (whole % 2) : whole);
  if (!Number.isInteger(size) || size < 1 || (even && size % 2 !== 0))
    throw new ArgumentError({ op, expected: `a group of ${even ? 'an even number of' : 'at least one'} values`, got: String(group) });
  return size;
}

function requireScales(scales: Tensor, dims: readonly number[]): void {
  const op = 'quantizedMatmul';
  const { dtype, shape } = nodeOf(scales, op);
  if (dtype !== 'float32') throw new DTypeError({ op, expected: 'scales in float32', got: dtype, fix: "cast them with toDType('float32')." });
  if (shape !== shapeOf(dims))
    throw new ShapeError({ op, expected: `scales ${showDims(dims)}, one for each row of b and group`, got: showDims(shape.dims) });
}
