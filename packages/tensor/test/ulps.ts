/** Errors in units of the last place. */

/** The distance from `wanted` to the next number of the dtype beyond it; below the normal numbers, that of the smallest of them. */
function ulpOf(wanted: number, dtype: 'float32' | 'float64'): number {
  const [bits, least] = dtype === 'float32' ? [23, -126] : [52, -1022];
  const exponent = Math.max(least, Math.floor(Math.log2(Math.abs(wanted))));
  // log2 may round up to the next whole number.
  const fits = 2 ** exponent > Math.abs(wanted) && exponent > least ? exponent - 1 : exponent;
  return 2 ** (fits - bits);
}

/** |got - wanted| in ulps of `wanted`; 0 for equal infinities and two NaN, Infinity where only one of them is not finite. */
export function ulpsBetween(got: number, wanted: number, dtype: 'float32' | 'float64'): number {
  if (Object.is(got, wanted) || got === wanted) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(wanted)) return Infinity;
  return Math.abs(got - wanted) / ulpOf(wanted, dtype);
}
