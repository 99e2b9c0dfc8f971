/** A whole backend: an interpreter of the three required kernels over float32, int32, uint32 and bool. */

import * as gradus from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, DType, Executable, Expression, Kernel, Opcode, TypedArray } from '@gradus/backend';

const yes = { store: true, compute: true, accumulate: true };
const no = { store: false, compute: false, accumulate: false };
const capabilities: Capabilities = {
  dtypes: { float32: yes, int32: yes, uint32: yes, bool: yes, float64: no, float16: no, bfloat16: no, int8: no, uint8: no },
  synchronousRead: false,
  maxBindings: 16,
  maxBlockBytes: 2 ** 30,
  bindingAlignment: 1,
  subBufferAliasing: true,
  threads: 1,
  simd: false,
  subgroups: false,
  deterministic: true,
  denormals: true,
};

/** What float operations and comparisons give before rounding. Integers have some of their own below. */
const operations: Record<Opcode, (a: number, b: number) => number> = {
  negate: (a) => -a,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (a) => (Math.abs(a % 1) === 0.5 ? 2 * Math.round(a / 2) : a < 0 ? -Math.round(-a) : Math.round(a)),
  truncate: Math.trunc,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  atan: Math.atan,
  erf,
  not: (a) => ~a,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  remainder: (a, b) => a % b,
  pow: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b),
  min: Math.min,
  max: Math.max,
  equal: (a, b) => Number(a === b),
  notEqual: (a, b) => Number(a !== b),
  less: (a, b) => Number(a < b),
  lessEqual: (a, b) => Number(a <= b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shiftLeft: (a, b) => a << b,
  shiftRight: (a, b) => a >> b,
};

function integer(op: Opcode, dtype: DType, a: number, b: number): number {
  if (op === 'multiply') return Math.imul(a, b);
  if (op === 'divide' || op === 'remainder') return b === 0 ? 0 : op === 'divide' ? Math.trunc(a / b) : a % b;
  return op === 'shiftRight' && dtype === 'uint32' ? a >>> b : operations[op](a, b);
}

/** Σ of positive terms, 2/√π · exp(-x²) · (x + 2x³/3 + 4x⁵/15 + …). */
function erf(x: number): number {
  if (Number.isNaN(x) || x === 0) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = 0;
  for (let n = 1, term = x; sum + term !== sum; term *= (2 * x * x) / (2 * n++ + 1)) sum += term;
  return 1.1283791670955126 * Math.exp(-x * x) * sum;
}

/** A whole or rounded-once number as `dtype` holds it. */
function round(dtype: DType, x: number): number {
  if (dtype === 'float32') return Math.fround(x);
  return dtype === 'int32' ? x | 0 : dtype === 'uint32' ? x >>> 0 : x & 1;
}

function apply(op: Opcode, dtype: DType, a: number, b: number): number {
  const raw = dtype === 'float32' ? operations[op](a, b) : integer(op, dtype, a, b);
  return round(gradus.opcodeRule(op).gives === 'bool' ? 'bool' : dtype, raw);
}

function cast(x: number, from: DType, to: DType): number {
  if (to === 'bool') return x !== 0 ? 1 : 0;
  const { min, max } = gradus.DTYPES[to];
  return to !== 'float32' && from === 'float32' ? Math.trunc(Math.min(Math.max(x, min), max)) || 0 : round(to, x);
}

/** All points of an index space, in row-major order. */
function* points(sizes: readonly number[]): Generator<number[]> {
  const [first, ...rest] = sizes;
  if (first === undefined) yield [];
  else for (let i = 0; i < first; i++) for (const others of points(rest)) yield [i, ...others];
}

