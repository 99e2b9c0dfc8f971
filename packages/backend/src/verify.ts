/**
 * The verifier: checks kernels and runs against the written rules of `kernel.ts` and `expression.ts`.
 *
 * The core calls it in tests and in debug mode; a plug-in author can call it in `prepare` and `run` while developing.
 * {@link verifyKernel} looks at structure alone; {@link verifyRun} at the arguments and sizes of one launch.
 */

import type { Arg } from './backend.ts';
import { demand } from './demand.ts';
import { axesOf, keptSizes, operandPositions, sizeCount } from './dims.ts';
import { DTYPES, bytesPerElement, holds } from './dtype.ts';
import type { Expression } from './expression.ts';
import { MAX_RANK } from './kernel.ts';
import type { Kernel, Layout, Operand, Output } from './kernel.ts';
import { OPCODES, opcodeAccepts, opcodeRule } from './opcodes.ts';
import { verifyDense, verifyDenseSizes } from './verify-dense.ts';
import { evaluationOrder } from './walk.ts';

/** Where an expression stands: decides what it may use. */
interface Place {
  readonly kernel: Kernel;
  /** Axes that `axis(i)` may name. */
  readonly axes: number;
  /** Operand spaces that may be loaded. */
  readonly spaces: readonly Operand['space'][];
  /** Dtypes of the accumulators in sight. */
  readonly accumulators: readonly Expression['dtype'][];
  /** Operands that may not be read here although they are readable, such as a scatter's target. */
  readonly hidden?: number;
}

function broadcastAxes(layout: Layout): readonly boolean[] | null {
  return typeof layout === 'string' ? null : layout.broadcast;
}

/** Checks a kernel's structure. @throws KernelError naming the kernel kind and the broken rule */
export function verifyKernel(kernel: Kernel): void {
  verifyOperands(kernel);
  switch (kernel.kind) {
    case 'map':
      verifyRank(kernel, kernel.rank);
      verifyOutputs(kernel, kernel.outputs, { kernel, axes: kernel.rank, spaces: ['full'], accumulators: [] });
      return;
    case 'reduce': {
      verifyRank(kernel, kernel.rank);
      demand(kernel.folded >= 0 && kernel.folded <= kernel.rank, kernel, `0 to ${kernel.rank} folded axes`, String(kernel.folded));
      demand(kernel.folds.length > 0, kernel, 'at least one fold', 'none');
      for (const fold of kernel.folds) {
        verifyExpression(fold.value, { kernel, axes: kernel.rank, spaces: ['full'], accumulators: [] });
        demand(fold.value.dtype !== 'bool', kernel, 'a number to fold', 'bool');
      }
      const kept = kernel.rank - kernel.folded;
      verifyOutputs(kernel, kernel.outputs, { kernel, axes: kept, spaces: ['kept'], accumulators: kernel.folds.map((f) => f.value.dtype) });
      return;
    }
    case 'scatter': {
      verifyRank(kernel, kernel.rank);
      const target = kernel.operands[kernel.target];
      demand(target !== undefined, kernel, 'a target among the operands', `number ${kernel.target}`);
      demand(
        target?.layout === 'indexed' && target.access === 'readWrite',
        kernel,
        'an indexed readWrite target',
        `${JSON.stringify(target?.layout)}, ${String(target?.access)}`,
      );
      const place: Place = { kernel, axes: kernel.rank, spaces: ['full'], accumulators: [], hidden: kernel.target };
      verifyExpression(kernel.position, place);
      verifyExpression(kernel.value, place);
      demand(kernel.position.dtype === 'int32', kernel, 'an int32 position', kernel.position.dtype);
      demand(kernel.value.dtype === target?.dtype, kernel, `a value of the target's dtype, ${target?.dtype}`, kernel.value.dtype);
      demand(kernel.mode === 'set' || kernel.value.dtype !== 'bool', kernel, "mode 'set' for bool", kernel.mode);
      kernel.operands.forEach((o, i) =>
        demand(i === kernel.target || o.access === 'read', kernel, 'no written operand beside the target', `operand ${i}`),
      );
      return;
    }
    case 'contract':
      verifyRank(kernel, kernel.rank);
      demand(kernel.rank >= 3, kernel, 'at least the axes m, n, k', `rank ${kernel.rank}`);
      verifyInputs(kernel, 2, ['full']);
      verifyOutputs(kernel, kernel.outputs, { kernel, axes: kernel.rank - 1, spaces: ['kept'], accumulators: [kernel.accumulate] });
      return;
    case 'convolution':
    case 'pool': {
      const spatial = kernel.window.size.length;
      demand(spatial >= 1 && spatial <= 3, kernel, '1 to 3 spatial axes', String(spatial));
      for (const part of ['stride', 'dilation', 'padding'] as const)
        demand(kernel.window[part].length === spatial, kernel, `${spatial} entries in ${part}`, String(kernel.window[part].length));
      verifyInputs(kernel, kernel.kind === 'pool' && kernel.mode === 'average' ? 1 : 2, ['full'], true);
      // What a maximum selects, or what is averaged: the last of the inputs.
      const pooled = kernel.operands[kernel.kind === 'pool' && kernel.mode === 'max' ? 1 : 0]?.dtype ?? 'float32';
      const seen = kernel.kind === 'convolution' ? kernel.accumulate : pooled;
      verifyOutputs(kernel, kernel.outputs, { kernel, axes: 2 + spatial, spaces: ['kept'], accumulators: [seen] });
      return;
    }
    case 'quantizedContract':
      verifyDense(kernel);
      verifyOutputs(kernel, kernel.outputs, { kernel, axes: 2, spaces: ['kept'], accumulators: [kernel.group === null ? 'int32' : 'float32'] });
      return;
    case 'rowwise':
    case 'attention':
    case 'optimizerStep':
    case 'scan':
    case 'sort':
    case 'argReduce':
      verifyDense(kernel);
      return;
    case 'fft':
    case 'custom':
      return;
    default:
      kernel satisfies never;
  }
}

