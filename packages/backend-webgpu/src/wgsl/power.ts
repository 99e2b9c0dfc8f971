/**
 * pow of float32 in WGSL: exp2(y · log2 |x|), with the logarithm in two floats.
 *
 * A result near the ends of the range has y · log2 |x| near 128, so an error in the last place of a single float would be one of 60 in the
 * result's. WGSL has no float64; the logarithm is held as a float of 12 significant bits and the rest, and so are the numbers it is made of: products
 * of two such floats are exact, whether a compiler fuses them with a sum or not (T. J. Dekker, "A floating-point technique for extending
 * the available precision", 1971). Masks cut the bits off, and `float_kept` (exponential.ts) keeps the order of sums, so that compilers cannot undo it.
 */

import { floatLiteral, polynomial } from './literal.ts';

/** Of 2ᶠ for |f| ≤ ½, highest first: (f ln 2)ᵏ / k! up to k = 7 leaves 5e-9. */
const EXP2_DEGREE = 7;
/** log2(m) = 2 log2(e) · (s + s³/3 + s⁵/5 + …) with s = (m - 1) / (m + 1): |s| is at most 0.172, so that up to s¹¹ the error is below 1e-10. */
const LOG_TERMS = 5;

function exp2Polynomial(): number[] {
  const terms = [1];
  for (let k = 1; k <= EXP2_DEGREE; k++) terms.push(((terms[k - 1] ?? 0) * Math.LN2) / k);
  return terms.toReversed();
}

const LOG_POLYNOMIAL = Array.from({ length: LOG_TERMS }, (_, k) => 1 / (2 * (LOG_TERMS - k) + 1));

/** 2 log2(e), in 12 bits and the rest. */
const SCALE = 2 * Math.LOG2E;
const SCALE_HIGH = Math.round(SCALE * 2 ** 10) / 2 ** 10;

/** pow and its parts by name. */
export const POWER = {
  /** The leading 12 significant bits. */
  float_leading: `fn float_leading(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}`,

  /** log2 of a positive, normal float by its bits: the sum of both parts, the first of 12 bits. */
  float_log2_parts: `fn float_log2_parts(bits: u32) -> vec2<f32> {
  let shifted = bits - 0x3f3504f3u;
  let e = f32(bitcast<i32>(shifted) >> 23u);
  let m = bitcast<f32>((shifted & 0x007fffffu) + 0x3f3504f3u);
  // s = (m - 1) / (m + 1) in two parts, where m + 1 is too.
  let divisor_high = float_leading(m + 1f);
  let divisor_low = m - float_kept(divisor_high - 1f, e);
  let s_high = float_leading((m - 1f) / (m + 1f));
  let s_low = (float_kept((m - 1f) - s_high * divisor_high, e) - s_high * divisor_low) / (m + 1f);
  let s = s_high + s_low;
  let z = s * s;
  let tail = s_low + (s * z) * ${polynomial('z', LOG_POLYNOMIAL)};
  let large = s_high * ${floatLiteral(SCALE_HIGH)};
  let small = s_high * ${floatLiteral(SCALE - SCALE_HIGH)} + tail * ${floatLiteral(SCALE)};
  let high = float_leading(e + (large + small));
  return vec2<f32>(high, float_kept(float_kept(e - high, e) + large, e) + small);
}`,

  /** 0: not a whole number, 1: odd, 2: even; of a finite float's magnitude by its bits. */
  float_parity: `fn float_parity(size: u32) -> u32 {
  let exponent = size >> 23u;
  if (exponent < 127u) {
    return select(0u, 2u, size == 0u);
  }
  if (exponent > 150u) {
    return 2u;
  }
  let shift = 150u - exponent;
  let mantissa = (size & 0x007fffffu) | 0x00800000u;
  if ((mantissa & ((1u << shift) - 1u)) != 0u) {
    return 0u;
  }
  return 2u - ((mantissa >> shift) & 1u);
}`,

  /** C's pow. Error 3.4 units in the last place. */
  float_pow: `fn float_pow(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  if (b < 0x00800000u || bitcast<u32>(x) == 0x3f800000u) {
    return 1f;
  }
  if (max(a, b) > 0x7f800000u) {
    return float_of(0x7fc00000u);
  }
  let falling = bitcast<i32>(y) < 0;
  if (b == 0x7f800000u) {
    if (a == 0x3f800000u) {
      return 1f;
    }
    return float_of(select(0u, 0x7f800000u, (a > 0x3f800000u) != falling));
  }
  let parity = float_parity(b);
  let negative = bitcast<i32>(x) < 0;
  let sign = select(0u, 0x80000000u, negative && parity == 1u);
  if (a < 0x00800000u || a == 0x7f800000u) {
    return float_of(sign | select(0u, 0x7f800000u, (a == 0x7f800000u) != falling));
  }
  if (negative && parity == 0u) {
    return float_of(0x7fc00000u);
  }
  let log = float_log2_parts(a);
  // Beyond 2^40 results are 1, 0 or Infinity whatever y is: logarithms that are not 0 are at least 2^-25.
  let exponent = clamp(y, ${floatLiteral(-(2 ** 40))}, ${floatLiteral(2 ** 40)});
  let product = exponent * (log.x + log.y);
  if (product >= 130f) {
    return float_of(sign | 0x7f800000u);
  }
  if (product <= -152f) {
    return float_of(sign);
  }
  let n = round(product);
  let high = float_leading(exponent);
  let f = float_kept(high * log.x - n, n) + (high * log.y + (exponent - high) * (log.x + log.y));
  return float_of(sign | bitcast<u32>(float_scale(${polynomial('f', exp2Polynomial())}, i32(n))));
}`,
} as const satisfies Readonly<Record<string, string>>;
