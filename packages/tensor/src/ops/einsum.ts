/**
 * Sums of products over named axes: `einsum` and what it is the general form of.
 *
 * Repeated letters of one operand become a diagonal, which is a view; letters that nobody else needs are summed first. Then operands are contracted
 * two by two, the pair with the fewest multiplications first, each as one matrix product: `[batch…, M, K] · [batch…, K, N]`. Axes are brought in that
 * order by a permutation, which is a view; only where several letters share the place of M, K or N, and do not lie side by side, a copy is made.
 * Pairs without common sums, or without axes of their own, are a multiplication and a sum, which fuse.
 */

import { ArgumentError, AxisError, DTypeError, ShapeError } from '../errors.ts';
import { shapeOf, showDims } from '../graph/shape.ts';
import { compose } from '../memory/scope.ts';
import { nodeOf } from '../tensor.ts';
import type { Dims, Tensor } from '../tensor.ts';
import { showValue } from '../values.ts';
import { add, mul } from './arithmetic.ts';
import { normalizeAxis } from './arguments.ts';
import { toDType } from './convert.ts';
import { diagonal } from './diagonals.ts';
import { sum } from './expand.ts';
import { matmul } from './matmul.ts';
import { permute } from './movement.ts';
import { apartFrom } from './own-handles.ts';
import { promoteAll } from './promote-all.ts';
import { reshape } from './reshape.ts';

/** A tensor with a name for each axis. */
interface Named {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/** What an equation says: labels of each operand, and of the result. */
interface Equation {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

const LETTER = /^[A-Za-z]$/;

function termLabels(equation: string, term: string): string[] {
  const parts = term.split('...');
  const letters = parts.map((part) => part.split(''));
  const wrong = letters.flat().find((letter) => !LETTER.test(letter));
  if (parts.length > 2 || wrong !== undefined)
    throw new ArgumentError({ op: 'einsum', expected: "letters, and at most one '...' in a term", got: `'${term}' in '${equation}'` });
  return parts.length === 1 ? (letters[0] ?? []) : [...(letters[0] ?? []), '...', ...(letters[1] ?? [])];
}

/** Axes under an ellipsis are named from the last: they align like broadcast axes. */
const dotsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `.${count - 1 - i}`);

/** The equation with ellipses written out. @throws ArgumentError, ShapeError */
function parse(equation: string, ranks: readonly number[]): Equation {
  const op = 'einsum';
  if (typeof equation !== 'string') throw new ArgumentError({ op, expected: "an equation such as 'ij,jk->ik'", got: showValue(equation) });
  const [left = '', right, more] = equation.replaceAll(' ', '').split('->');
  if (more !== undefined) throw new ArgumentError({ op, expected: "at most one '->'", got: `'${equation}'` });
  const terms = left.split(',');
  if (terms.length !== ranks.length)
    throw new ArgumentError({ op, expected: `as many terms as operands, ${ranks.length}`, got: `${terms.length} in '${equation}'` });
  const inputs = terms.map((term, i) => {
    const labels = termLabels(equation, term);
    const rank = ranks[i] ?? 0;
    const open = labels.includes('...');
    const rest = rank - labels.length + (open ? 1 : 0);
    if (open ? rest < 0 : rest !== 0)
      throw new ShapeError({ op, expected: `${open ? 'at least ' : ''}${labels.length - (open ? 1 : 0)} axes for '${term}'`, got: String(rank) });
    return labels.flatMap((label) => (label === '...' ? dotsOf(rest) : [label]));
  });
  const all = inputs.flat();
  const dots = dotsOf(Math.max(0, ...all.filter((label) => label.startsWith('.')).map((label) => Number(label.slice(1)) + 1)));
  // Without a right side: what is named once, in the order of letters, behind the ellipsis.
  const once = [...new Set(all)].filter((label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label)).toSorted();
  const output = right === undefined ? [...dots, ...once] : termLabels(equation, right).flatMap((label) => (label === '...' ? dots : [label]));
  const odd = output.find((label) => !all.includes(label));
  if (odd !== undefined || new Set(output).size !== output.length)
    throw new ArgumentError({ op, expected: 'letters of the operands in the result, each once', got: `'${right ?? ''}' in '${equation}'` });
  return { inputs, output };
}

/** The size of each label; 1 broadcasts. @throws ShapeError */
function sizesOf(op: string, operands: readonly Named[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { tensor, labels } of operands)
    labels.forEach((label, axis) => {
      const size = tensor.shape[axis] ?? 1;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size)
        throw new ShapeError({ op, expected: `one size for axis '${label}'`, got: `${known} and ${size}` });
      if (known === 1) sizes.set(label, size);
    });
  return sizes;
}

