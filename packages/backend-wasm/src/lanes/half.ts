/**
 * 16-bit floats, held widened to float32.
 *
 * float16 widens by a multiplication that turns its exponent's bias into float32's, exact for denormal numbers too, and narrows by Giesen's way
 * ("float->half variants", 2012): an addition rounds what becomes denormal, integer arithmetic the rest. bfloat16 is the upper half of a float32.
 */

import type { Type, Value } from '../assembler/value.ts';
import type { Lanes } from './lanes.ts';

const INFINITY_BITS = 0x7f800000;
const QUIET_NAN_BITS = 0x7fc00000;
const FLOAT16_NAN = 0x7e00;
const FLOAT16_INFINITY = 0x7c00;

/** The float32 that float16 bits (in the low half) stand for. */
export function fromFloat16<F extends Type, I extends Type>(lanes: Lanes<F, I>, word: Value<I>): Value<F> {
  const { f, i } = lanes;
  const bits = lanes.keepInt(word);
  const magnitude = i.shl(i.and(bits, lanes.int(0x7fff)), 13);
  const scaled = lanes.keepFloat(f.mul(lanes.fromBits(magnitude), lanes.float(2 ** 112)));
  // What is 65536 or more had all exponent bits set: Infinity or NaN.
  const special = lanes.selectInt(f.le(lanes.float(65536), scaled), lanes.int(INFINITY_BITS), lanes.int(0));
  const sign = i.shl(i.and(bits, lanes.int(0x8000)), 16);
  return lanes.fromBits(i.or(i.or(lanes.bits(scaled), special), sign));
}

/** The float16 bits nearest to a float32, ties to even. */
export function toFloat16<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<I> {
  const { f, i } = lanes;
  const bits = lanes.keepInt(lanes.bits(value));
  const sign = lanes.keepInt(i.and(bits, lanes.int(-0x80000000)));
  const magnitude = lanes.keepInt(i.xor(bits, sign));
  // Denormal results: adding 0.5 leaves the rounded result in the low bits.
  const denormal = i.sub(lanes.bits(f.add(lanes.fromBits(magnitude), lanes.float(0.5))), lanes.int(0x3f000000));
  // Normal results: rebias the exponent, add almost half a unit, and one more where the result would be odd.
  const odd = i.and(i.shrU(magnitude, 13), lanes.int(1));
  const normal = i.shrU(i.add(i.add(magnitude, lanes.int(((15 - 127) << 23) + 0xfff)), odd), 13);
  const finite = lanes.selectInt(i.ltS(magnitude, lanes.int(0x38800000)), denormal, normal);
  const nan = i.ltS(lanes.int(INFINITY_BITS), magnitude);
  const large = i.leS(lanes.int(0x47800000), magnitude);
  const special = lanes.selectInt(nan, lanes.int(FLOAT16_NAN), lanes.int(FLOAT16_INFINITY));
  return i.or(lanes.selectInt(large, special, finite), i.shrU(sign, 16));
}

/** The float32 that bfloat16 bits stand for. */
export function fromBfloat16<F extends Type, I extends Type>(lanes: Lanes<F, I>, word: Value<I>): Value<F> {
  return lanes.fromBits(lanes.i.shl(word, 16));
}

/** The bfloat16 bits nearest to a float32, ties to even. */
export function toBfloat16<F extends Type, I extends Type>(lanes: Lanes<F, I>, value: Value<F>): Value<I> {
  const { f, i } = lanes;
  const kept = lanes.keepFloat(value);
  const bits = lanes.keepInt(lanes.bits(kept));
  const odd = i.and(i.shrU(bits, 16), lanes.int(1));
  const rounded = i.shrU(i.add(i.add(bits, lanes.int(0x7fff)), odd), 16);
  return lanes.selectInt(f.ne(kept, kept), lanes.int(QUIET_NAN_BITS >>> 16), rounded);
}
