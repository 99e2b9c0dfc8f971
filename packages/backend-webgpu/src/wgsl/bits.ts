/**
 * Float32 by its bits, in WGSL: what must hold for NaN, the infinities and both zeros.
 *
 * WGSL lets compilers assume that there are no NaNs and infinities (https://www.w3.org/TR/WGSL/#differences-from-ieee754): `x != x` is false on
 * some drivers, `max(NaN, 0)` is 0. Integer comparisons of the bits are not open to that. An expression of literals that is NaN or
 * infinite does not compile; a call is no such expression, so all of them come from `float_of`. Integers that overflow do not either: `int_of`, `uint_of`.
 */

/** Constants by their bits, comparisons, extremes and signs, by name. */
export const BITS = {
  float_of: `fn float_of(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}`,

  uint_of: `fn uint_of(bits: u32) -> u32 {
  return bits;
}`,

  int_of: `fn int_of(bits: u32) -> i32 {
  return bitcast<i32>(bits);
}`,

  float_is_nan: `fn float_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,

  /** Neither is NaN. */
  float_ordered: `fn float_ordered(x: f32, y: f32) -> bool {
  return max(bitcast<u32>(x) & 0x7fffffffu, bitcast<u32>(y) & 0x7fffffffu) <= 0x7f800000u;
}`,

  /** An integer that compares as the float does; both zeros are 0. */
  float_rank: `fn float_rank(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return select(bits, -(bits & 0x7fffffff), bits < 0);
}`,

  float_equal: `fn float_equal(x: f32, y: f32) -> bool {
  return float_ordered(x, y) && float_rank(x) == float_rank(y);
}`,

  float_less: `fn float_less(x: f32, y: f32) -> bool {
  return float_ordered(x, y) && float_rank(x) < float_rank(y);
}`,

  float_less_equal: `fn float_less_equal(x: f32, y: f32) -> bool {
  return float_ordered(x, y) && float_rank(x) <= float_rank(y);
}`,

  /** An integer that compares as the float does, -0 below 0: -0 is -1. */
  float_strict_rank: `fn float_strict_rank(x: f32) -> i32 {
  let bits = bitcast<i32>(x);
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}`,

  float_min: `fn float_min(x: f32, y: f32) -> f32 {
  if (!float_ordered(x, y)) {
    return float_of(0x7fc00000u);
  }
  return select(y, x, float_strict_rank(x) <= float_strict_rank(y));
}`,

  float_max: `fn float_max(x: f32, y: f32) -> f32 {
  if (!float_ordered(x, y)) {
    return float_of(0x7fc00000u);
  }
  return select(y, x, float_strict_rank(x) >= float_strict_rank(y));
}`,

  float_negate: `fn float_negate(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u);
}`,

  float_abs: `fn float_abs(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu);
}`,
} as const satisfies Readonly<Record<string, string>>;