/** With each label once: of repeated ones, the diagonal. @throws ShapeError */
function withoutRepeats({ tensor, labels }: Named): Named {
  const again = labels.findIndex((label, axis) => labels.indexOf(label) !== axis);
  if (again < 0) return { tensor, labels };
  const label = labels[again] ?? '';
  const first = labels.indexOf(label);
  if (tensor.shape[first] !== tensor.shape[again])
    throw new ShapeError({ op: 'einsum', expected: `one size for axis '${label}'`, got: `${tensor.shape[first]} and ${tensor.shape[again]}` });
  const rest = labels.filter((_, axis) => axis !== first && axis !== again);
  return withoutRepeats({ tensor: diagonal(tensor, { axis: [first, again] }), labels: [...rest, label] });
}

/** Without axes of size 1 that are larger elsewhere: the others say what is there. */
function withoutOnes({ tensor, labels }: Named, sizes: ReadonlyMap<string, number>): Named {
  const keep = labels.flatMap((label, axis) => (tensor.shape[axis] === 1 && sizes.get(label) !== 1 ? [] : [axis]));
  if (keep.length === labels.length) return { tensor, labels };
  return {
    tensor: reshape(
      tensor,
      keep.map((axis) => tensor.shape[axis] ?? 1),
    ),
    labels: keep.map((axis) => labels[axis] ?? ''),
  };
}

/** Summed over the labels that are not wanted. */
function summed({ tensor, labels }: Named, wanted: ReadonlySet<string>): Named {
  const axis = labels.flatMap((label, i) => (wanted.has(label) ? [] : [i]));
  if (axis.length === 0) return { tensor, labels };
  return { tensor: toDType(sum(tensor, { axis }), nodeOf(tensor, 'einsum').dtype), labels: labels.filter((label) => wanted.has(label)) };
}

/** With axes in this order, and of size 1 for labels that it does not have; a view. */
function aligned({ tensor, labels }: Named, order: readonly string[]): Tensor {
  const own = order.filter((label) => labels.includes(label));
  const turned = permute(
    tensor,
    own.map((label) => labels.indexOf(label)),
  );
  return reshape(
    turned,
    order.map((label) => (labels.includes(label) ? (tensor.shape[labels.indexOf(label)] ?? 1) : 1)),
  );
}

/** The sum of products over the last `count` axes. 16-bit floats are rounded at the end only, as in a matrix product; integers keep their dtype. */
function sumOfProducts(a: Tensor, b: Tensor, count: number): Tensor {
  const { dtype } = nodeOf(a, 'einsum');
  const wide = (t: Tensor): Tensor => (dtype === 'float16' || dtype === 'bfloat16' ? toDType(t, 'float32') : t);
  const product = mul(wide(a), wide(b));
  return toDType(sum(product, { axis: Array.from({ length: count }, (_, i) => i - count) }), dtype);
}

/** The sum of products of two operands over what is not wanted afterwards. */
function contracted(a: Named, b: Named, wanted: ReadonlySet<string>, sizes: ReadonlyMap<string, number>): Named {
  const left = summed(a, new Set([...wanted, ...b.labels]));
  const right = summed(b, new Set([...wanted, ...a.labels]));
  const common = left.labels.filter((label) => right.labels.includes(label));
  const batch = common.filter((label) => wanted.has(label));
  const summedOver = common.filter((label) => !wanted.has(label));
  const rows = left.labels.filter((label) => !common.includes(label));
  const columns = right.labels.filter((label) => !common.includes(label));
  const size = (labels: readonly string[]): number => labels.reduce((n, label) => n * (sizes.get(label) ?? 1), 1);
  const dims = (labels: readonly string[]): number[] => labels.map((label) => sizes.get(label) ?? 1);
  const labels = [...batch, ...rows, ...columns];
  if (summedOver.length === 0 || (rows.length === 0 && columns.length === 0)) {
    const order = [...labels, ...summedOver];
    if (summedOver.length === 0) return { tensor: mul(aligned(left, order), aligned(right, order)), labels };
    return { tensor: sumOfProducts(aligned(left, order), aligned(right, order), summedOver.length), labels };
  }
  // Letters that are summed come in the order of the larger operand, where they may lie side by side.
  const larger = left.tensor.size >= right.tensor.size ? left : right;
  const shared = larger.labels.filter((label) => summedOver.includes(label));
  const x = reshape(aligned(left, [...batch, ...rows, ...shared]), [...dims(batch), size(rows), size(shared)]);
  const y = reshape(aligned(right, [...batch, ...shared, ...columns]), [...dims(batch), size(shared), size(columns)]);
  return { tensor: reshape(matmul(x, y), dims(labels)), labels };
}