function verifyRank(kernel: Kernel, rank: number): void {
  demand(Number.isInteger(rank) && rank >= 0 && rank <= MAX_RANK, kernel, `a rank of 0 to ${MAX_RANK}`, String(rank));
}

function verifyOperands(kernel: Kernel): void {
  kernel.operands.forEach((operand, i) => {
    const axes = axesOf(kernel, operand.space);
    const broadcast = broadcastAxes(operand.layout);
    if (broadcast !== null) {
      demand(broadcast.length === axes, kernel, `${axes} broadcast flags for operand ${i}`, String(broadcast.length));
      demand(operand.access === 'read' || !broadcast.includes(true), kernel, `operand ${i} written without broadcast`, `flags ${broadcast.join()}`);
    }
  });
}

/** The leading read-only operands of a fast path. */
function verifyInputs(kernel: Kernel, count: number, spaces: readonly Operand['space'][], dense = false): void {
  for (let i = 0; i < count; i++) {
    const operand = kernel.operands[i];
    demand(
      operand !== undefined && operand.access === 'read' && spaces.includes(operand.space),
      kernel,
      `operand ${i} read over the full space`,
      JSON.stringify(operand),
    );
    demand(!dense || operand?.layout === 'indexed', kernel, `operand ${i} dense (indexed)`, JSON.stringify(operand?.layout));
    demand(dense || operand?.layout !== 'indexed', kernel, `operand ${i} with strides`, 'indexed');
  }
}

function verifyOutputs(kernel: Kernel, outputs: readonly Output[], place: Place): void {
  const written = new Set<number>();
  for (const { operand: index, value } of outputs) {
    const operand = kernel.operands[index];
    demand(operand !== undefined, kernel, 'an output among the operands', `number ${index}`);
    demand(operand?.access !== 'read', kernel, `operand ${index} writable`, 'read');
    demand(
      operand !== undefined && operand.layout !== 'indexed' && place.spaces.includes(operand.space),
      kernel,
      `operand ${index} with strides over the ${place.spaces.join()} space`,
      JSON.stringify(operand),
    );
    demand(!written.has(index), kernel, 'each operand written once', `operand ${index} twice`);
    demand(value.dtype === operand?.dtype, kernel, `a value of dtype ${operand?.dtype} for operand ${index}`, value.dtype);
    written.add(index);
    verifyExpression(value, place);
  }
  kernel.operands.forEach((o, i) => demand(o.access === 'read' || written.has(i), kernel, `a value for written operand ${i}`, 'none'));
}

