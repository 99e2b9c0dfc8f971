/**
 * Scalar expressions of the contract as lanes: one function for each opcode, and the walk that keeps every shared part in a local.
 *
 * Narrow integers are held extended in 32 bits, and wrapped after every operation that may leave their range.
 */

import { DTYPES } from '@gradus/backend';
import type { Conversion, DType, Expression, Opcode, Operation } from '@gradus/backend';
import { i32, select } from '../assembler/instructions.ts';
import type { I32, Type, Value } from '../assembler/value.ts';
import { erf } from './erf.ts';
import { exp, log, tanh } from './exponential.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half.ts';
import type { Lanes } from './lanes.ts';
import { pow, remainder } from './power.ts';
import { atan, cos, sin } from './trigonometric.ts';

/** Where the parts of expressions come from that depend on the kernel. Results are held in locals. */
export interface Sources<F extends Type, I extends Type> {
  readonly scalarFloat: (index: number) => Value<F>;
  readonly scalarInt: (index: number, dtype: DType) => Value<I>;
  readonly axis: (axis: number) => Value<I>;
  readonly loadFloat: (operand: number) => Value<F>;
  readonly loadInt: (operand: number) => Value<I>;
  readonly gatherFloat: (operand: number, position: Value<I>, fill: number) => Value<F>;
  readonly gatherInt: (operand: number, position: Value<I>, fill: number) => Value<I>;
  readonly accumulatorFloat: (index: number) => Value<F>;
  readonly accumulatorInt: (index: number) => Value<I>;
}

/** Evaluates expressions at one place of a kernel; what was evaluated is known from then on. */
export class Evaluator<F extends Type, I extends Type> {
  readonly #lanes: Lanes<F, I>;
  readonly #sources: Sources<F, I>;
  readonly #floats: Map<Expression, Value<F>>;
  readonly #ints: Map<Expression, Value<I>>;

  /** `outer` is an evaluator of an enclosing place: what it knows need not be computed again. */
  constructor(lanes: Lanes<F, I>, sources: Sources<F, I>, outer?: Evaluator<F, I>) {
    this.#lanes = lanes;
    this.#sources = sources;
    this.#floats = new Map(outer === undefined ? [] : outer.#floats);
    this.#ints = new Map(outer === undefined ? [] : outer.#ints);
  }

  /** The value of an expression of a float dtype. */
  float(e: Expression): Value<F> {
    const known = this.#floats.get(e);
    if (known !== undefined) return known;
    const made = e.op === 'constant' ? this.#lanes.float(e.value) : this.#lanes.keepFloat(this.#float(e));
    this.#floats.set(e, made);
    return made;
  }

  /** The value of an expression of an integer dtype, or bool. */
  int(e: Expression): Value<I> {
    const known = this.#ints.get(e);
    if (known !== undefined) return known;
    const made = this.#lanes.keepInt(this.#int(e));
    this.#ints.set(e, made);
    return made;
  }

  /** Evaluates it for later. */
  evaluate(e: Expression): void {
    if (DTYPES[e.dtype].kind === 'float') this.float(e);
    else this.int(e);
  }

  #float(e: Expression): Value<F> {
    const lanes = this.#lanes;
    switch (e.op) {
      case 'constant':
        return lanes.float(e.value);
      case 'scalar':
        return this.#sources.scalarFloat(e.index);
      case 'load':
        return this.#sources.loadFloat(e.operand);
      case 'gather':
        return this.#sources.gatherFloat(e.operand, this.int(e.position), e.fill);
      case 'accumulator':
        return this.#sources.accumulatorFloat(e.index);
      case 'cast':
        return this.#castToFloat(e);
      case 'bitcast':
        return lanes.fromBits(this.int(e.value));
      case 'where':
        return lanes.selectFloat(this.int(e.condition), this.float(e.then), this.float(e.otherwise));
      case 'axis':
        return lanes.fromInt(this.#sources.axis(e.axis));
      default:
        return this.#floatOperation(e);
    }
  }

