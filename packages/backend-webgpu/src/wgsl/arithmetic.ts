/**
 * Products, quotients, remainders and square roots in WGSL, exact where the contract wants them exact.
 *
 * WGSL allows `/` an error of 2.5 units in the last place and `sqrt` more, and compilers may fuse or reorder what would correct them in floats. So
 * the float result is only a first guess of the integer quotient (or root) of the mantissas, one bit longer than a mantissa; what is left over is
 * known exactly modulo 2³², and the guess is moved until it is right. A guess within 16 units in the last place is good enough for the correctly
 * rounded result: what is left over then fits 32 bits.
 * Denormal arguments count as zeros; denormal results are rounded correctly.
 */

/** Arithmetic by name: floats by integer arithmetic on mantissas, integers where WGSL's own differs from the contract. */
export const ARITHMETIC = {
  /** Rounds `mantissa` · 2^(exponent - 151), 25 bits and a flag for what is cut off below, to float32; exponent is biased. */
  float_rounded: `fn float_rounded(mantissa: u32, exponent: i32, inexact: bool) -> f32 {
  if (exponent >= 255) {
    return float_of(0x7f800000u);
  }
  // One bit for a normal result, more for a denormal one.
  let shift = u32(clamp(2 - exponent, 1, 27));
  let whole = mantissa >> shift;
  let rest = mantissa & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  let up = rest > half || (rest == half && (inexact || (whole & 1u) == 1u));
  return bitcast<f32>((u32(max(exponent, 1) - 1) << 23u) + whole + u32(up));
}`,

  /**
   * Devices that flush denormal results do so before rounding, so that what rounds up to the smallest normal number, 2^-126, would be 0: products
   * from 2^-126 - 2^-150 on. Of mantissas a and b that is a·b ≥ 2^47 - 2^23 where the exponents say 2^-127, told by the lower word of a·b
   * and, in floats, by the upper ones. All other products that are below the smallest normal number may be flushed.
   */
  float_multiply: `fn float_multiply(x: f32, y: f32) -> f32 {
  let product = x * y;
  let bits = bitcast<u32>(product);
  if ((bits & 0x7fffffffu) != 0u) {
    return product;
  }
  let a = bitcast<u32>(x);
  let b = bitcast<u32>(y);
  let exponents = vec2<u32>(a >> 23u, b >> 23u) & vec2<u32>(0xffu);
  if (exponents.x + exponents.y != 127u || exponents.x == 0u || exponents.y == 0u) {
    return product;
  }
  let low = ((a & 0x007fffffu) | 0x00800000u) * ((b & 0x007fffffu) | 0x00800000u);
  let rough = bitcast<f32>((a & 0x007fffffu) | 0x3f800000u) * bitcast<f32>((b & 0x007fffffu) | 0x3f800000u);
  let up = low >= 0xff800000u && abs(rough - 2f) < 1e-5f;
  return float_of(((a ^ b) & 0x80000000u) | select(0u, 0x00800000u, up));
}`,

  float_divide: `fn float_divide(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  let sign = (bitcast<u32>(x) ^ bitcast<u32>(y)) & 0x80000000u;
  let no_a = a < 0x00800000u;
  let no_b = b < 0x00800000u;
  if (max(a, b) > 0x7f800000u || (no_a && no_b) || min(a, b) == 0x7f800000u) {
    return float_of(0x7fc00000u);
  }
  if (no_b || a == 0x7f800000u) {
    return float_of(sign | 0x7f800000u);
  }
  if (no_a || b == 0x7f800000u) {
    return float_of(sign);
  }
  let dividend = (a & 0x007fffffu) | 0x00800000u;
  let divisor = (b & 0x007fffffu) | 0x00800000u;
  // Shifted so that the quotient has 25 bits.
  let shift = select(25u, 24u, dividend >= divisor);
  var quotient = u32(f32(dividend) / f32(divisor) * f32(1u << shift));
  var rest = bitcast<i32>((dividend << shift) - quotient * divisor);
  while (rest < 0) {
    quotient -= 1u;
    rest += i32(divisor);
  }
  while (rest >= i32(divisor)) {
    quotient += 1u;
    rest -= i32(divisor);
  }
  let exponent = i32(a >> 23u) - i32(b >> 23u) + 151 - i32(shift);
  return bitcast<f32>(bitcast<u32>(float_rounded(quotient, exponent, rest != 0)) | sign);
}`,

  float_sqrt: `fn float_sqrt(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // Zeros keep their sign; NaN and Infinity are their own roots.
  if ((bits & 0x7fffffffu) < 0x00800000u || bits == 0x7f800000u) {
    return x;
  }
  if (bits > 0x7f800000u) {
    return float_of(0x7fc00000u);
  }
  // The mantissa is shifted to 49 or 50 bits and an even exponent: its root has 25 bits.
  let exponent = i32(bits >> 23u) - 127;
  let mantissa = (bits & 0x007fffffu) | 0x00800000u;
  let shift = 25u + u32(exponent & 1);
  var root = u32(sqrt(f32(mantissa) * f32(1u << shift)));
  var rest = bitcast<i32>((mantissa << shift) - root * root);
  while (rest < 0) {
    root -= 1u;
    rest += i32(2u * root + 1u);
  }
  while (rest > i32(2u * root)) {
    rest -= i32(2u * root + 1u);
    root += 1u;
  }
  return float_rounded(root, (exponent >> 1u) + 127, rest != 0);
}`,

  /** What is left of x after whole multiples of y, with the sign of x: long division of the mantissas, eight bits at a time. */
  float_remainder: `fn float_remainder(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  let sign = bitcast<u32>(x) & 0x80000000u;
  if (a >= 0x7f800000u || b > 0x7f800000u || b < 0x00800000u) {
    return float_of(0x7fc00000u);
  }
  if (a < b) {
    return x;
  }
  let divisor = (b & 0x007fffffu) | 0x00800000u;
  var rest = ((a & 0x007fffffu) | 0x00800000u) % divisor;
  var places = (a >> 23u) - (b >> 23u);
  while (places > 0u && rest != 0u) {
    let step = min(places, 8u);
    rest = (rest << step) % divisor;
    places -= step;
  }
  if (rest == 0u) {
    return float_of(sign);
  }
  let shift = countLeadingZeros(rest) - 8u;
  let exponent = b >> 23u;
  if (exponent <= shift) {
    return float_of(sign | (rest << (exponent - 1u)));
  }
  return float_of(sign | (((exponent - shift - 1u) << 23u) + (rest << shift)));
}`,

  /** WGSL's own division of integers wraps where it overflows, but gives x where it divides by 0. */
  int_divide: `fn int_divide(x: i32, y: i32) -> i32 {
  return select(x / select(y, 1, y == 0), 0, y == 0);
}`,
  int_remainder: `fn int_remainder(x: i32, y: i32) -> i32 {
  return select(x % select(y, 1, y == 0), 0, y == 0);
}`,
  uint_divide: `fn uint_divide(x: u32, y: u32) -> u32 {
  return select(x / select(y, 1u, y == 0u), 0u, y == 0u);
}`,
  uint_remainder: `fn uint_remainder(x: u32, y: u32) -> u32 {
  return select(x % select(y, 1u, y == 0u), 0u, y == 0u);
}`,
  /** Shifting literals may not overflow; arguments may. */
  int_shift_left: `fn int_shift_left(x: i32, count: i32) -> i32 {
  return x << (bitcast<u32>(count) & 31u);
}`,
} as const satisfies Readonly<Record<string, string>>;