function verifyExpression(root: Expression, place: Place): void {
  const { kernel } = place;
  for (const e of evaluationOrder([root])) {
    switch (e.op) {
      case 'constant':
        demand(holds(e.dtype, e.value), kernel, `a constant within ${e.dtype}`, String(e.value));
        break;
      case 'scalar':
        demand(kernel.scalars[e.index] === e.dtype, kernel, `scalar ${e.index} of dtype ${kernel.scalars[e.index]}`, e.dtype);
        break;
      case 'axis':
        demand(e.axis >= 0 && e.axis < place.axes, kernel, `an axis below ${place.axes}`, String(e.axis));
        break;
      case 'load':
      case 'gather': {
        const operand = kernel.operands[e.operand];
        const indexed = e.op === 'gather';
        demand(
          operand !== undefined && operand.dtype === e.dtype,
          kernel,
          `${e.op} of operand ${e.operand} with its dtype ${operand?.dtype}`,
          e.dtype,
        );
        demand(operand?.access !== 'write' && e.operand !== place.hidden, kernel, `operand ${e.operand} readable`, `${operand?.access}`);
        demand(
          (operand?.layout === 'indexed') === indexed,
          kernel,
          `${e.op} of an operand that is ${indexed ? '' : 'not '}indexed`,
          JSON.stringify(operand?.layout),
        );
        demand(e.op === 'load' || holds(e.dtype, e.fill), kernel, `a fill within ${e.dtype}`, e.op === 'load' ? '' : String(e.fill));
        demand(
          indexed || (operand !== undefined && place.spaces.includes(operand.space)),
          kernel,
          `a load of the ${place.spaces.join()} space`,
          `operand ${e.operand} of the ${operand?.space} space`,
        );
        break;
      }
      case 'accumulator':
        demand(place.accumulators[e.index] === e.dtype, kernel, `accumulator ${e.index} of ${place.accumulators.length}`, e.dtype);
        break;
      case 'where':
        demand(
          e.condition.dtype === 'bool' && e.then.dtype === e.dtype && e.otherwise.dtype === e.dtype,
          kernel,
          'where(bool, T, T)',
          `${e.condition.dtype}, ${e.then.dtype}, ${e.otherwise.dtype}`,
        );
        break;
      case 'cast':
      case 'bitcast':
        demand(
          e.op === 'cast' || (bytesPerElement(e.dtype) === 4 && bytesPerElement(e.value.dtype) === 4),
          kernel,
          'a bitcast between 32-bit types',
          `${e.value.dtype} to ${e.dtype}`,
        );
        break;
      default: {
        demand(Object.hasOwn(OPCODES, e.op), kernel, 'a known opcode', e.op);
        const [a, b] = e.args;
        const rule = opcodeRule(e.op);
        demand(e.args.length === rule.arity, kernel, `${rule.arity} argument(s) of ${e.op}`, String(e.args.length));
        demand(
          opcodeAccepts(e.op, a.dtype, DTYPES[a.dtype].kind) && (b === undefined || b.dtype === a.dtype),
          kernel,
          `arguments that ${e.op} accepts`,
          `${a.dtype}, ${b?.dtype ?? ''}`,
        );
        demand(e.dtype === (rule.gives === 'bool' ? 'bool' : a.dtype), kernel, `the result dtype of ${e.op}`, e.dtype);
      }
    }
  }
}

/** Range of elements, relative to the block, that an operand touches; null when it touches none. */
function elementRange(kernel: Kernel, operand: Operand, dims: Int32Array, at: number, sizes: readonly number[]): readonly [number, number] | null {
  const offset = dims[at] ?? 0;
  if (operand.layout === 'indexed') {
    const length = dims[at + 1] ?? 0;
    return length === 0 ? null : [offset, offset + length - 1];
  }
  let low = offset;
  let high = offset;
  for (let axis = 0; axis < axesOf(kernel, operand.space); axis++) {
    const size = sizes[axis] ?? 0;
    if (size === 0) return null;
    const reach = (size - 1) * (dims[at + 1 + axis] ?? 0);
    if (reach < 0) low += reach;
    else high += reach;
  }
  return [low, high];
}

function verifyStrides(kernel: Kernel, index: number, operand: Operand, dims: Int32Array, at: number, sizes: readonly number[]): void {
  // Where there is nothing, strides lead nowhere.
  if (operand.layout === 'strided' || operand.layout === 'indexed' || sizes.includes(0)) return;
  const flags = broadcastAxes(operand.layout);
  let dense = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const size = sizes[axis] ?? 0;
    const stride = dims[at + 1 + axis] ?? 0;
    const wanted = flags?.[axis] === true ? 0 : dense;
    demand(size <= 1 || stride === wanted, kernel, `stride ${wanted} along axis ${axis} of operand ${index}, as its layout says`, String(stride));
    if (wanted !== 0) dense *= size;
  }
}

/** Points counted one by one, where strides alone do not show that they are apart. */
const MOST_COUNTED = 1e6;