/** The pair whose product takes the fewest multiplications; of equals, that with the smaller result. */
function cheapestPair(
  operands: readonly Named[],
  wantedBeside: (a: number, b: number) => ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): [number, number] {
  const size = (labels: Iterable<string>): number => [...labels].reduce((n, label) => n * (sizes.get(label) ?? 1), 1);
  let best: [number, number] = [0, 1];
  let least: readonly [number, number] = [Infinity, Infinity];
  operands.forEach((a, i) =>
    operands.slice(i + 1).forEach((b, offset) => {
      const j = i + 1 + offset;
      const all = new Set([...a.labels, ...b.labels]);
      const wanted = wantedBeside(i, j);
      const cost = [size(all), size([...all].filter((label) => wanted.has(label)))] as const;
      if (cost[0] > least[0] || (cost[0] === least[0] && cost[1] >= least[1])) return;
      best = [i, j];
      least = cost;
    }),
  );
  return best;
}

/** All operands contracted, in the order of labels that is wanted. */
function contractAll(op: string, operands: readonly Named[], output: readonly string[]): Tensor {
  const sizes = sizesOf(op, operands);
  let left = operands.map((operand) => withoutOnes(withoutRepeats(operand), sizes));
  const wantedBeside = (a: number, b: number): ReadonlySet<string> =>
    new Set([...output, ...left.flatMap(({ labels }, i) => (i === a || i === b ? [] : labels))]);
  while (left.length > 1) {
    const [i, j] = left.length === 2 ? [0, 1] : cheapestPair(left, wantedBeside, sizes);
    const pair = contracted(left[i] as Named, left[j] as Named, wantedBeside(i, j), sizes);
    left = [...left.filter((_, k) => k !== i && k !== j), pair];
  }
  const [last] = left as [Named];
  return aligned(summed(last, new Set(output)), output);
}

function requireNumbers(op: string, tensors: readonly Tensor[]): void {
  for (const t of tensors)
    if (nodeOf(t, op).dtype === 'bool') throw new DTypeError({ op, expected: 'numbers', got: 'bool', fix: "cast with toDType('float32')." });
}

/**
 * The sum of products that an equation says: `einsum('bij,bjk->bik', a, b)`.
 *
 * Letters name axes; what is not named on the right is summed. A letter twice in one term is a diagonal, `'...'` stands for any number of leading
 * axes that broadcast, and without `->` the result has the letters that occur once, in alphabetical order, behind the axes of the ellipsis. Sizes of
 * 1 broadcast. Any number of operands, promoted to one dtype.
 *
 * @throws ArgumentError for an equation that says nothing; ShapeError for sizes that do not fit; DTypeError for bool
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  if (operands.length === 0) throw new ArgumentError({ op: 'einsum', expected: 'at least one operand', got: 'none' });
  requireNumbers('einsum', operands);
  const { inputs, output } = parse(
    equation,
    operands.map((t) => nodeOf(t, 'einsum').shape.rank),
  );
  return compose(() => {
    const promoted = promoteAll('einsum', operands);
    const named = promoted.map((tensor, i) => ({ tensor, labels: inputs[i] ?? [] }));
    const result = contractAll('einsum', named, output);
    return operands.reduce((r, t) => (r === t ? apartFrom(t, r) : r), result);
  });
}

/** What {@link tensordot} sums over: that many last axes of a with as many first ones of b, or axes of each, pair by pair. */
export type ContractedAxes = number | readonly [readonly number[], readonly number[]];