/** Runs a kernel on its blocks, given as typed arrays. */
function interpret(kernel: Kernel, dims: Int32Array, elements: readonly TypedArray[], scalars: readonly number[]): void {
  const positions = gradus.operandPositions(kernel);

  /** Where operand `i` has the element of a point or, when it is indexed, of a position; -1 outside. */
  const address = (i: number, at: readonly number[]): number => {
    const [offset = 0, ...rest] = dims.subarray(positions[i], positions[i + 1]);
    if (kernel.operands[i]?.layout !== 'indexed') return rest.reduce((sum, stride, axis) => sum + stride * (at[axis] ?? 0), offset);
    const [position = -1] = at;
    return position >= 0 && position < (rest[0] ?? 0) ? offset + position : -1;
  };
  const load = (i: number, at: readonly number[], fill = NaN): number => elements[i]?.[address(i, at)] ?? fill;
  const store = (i: number, at: readonly number[], value: number): void => {
    if (address(i, at) >= 0) elements[i]?.set([value], address(i, at));
  };

  const evaluate = (roots: readonly Expression[], point: readonly number[], folds: readonly number[] = []): number[] => {
    const values = new Map<Expression, number>();
    const of = (e: Expression): number => values.get(e) ?? NaN;
    const compute = (e: Expression): number => {
      switch (e.op) {
        case 'constant':
          return e.value;
        case 'scalar':
          return cast(scalars[e.index] ?? NaN, 'float32', e.dtype);
        case 'axis':
          return point[e.axis] ?? NaN;
        case 'load':
          return load(e.operand, point);
        case 'gather':
          return load(e.operand, [of(e.position)], e.fill);
        case 'accumulator':
          return folds[e.index] ?? NaN;
        case 'cast':
          return cast(of(e.value), e.value.dtype, e.dtype);
        case 'bitcast':
          return gradus.DTYPES[e.dtype].view(gradus.DTYPES[e.value.dtype].view(new ArrayBuffer(4)).fill(of(e.value)).buffer)[0] ?? NaN;
        case 'where':
          return of(e.condition) !== 0 ? of(e.then) : of(e.otherwise);
        default:
          return apply(e.op, e.args[0].dtype, of(e.args[0]), e.args.length === 2 ? of(e.args[1]) : NaN);
      }
    };
    for (const e of gradus.evaluationOrder(roots)) values.set(e, compute(e));
    return roots.map(of);
  };

  const fold = (kind: gradus.FoldKind, value: Expression, point: readonly number[], inner: readonly number[]): number => {
    const { dtype } = value;
    const { min, max } = dtype === 'float32' ? { min: -Infinity, max: Infinity } : gradus.DTYPES[dtype];
    let total = { sum: 0, prod: 1, min: max, max: min }[kind];
    for (const rest of points(inner)) {
      const [x = NaN] = evaluate([value], [...point, ...rest]);
      // Float sums and products keep float64's digits until the end.
      if (kind === 'sum') total = dtype === 'float32' ? total + x : apply('add', dtype, total, x);
      else if (kind === 'prod') total = dtype === 'float32' ? total * x : apply('multiply', dtype, total, x);
      else total = apply(kind, dtype, total, x);
    }
    return round(dtype, total);
  };

  const sizes = [...dims.subarray(0, gradus.sizeCount(kernel))];
  if (kernel.kind === 'scatter') {
    for (const point of points(sizes)) {
      const [position = -1, value = NaN] = evaluate([kernel.position, kernel.value], point);
      const old = load(kernel.target, [position]);
      store(kernel.target, [position], kernel.mode === 'set' ? value : apply(kernel.mode, kernel.value.dtype, old, value));
    }
  } else if (kernel.kind === 'map' || kernel.kind === 'reduce') {
    const kept = gradus.keptSizes(kernel, dims);
    const roots = kernel.outputs.map((output) => output.value);
    for (const point of points(kept)) {
      const folds = kernel.kind === 'reduce' ? kernel.folds.map((f) => fold(f.fold, f.value, point, sizes.slice(kept.length))) : [];
      const values = evaluate(roots, point, folds);
      kernel.outputs.forEach((output, i) => store(output.operand, point, values[i] ?? NaN));
    }
  }
}

export function minimalBackend(): Backend {
  const memory = new Map<Block, ArrayBuffer>();
  const prepared = new Map<string, Executable>();
  let disposed = false;

  const usable = (op: string): void => {
    if (disposed) throw new gradus.BackendDisposedError({ op, expected: 'a backend in use', got: 'one that was disposed' });
  };
  const bytesOf = (op: string, block: Arg | undefined, byteOffset = 0, byteLength?: number): Uint8Array => {
    usable(op);
    const buffer = typeof block === 'object' ? memory.get(block) : undefined;
    if (buffer === undefined) throw new gradus.BlockError({ op, expected: 'a block of this backend', got: 'a freed or foreign one' });
    const length = byteLength ?? buffer.byteLength;
    const inside = byteOffset >= 0 && byteOffset + length <= buffer.byteLength;
    if (!inside) throw new gradus.BlockError({ op, expected: `bytes within 0 to ${buffer.byteLength}`, got: `${length} at ${byteOffset}` });
    return new Uint8Array(buffer, byteOffset, length);
  };

  return {
    contract: gradus.CONTRACT_VERSION,
    name: 'minimal',
    capabilities,
    get allocatedBytes() {
      return [...memory.keys()].reduce((sum, block) => sum + block.byteLength, 0);
    },
    allocate(byteLength) {
      usable('allocate');
      const most = capabilities.maxBlockBytes;
      if (byteLength > most) throw new gradus.OutOfMemoryError({ op: 'allocate', expected: `at most ${most} bytes`, got: String(byteLength) });
      const block: Block = { byteLength };
      memory.set(block, new ArrayBuffer(byteLength));
      return block;
    },
    free(block) {
      bytesOf('free', block);
      memory.delete(block);
    },
    write: (block, bytes, byteOffset = 0) => bytesOf('write', block, byteOffset, bytes.length).set(bytes),
    read: async (block, byteOffset, byteLength) => bytesOf('read', block, byteOffset, byteLength).slice(),
    supports: (kernel) => gradus.isRequired(kernel) && kernel.operands.every((operand) => capabilities.dtypes[operand.dtype].store),
    prepare(kernel) {
      usable('prepare');
      if (!this.supports(kernel)) throw new gradus.UnsupportedError({ op: 'prepare', expected: 'map, reduce or scatter', got: kernel.kind });
      const key = gradus.kernelKey(kernel);
      const executable = prepared.get(key) ?? { kernel };
      prepared.set(key, executable);
      return executable;
    },
    run({ kernel }, args, dims) {
      const elements = kernel.operands.map(({ dtype }, i) => {
        const { buffer, byteLength } = bytesOf('run', args[i]);
        return gradus.DTYPES[dtype].view(buffer, 0, Math.floor(byteLength / gradus.bytesPerElement(dtype)));
      });
      interpret(kernel, dims, elements, args.slice(elements.length).map(Number));
    },
    flush: () => usable('flush'),
    synchronize: async () => usable('synchronize'),
    dispose() {
      disposed = true;
      memory.clear();
    },
  };
}