/** Distinct points of a written operand must have distinct elements. */
function verifyDistinct(kernel: Kernel, index: number, operand: Operand, strides: Int32Array, sizes: readonly number[]): void {
  if (operand.layout !== 'strided' || sizes.includes(0)) return;
  const axes = sizes.map((size, axis) => ({ size, stride: Math.abs(strides[axis] ?? 0) })).filter(({ size }) => size > 1);
  axes.sort((a, b) => a.stride - b.stride);
  // Slices and permutations of an array nest: each stride is longer than all shorter ones together reach.
  let reach = 0;
  const nested = axes.every(({ size, stride }) => {
    const longer = stride > reach;
    reach += (size - 1) * stride;
    return longer;
  });
  if (nested || axes.reduce((count, { size }) => count * size, 1) > MOST_COUNTED) return;
  const seen = new Set<number>([0]);
  for (const { size, stride } of axes) {
    const before = [...seen];
    for (let i = 1; i < size; i++)
      for (const element of before) {
        const next = element + i * stride;
        if (seen.has(next))
          demand(
            false,
            kernel,
            `distinct elements for distinct points of written operand ${index}`,
            `strides ${strides.join()} over ${sizes.join('x')}`,
          );
        seen.add(next);
      }
  }
}

/** Checks the arguments and sizes of one launch of an already verified kernel. @throws KernelError */
export function verifyRun(kernel: Kernel, args: readonly Arg[], dims: Int32Array): void {
  const count = kernel.operands.length;
  demand(args.length === count + kernel.scalars.length, kernel, `${count} blocks and ${kernel.scalars.length} scalars`, `${args.length} arguments`);
  if (kernel.kind === 'custom') return;
  const positions = operandPositions(kernel);
  const total = positions[count] ?? 0;
  demand(dims.length === total, kernel, `dims of length ${total}`, String(dims.length));
  const sizes = sizesOf(kernel, dims);
  for (let i = 0; i < sizeCount(kernel); i++) demand((dims[i] ?? -1) >= 0, kernel, 'sizes of at least 0', String(dims[i]));
  verifyDenseSizes(kernel, dims);

  const ranges: { block: Arg; range: readonly [number, number]; written: boolean; index: number }[] = [];
  kernel.operands.forEach((operand, i) => {
    const block = args[i];
    demand(typeof block === 'object', kernel, `a block for operand ${i}`, typeof block);
    if (typeof block !== 'object') return;
    const at = positions[i] ?? 0;
    const mine = sizes[operand.space];
    verifyStrides(kernel, i, operand, dims, at, mine);
    if (operand.access !== 'read') verifyDistinct(kernel, i, operand, dims.subarray(at + 1, at + 1 + mine.length), mine);
    demand(operand.layout !== 'indexed' || (dims[at + 1] ?? 0) >= 0, kernel, `a length of at least 0 for operand ${i}`, String(dims[at + 1]));
    const range = elementRange(kernel, operand, dims, at, mine);
    if (range === null) return;
    const bytes = bytesPerElement(operand.dtype);
    const capacity = Math.floor(block.byteLength / bytes);
    demand(
      range[0] >= 0 && range[1] < capacity,
      kernel,
      `operand ${i} within its block of ${capacity} elements`,
      `elements ${range[0]} to ${range[1]}`,
    );
    ranges.push({ block, range: [range[0] * bytes, range[1] * bytes + bytes - 1], written: operand.access !== 'read', index: i });
  });
  for (const a of ranges) {
    if (!a.written) continue;
    for (const b of ranges) {
      const apart = a === b || a.block !== b.block || a.range[1] < b.range[0] || b.range[1] < a.range[0];
      demand(apart, kernel, `operand ${a.index}, which is written, apart from operand ${b.index}`, 'overlapping ranges of one block');
    }
  }
  for (let i = 0; i < kernel.scalars.length; i++)
    demand(typeof args[count + i] === 'number', kernel, `a number for scalar ${i}`, typeof args[count + i]);
}

/** Sizes of both spaces of a kernel. Kernels whose operands are all dense have none. */
function sizesOf(kernel: Kernel, dims: Int32Array): Readonly<Record<Operand['space'], readonly number[]>> {
  const kept = keptSizes(kernel, dims);
  const strided = kernel.kind === 'map' || kernel.kind === 'scatter' || kernel.kind === 'reduce' || kernel.kind === 'contract';
  return { full: strided ? [...dims.subarray(0, kernel.rank)] : [], kept };
}