/**
 * The product of `a` and `b` summed over pairs of axes (default: two last axes of a, two first ones of b); the others of a come first.
 *
 * @throws ShapeError when sizes of a pair differ; AxisError, ArgumentError, DTypeError
 */
export function tensordot(a: Tensor, b: Tensor, options: { readonly axes?: ContractedAxes } = {}): Tensor {
  const op = 'tensordot';
  const x = nodeOf(a, op).shape;
  const y = nodeOf(b, op).shape;
  requireNumbers(op, [a, b]);
  const { axes = 2 } = options;
  if (typeof axes === 'number' && (!Number.isInteger(axes) || axes < 0 || axes > Math.min(x.rank, y.rank)))
    throw new AxisError({ op, expected: `a number of axes from 0 to ${Math.min(x.rank, y.rank)}`, got: showValue(axes) });
  const [first, second] = typeof axes === 'number' ? [lastAxes(x.rank, axes), firstAxes(axes)] : axes;
  const left = first.map((axis) => normalizeAxis(op, axis, x.rank));
  const right = second.map((axis) => normalizeAxis(op, axis, y.rank));
  if (left.length !== right.length || new Set(left).size !== left.length || new Set(right).size !== right.length)
    throw new AxisError({ op, expected: 'as many axes of a as of b, each once', got: `${showDims(first)} and ${showDims(second)}` });
  left.forEach((axis, i) => {
    const [m, n] = [x.dims[axis], y.dims[right[i] ?? 0]];
    if (m !== n) throw new ShapeError({ op, expected: `equal sizes of axis ${axis} of a and ${right[i]} of b`, got: `${m} and ${n}` });
  });
  return compose(() => {
    const [p, q] = promoteAll(op, [a, b]) as [Tensor, Tensor];
    const own = x.dims.map((_, axis) => (left.includes(axis) ? `s${left.indexOf(axis)}` : `a${axis}`));
    const other = y.dims.map((_, axis) => (right.includes(axis) ? `s${right.indexOf(axis)}` : `b${axis}`));
    const output = [...own, ...other].filter((label) => !label.startsWith('s'));
    const operands = [
      { tensor: p, labels: own },
      { tensor: q, labels: other },
    ];
    return contractAll(op, operands, output);
  });
}

const lastAxes = (rank: number, count: number): number[] => Array.from({ length: count }, (_, i) => rank - count + i);
const firstAxes = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The sum of products of two vectors of one length. @throws ShapeError, DTypeError */
export function dot(a: Tensor, b: Tensor): Tensor {
  const x = nodeOf(a, 'dot').shape;
  const y = nodeOf(b, 'dot').shape;
  if (x.rank !== 1 || x !== y)
    throw new ShapeError({ op: 'dot', expected: 'two vectors of one length', got: `${showDims(x.dims)} and ${showDims(y.dims)}` });
  requireNumbers('dot', [a, b]);
  return compose(() => {
    const [p, q] = promoteAll('dot', [a, b]) as [Tensor, Tensor];
    return sumOfProducts(p, q, 1);
  });
}

/** The product of every element of `a` with every one of `b`, as vectors: `[a.size, b.size]`. @throws ShapeError unless both have rank 1 */
export function outer(a: Tensor, b: Tensor): Tensor {
  const x = nodeOf(a, 'outer').shape;
  const y = nodeOf(b, 'outer').shape;
  if (x.rank !== 1 || y.rank !== 1)
    throw new ShapeError({ op: 'outer', expected: 'two vectors', got: `${showDims(x.dims)} and ${showDims(y.dims)}` });
  return compose(() => mul(reshape(a, [x.size, 1]), b));
}

/** The products of `a` and `b` summed over the last axis of both; with a number, the multiple. @throws ShapeError, DTypeError */
export function inner(a: Tensor, b: Tensor): Tensor {
  const x = nodeOf(a, 'inner').shape;
  const y = nodeOf(b, 'inner').shape;
  requireNumbers('inner', [a, b]);
  if (x.rank === 0 || y.rank === 0) return mul(a, b);
  if (x.dims.at(-1) !== y.dims.at(-1))
    throw new ShapeError({ op: 'inner', expected: 'last axes of one size', got: `${showDims(x.dims)} and ${showDims(y.dims)}` });
  return tensordot(a, b, { axes: [[-1], [-1]] });
}

