/**
 * Conversions in WGSL: between float32 and integers, and to and from the 16-bit floats.
 *
 * All by integer arithmetic, since WGSL leaves open how `f32(u32)` rounds (SwiftShader does not round to nearest), saturates `i32(f32)` at
 * 2147483520, and leaves `pack2x16float` undefined where it overflows. The 16-bit ones are Giesen's ("float->half variants", 2012).
 */

/** Conversions by name. */
export const CONVERSIONS = {
  /**
   * The float nearest to an integer among those of `digits` significant bits (24: float32, 8: bfloat16), ties to even.
   * Up to 2²⁴ a conversion is exact; the power of two that was shifted out goes into the exponent.
   */
  nearest_float: `fn nearest_float(x: u32, digits: u32) -> f32 {
  let excess = max(firstLeadingBit(x | 1u) + 1u, digits) - digits;
  if (excess == 0u) {
    return f32(x);
  }
  let whole = x >> excess;
  let rest = x & ((1u << excess) - 1u);
  let half = 1u << (excess - 1u);
  let up = rest > half || (rest == half && (whole & 1u) == 1u);
  return bitcast<f32>(bitcast<u32>(f32(whole + u32(up))) + (excess << 23u));
}`,

  nearest_float_of_int: `fn nearest_float_of_int(x: i32, digits: u32) -> f32 {
  let negative = x < 0;
  let size = nearest_float(select(bitcast<u32>(x), 0u - bitcast<u32>(x), negative), digits);
  return bitcast<f32>(bitcast<u32>(size) | select(0u, 0x80000000u, negative));
}`,

  /** Truncates, saturates; NaN gives 0. */
  int_of_float: `fn int_of_float(x: f32) -> i32 {
  let size = bitcast<u32>(x) & 0x7fffffffu;
  if (size > 0x7f800000u) {
    return 0;
  }
  if (size >= 0x4f000000u) {
    return select(0x7fffffff, i32(-0x7fffffff - 1), bitcast<i32>(x) < 0);
  }
  return i32(x);
}`,

  /** Truncates, saturates; NaN gives 0. */
  uint_of_float: `fn uint_of_float(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if (bits >= 0x80000000u || bits > 0x7f800000u) {
    return 0u;
  }
  if (bits >= 0x4f800000u) {
    return 0xffffffffu;
  }
  return u32(x);
}`,

  /** The float32 that float16 bits stand for. */
  float_of_float16: `fn float_of_float16(bits: u32) -> f32 {
  let sign = (bits & 0x8000u) << 16u;
  let size = bits & 0x7fffu;
  // A denormal one counts steps of 2^-24: that product is exact, and normal in float32.
  let denormal = bitcast<u32>(f32(size) * 5.9604644775390625e-8f);
  let bias = select(112u, 224u, size >= 0x7c00u);
  return bitcast<f32>(sign | select((size << 13u) + (bias << 23u), denormal, size < 0x0400u));
}`,

  /** The float16 bits nearest to a float32, ties to even. */
  float16_of_float: `fn float16_of_float(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let sign = (bits >> 16u) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) {
    return 0x7e00u;
  }
  // Half a step above the largest, 65504.
  if (size >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (size >= 0x38800000u) {
    let odd = (size >> 13u) & 1u;
    return sign | ((size - 0x38000000u + 0x0fffu + odd) >> 13u);
  }
  // Denormal: a count of steps of 2^-24. Below half a step, all bits are shifted out.
  let shift = min(126u - (size >> 23u), 31u);
  let mantissa = (size & 0x007fffffu) | 0x00800000u;
  let odd = (mantissa >> shift) & 1u;
  return sign | ((mantissa + ((1u << (shift - 1u)) - 1u) + odd) >> shift);
}`,

  float_rounded_to_float16: `fn float_rounded_to_float16(x: f32) -> f32 {
  return float_of_float16(float16_of_float(x));
}`,

  /** The bfloat16 bits nearest to a float32, ties to even. */
  bfloat16_of_float: `fn bfloat16_of_float(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) {
    return 0x7fc0u;
  }
  return (bits + 0x7fffu + ((bits >> 16u) & 1u)) >> 16u;
}`,

  float_rounded_to_bfloat16: `fn float_rounded_to_bfloat16(x: f32) -> f32 {
  return bitcast<f32>(bfloat16_of_float(x) << 16u);
}`,
} as const satisfies Readonly<Record<string, string>>;
