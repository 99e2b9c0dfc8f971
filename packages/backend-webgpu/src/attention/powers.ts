/**
 * Powers of e for the softmax of attention, four at a time and without a branch, since they are taken in the innermost loops: `powers(scores, shifts)`
 * is exp(score - shift), where no score is more than a rounding error greater than its shift.
 *
 * The argument is reduced by multiples of ln 2, in two parts as Cody and Waite do ("Software Manual for the Elementary Functions", 1980), and the
 * rest put into the Taylor series, whose first term left out is r⁸/8!, below 6e-9. Results below the normal numbers are 0: a sum that has a 1 in it
 * does not see them. A score of -Infinity gives 0 whatever the shift, since a row with nothing allowed has a shift of -Infinity too; NaN gives NaN.
 */

import { floatLiteral, polynomial } from '../wgsl/literal.ts';

/** Of eʳ, highest first. */
const TAYLOR = [5040, 720, 120, 24, 6, 2, 1, 1].map((factorial) => 1 / factorial);
/** ln 2 in 9 bits, products of which with small integers are exact, and the rest. */
const LN2_HIGH = Math.round(Math.LN2 * 2 ** 9) / 2 ** 9;
const LN2_LOW = Math.LN2 - LN2_HIGH;
/** The power of this is the least that is normal, all but a factor of 2. */
const LEAST = -87;

/** The function `powers`. Masking bits that are 0 keeps compilers from taking the two parts of ln 2 together. */
export const POWERS = `fn powers(scores: vec4f, shifts: vec4f) -> vec4f {
let difference = scores - shifts;
let x = clamp(difference, vec4f(${floatLiteral(LEAST)}), vec4f(1f));
let n = round(x * ${floatLiteral(Math.LOG2E)});
let high = bitcast<vec4f>(bitcast<vec4u>(n * ${floatLiteral(LN2_HIGH)}) & vec4u(0xfffffff0u));
let r = (x - high) - n * ${floatLiteral(LN2_LOW)};
let power = bitcast<vec4f>(bitcast<vec4i>(${polynomial('r', TAYLOR)}) + (vec4i(n) << vec4u(23u)));
let none = (bitcast<vec4u>(scores) == vec4u(0xff800000u)) | (difference < vec4f(${floatLiteral(LEAST)}));
let isNaN = (bitcast<vec4u>(difference) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
return select(select(power, difference, isNaN), vec4f(), none);
}`;