/**
 * `y[..., o] = Σ x[..., i] · weight[o, i, j] · z[..., j] + bias[o]`.
 *
 * @param x `[..., I]` @param z `[..., J]`, with the same leading axes @param weight `[O, I, J]`
 * @throws ShapeError, DTypeError
 */
export function bilinear(x: Tensor, z: Tensor, weight: Tensor, options: { readonly bias?: Tensor | null } = {}): Tensor {
  const op = 'bilinear';
  const a = nodeOf(x, op).shape;
  const b = nodeOf(z, op).shape;
  const w = nodeOf(weight, op).shape;
  const { bias = null } = options;
  const fits = w.rank === 3 && a.rank > 0 && a.dims.at(-1) === w.dims[1] && b.dims.at(-1) === w.dims[2];
  if (!fits || shapeOf(a.dims.slice(0, -1)) !== shapeOf(b.dims.slice(0, -1)))
    throw new ShapeError({
      op,
      expected: '[..., I], [..., J] and weight [O, I, J]',
      got: `${showDims(a.dims)}, ${showDims(b.dims)} and ${showDims(w.dims)}`,
    });
  if (bias !== null && nodeOf(bias, op).shape !== shapeOf([w.dims[0] ?? 0]))
    throw new ShapeError({ op, expected: `bias of shape [${w.dims[0]}]`, got: showDims(bias.shape) });
  return compose(() => {
    const y = einsum('...i,oij,...j->...o', x, weight, z);
    return bias === null ? y : add(y, bias);
  });
}

/**
 * Every element of `a` times all of `b`, in blocks (the Kronecker product); the smaller rank gets leading axes of 1. @throws DTypeError
 */
export function kron(a: Tensor, b: Tensor): Tensor {
  const x: Dims = nodeOf(a, 'kron').shape.dims;
  const y: Dims = nodeOf(b, 'kron').shape.dims;
  const rank = Math.max(x.length, y.length);
  const wide = (dims: Dims): number[] => [...Array.from({ length: rank - dims.length }, () => 1), ...dims];
  const [p, q] = [wide(x), wide(y)];
  return compose(() => {
    const blocks = reshape(
      a,
      p.flatMap((size) => [size, 1]),
    );
    const inside = reshape(
      b,
      q.flatMap((size) => [1, size]),
    );
    return reshape(
      mul(blocks, inside),
      p.map((size, axis) => size * (q[axis] ?? 1)),
    );
  });
}

/**
 * The product of matrices in the order that takes the fewest multiplications; the first may be a row, the last a column, of rank 1.
 *
 * @throws ShapeError, ArgumentError, DTypeError
 */
export function chainMatmul(matrices: readonly Tensor[]): Tensor {
  const op = 'chainMatmul';
  if (!Array.isArray(matrices) || matrices.length === 0)
    throw new ArgumentError({ op, expected: 'at least one matrix, in an array', got: showValue(matrices) });
  const list = matrices as readonly Tensor[];
  requireNumbers(op, list);
  let before: number | null = null;
  const labels = list.map((t, i) => {
    const { dims, rank } = nodeOf(t, op).shape;
    const row = i === 0 && rank === 1;
    const column = i === list.length - 1 && i > 0 && rank === 1;
    if (rank !== 2 && !row && !column)
      throw new ShapeError({ op, expected: 'matrices, or a vector at either end', got: `${showDims(dims)} at place ${i}` });
    if (before !== null && dims[0] !== before)
      throw new ShapeError({ op, expected: `${before} rows, as many as there are columns before`, got: `${showDims(dims)} at place ${i}` });
    before = dims.at(-1) ?? 0;
    return row ? [`m${i + 1}`] : column ? [`m${i}`] : [`m${i}`, `m${i + 1}`];
  });
  const ends = [`m0`, `m${list.length}`].filter((label) => labels.flat().includes(label));
  return compose(() => {
    const tensors = promoteAll(op, list);
    const product = contractAll(
      op,
      tensors.map((tensor, i) => ({ tensor, labels: labels[i] ?? [] })),
      ends,
    );
    return list.reduce((r, t) => (r === t ? apartFrom(t, r) : r), product);
  });
}