  #castToFloat({ value, dtype }: Conversion): Value<F> {
    const lanes = this.#lanes;
    const { kind } = DTYPES[value.dtype];
    const wide =
      kind === 'float'
        ? this.float(value)
        : kind === 'bool'
          ? lanes.fromInt(lanes.maskToInt(this.int(value)))
          : value.dtype === 'uint32'
            ? lanes.fromUint(this.int(value))
            : lanes.fromInt(this.int(value));
    if (dtype === 'float16') return fromFloat16(lanes, toFloat16(lanes, this.#exactly(value.dtype, value, wide, dtype)));
    if (dtype === 'bfloat16') return fromBfloat16(lanes, toBfloat16(lanes, this.#exactly(value.dtype, value, wide, dtype)));
    return wide;
  }

  /**
   * `wide`, such that rounding it again gives what rounding the integer once does: 32-bit integers have more bits than a float32, so the
   * float32 is rounded to odd. The lowest bit then says that something was cut off.
   */
  #exactly(from: DType, value: Expression, wide: Value<F>, _to: DType): Value<F> {
    if (from !== 'int32' && from !== 'uint32') return wide;
    const lanes = this.#lanes;
    const { i, f } = lanes;
    const word = this.int(value);
    const rounded = lanes.keepFloat(wide);
    const signed = from === 'int32';
    // Rounded away from zero: step back toward it. Then the lowest bit is set wherever the conversion was inexact.
    const back = lanes.keepInt(signed ? lanes.toInt(rounded) : lanes.toUint(rounded));
    const exact = lanes.keepInt(i.eq(back, word));
    const bits = lanes.bits(rounded);
    const negative = f.lt(rounded, lanes.float(0));
    const above = signed ? i.ltS(word, back) : i.ltU(word, back);
    const below = signed ? i.ltS(back, word) : i.ltU(back, word);
    const away = lanes.keepInt(lanes.selectInt(negative, below, above));
    const stepped = i.sub(bits, lanes.maskToInt(away));
    return lanes.selectFloat(exact, rounded, lanes.fromBits(i.or(stepped, lanes.int(1))));
  }

  #floatOperation(e: Operation): Value<F> {
    const lanes = this.#lanes;
    const { f } = lanes;
    const [first, second] = e.args;
    const a = this.float(first);
    const b = second === undefined ? a : this.float(second);
    switch (e.op) {
      case 'negate':
        return f.neg(a);
      case 'abs':
        return f.abs(a);
      case 'floor':
        return f.floor(a);
      case 'ceil':
        return f.ceil(a);
      case 'round':
        return f.nearest(a);
      case 'truncate':
        return f.trunc(a);
      case 'sqrt':
        return f.sqrt(a);
      case 'exp':
        return exp(lanes, a);
      case 'log':
        return log(lanes, a);
      case 'sin':
        return sin(lanes, a);
      case 'cos':
        return cos(lanes, a);
      case 'tanh':
        return tanh(lanes, a);
      case 'atan':
        return atan(lanes, a);
      case 'erf':
        return erf(lanes, a);
      case 'add':
        return f.add(a, b);
      case 'subtract':
        return f.sub(a, b);
      case 'multiply':
        return f.mul(a, b);
      case 'divide':
        return f.div(a, b);
      case 'remainder':
        return remainder(lanes, a, b);
      case 'pow':
        return pow(lanes, a, b);
      case 'min':
        return f.min(a, b);
      case 'max':
        return f.max(a, b);
      default:
        throw new TypeError(`internal: ${e.op} is no operation on floats`);
    }
  }

  #int(e: Expression): Value<I> {
    const lanes = this.#lanes;
    switch (e.op) {
      case 'constant':
        return lanes.int(e.dtype === 'bool' ? maskBits(lanes.width, e.value) : e.value);
      case 'scalar':
        return this.#sources.scalarInt(e.index, e.dtype);
      case 'axis':
        return this.#sources.axis(e.axis);
      case 'load':
        return this.#sources.loadInt(e.operand);
      case 'gather':
        return this.#sources.gatherInt(e.operand, this.int(e.position), e.fill);
      case 'accumulator':
        return this.#sources.accumulatorInt(e.index);
      case 'cast':
        return this.#castToInt(e);
      case 'bitcast':
        return DTYPES[e.value.dtype].kind === 'float' ? lanes.bits(this.float(e.value)) : this.int(e.value);
      case 'where':
        return lanes.selectInt(this.int(e.condition), this.int(e.then), this.int(e.otherwise));
      default:
        return this.#intOperation(e);
    }
  }

  #castToInt({ value, dtype }: Conversion): Value<I> {
    const lanes = this.#lanes;
    const { kind } = DTYPES[value.dtype];
    if (kind === 'float') {
      const x = this.float(value);
      if (dtype === 'bool') return lanes.f.ne(x, lanes.float(0));
      if (dtype === 'uint32') return lanes.toUint(x);
      if (dtype === 'int32') return lanes.toInt(x);
      const { min, max } = DTYPES[dtype];
      return lanes.i.minS(lanes.i.maxS(lanes.toInt(x), lanes.int(min)), lanes.int(max));
    }
    const x = this.int(value);
    if (dtype === 'bool') return kind === 'bool' ? x : lanes.intToMask(x);
    return wrap(lanes, dtype, kind === 'bool' ? lanes.maskToInt(x) : x);
  }

  #intOperation(e: Operation): Value<I> {
    const lanes = this.#lanes;
    const [first, second] = e.args;
    const { dtype } = first;
    if (DTYPES[dtype].kind === 'float') return compareFloats(lanes, e.op, this.float(first), this.float(second ?? first));
    const a = this.int(first);
    const b = second === undefined ? a : this.int(second);
    if (e.dtype === 'bool') return dtype === 'bool' ? combineMasks(lanes, e.op, a, b) : compareInts(lanes, e.op, dtype, a, b);
    return wrap(lanes, dtype, calculate(lanes, e.op, dtype, a, b));
  }
}

