/** Values of 4 bits as a factor: `[N, ceil(K / 2)]` bytes with two values each, the low half first, every row beginning with a byte. */

import type { FactorPlan } from '../product/factor.ts';

/** Operand `operand`, whose offset is `dims[at]`; `k` gives K. */
export function nibblesPlan(operand: number, at: number, k: (dims: Int32Array) => number): FactorPlan {
  return {
    key: 'nibbles',
    operand,
    vector: false,
    make(frame, sizes) {
      const pitch = frame.word((dims) => Math.ceil(k(dims) / 2));
      // Steps begin at even k: tiles take multiples of four values, groups are even.
      const declarations = `fn half${operand}(byte: u32, shift: u32) -> i32 { return extractBits(i32(byte), shift, 4u); }
fn fetch${operand}(row: i32, outer: u32, inner: u32, end: u32) -> vec4<i32> {
var values = vec4<i32>();
if (outer >= ${sizes.outer} || inner >= end) { return values; }
let at = row + i32(inner / 2u);
let first = load${operand}(at);
values.x = half${operand}(first, 0u);
if (inner + 1u < end) { values.y = half${operand}(first, 4u); }
if (inner + 2u < end) {
let second = load${operand}(at + 1);
values.z = half${operand}(second, 0u);
if (inner + 3u < end) { values.w = half${operand}(second, 4u); }
}
return values;
}`;
      return {
        along: 'inner',
        declarations,
        begin: '',
        prepare: (slot, outer) => `let ${slot} = ${frame.dim(at)} + i32(${outer}) * ${pitch};`,
        fetch: (slot, outer, inner, end) => `fetch${operand}(${slot}, ${outer}, ${inner}, ${end})`,
      };
    },
  };
}
