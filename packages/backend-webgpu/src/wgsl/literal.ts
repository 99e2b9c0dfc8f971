/** Numbers as WGSL writes them. */

/** A finite float32 that is not denormal, exactly: JavaScript's shortest form of the double it is, which no reader rounds to another float32. */
export function floatLiteral(value: number): string {
  const text = `${Math.fround(value)}f`;
  // Two minus signs next to each other would be WGSL's decrement.
  return value < 0 ? `(${text})` : text;
}

/** A word as hexadecimal digits. */
export function wordLiteral(bits: number): string {
  return `0x${(bits >>> 0).toString(16).padStart(8, '0')}u`;
}

/** A polynomial in `x` (a name) by Horner's rule, highest coefficient first. Compilers may fuse its steps: that only makes it more accurate. */
export function polynomial(x: string, coefficients: readonly number[]): string {
  const [first = 0, ...rest] = coefficients;
  return rest.reduce((sum, coefficient) => `(${sum} * ${x} + ${floatLiteral(coefficient)})`, floatLiteral(first));
}