/** The value of `dtype` that a word stands for: the low bits, extended. */
export function wrap<F extends Type, I extends Type>(lanes: Lanes<F, I>, dtype: DType, value: Value<I>): Value<I> {
  if (dtype === 'int8') return lanes.i.shrS(lanes.i.shl(value, 24), 24);
  return dtype === 'uint8' ? lanes.i.and(value, lanes.int(0xff)) : value;
}

function compareFloats<F extends Type, I extends Type>({ f }: Lanes<F, I>, op: Opcode, a: Value<F>, b: Value<F>): Value<I> {
  switch (op) {
    case 'equal':
      return f.eq(a, b);
    case 'notEqual':
      return f.ne(a, b);
    case 'less':
      return f.lt(a, b);
    case 'lessEqual':
      return f.le(a, b);
    default:
      throw new TypeError(`internal: ${op} is no comparison`);
  }
}

function compareInts<F extends Type, I extends Type>({ i }: Lanes<F, I>, op: Opcode, dtype: DType, a: Value<I>, b: Value<I>): Value<I> {
  const unsigned = dtype === 'uint32';
  switch (op) {
    case 'equal':
      return i.eq(a, b);
    case 'notEqual':
      return i.ne(a, b);
    case 'less':
      return unsigned ? i.ltU(a, b) : i.ltS(a, b);
    case 'lessEqual':
      return unsigned ? i.leU(a, b) : i.leS(a, b);
    default:
      throw new TypeError(`internal: ${op} is no comparison`);
  }
}

/** Operations on bools: a mask is false (0) or true, and false is less than true. */
function combineMasks<F extends Type, I extends Type>(lanes: Lanes<F, I>, op: Opcode, a: Value<I>, b: Value<I>): Value<I> {
  const { i } = lanes;
  switch (op) {
    case 'not':
      return lanes.not(a);
    case 'and':
      return i.and(a, b);
    case 'or':
      return i.or(a, b);
    case 'xor':
    case 'notEqual':
      return i.xor(a, b);
    case 'equal':
      return lanes.not(i.xor(a, b));
    case 'less':
      return i.and(lanes.not(a), b);
    case 'lessEqual':
      return i.or(lanes.not(a), b);
    default:
      throw new TypeError(`internal: ${op} is no operation on bools`);
  }
}

/** Integer division has no vector form, and WebAssembly's own traps where the contract gives numbers. */
function divide(op: 'divide' | 'remainder', unsigned: boolean, a: I32, b: I32): I32 {
  const zero = i32.const(0);
  const overflow = unsigned ? zero : i32.and(i32.eq(a, i32.const(-0x80000000)), i32.eq(b, i32.const(-1)));
  const special = i32.or(i32.eqz(b), overflow);
  const divisor = select(special, i32.const(1), b);
  if (op === 'divide') return select(i32.eqz(b), zero, unsigned ? i32.divU(a, divisor) : i32.divS(a, divisor));
  return unsigned ? i32.remU(a, divisor) : i32.remS(a, divisor);
}

function calculate<F extends Type, I extends Type>(lanes: Lanes<F, I>, op: Opcode, dtype: DType, a: Value<I>, b: Value<I>): Value<I> {
  const { i } = lanes;
  const unsigned = dtype === 'uint32';
  switch (op) {
    case 'negate':
      return i.sub(lanes.int(0), a);
    case 'abs':
      return i.maxS(a, i.sub(lanes.int(0), a));
    case 'not':
      return i.xor(a, lanes.int(-1));
    case 'add':
      return i.add(a, b);
    case 'subtract':
      return i.sub(a, b);
    case 'multiply':
      return i.mul(a, b);
    case 'divide':
    case 'remainder':
      return lanes.eachInt([a, b], (_one, [x = i32.const(0), y = i32.const(0)]) => divide(op, unsigned, x, y));
    case 'min':
      return unsigned ? i.minU(a, b) : i.minS(a, b);
    case 'max':
      return unsigned ? i.maxU(a, b) : i.maxS(a, b);
    case 'and':
      return i.and(a, b);
    case 'or':
      return i.or(a, b);
    case 'xor':
      return i.xor(a, b);
    case 'shiftLeft':
      return lanes.eachInt([a, b], (_one, [x = i32.const(0), y = i32.const(0)]) => i32.shl(x, y));
    case 'shiftRight':
      return lanes.eachInt([a, b], (_one, [x = i32.const(0), y = i32.const(0)]) => (unsigned ? i32.shrU(x, y) : i32.shrS(x, y)));
    default:
      throw new TypeError(`internal: ${op} is no operation on integers`);
  }
}

/** A bool as a mask has it. */
function maskBits(width: number, value: number): number {
  if (value === 0) return 0;
  return width === 1 ? 1 : -1;
}
