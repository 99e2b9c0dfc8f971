/**
 * Factors of a product: how four neighbouring values of a or of b get from memory into a vector.
 *
 * Words used here:
 * - **outer** index: the row of a, or the column of b; **inner** index: k. Both are u32.
 * - A factor is read **along** one of them: its vectors have four inner indices and one outer, or the other way round. Threads that lie side by side
 *   should read values that do; so it is the index in whose direction memory is dense.
 * - **slot**: one vector of a tile that an invocation fetches in every step. Its outer index stays the same for all of k, so what follows from
 *   that index is computed once, before the loop.
 */

import type { DType } from '@gradus/backend';
import type { Frame } from '../program/frame.ts';
import { typeOf } from '../wgsl/language.ts';

/** The index that a vector runs along. */
export type Along = 'inner' | 'outer';

/** A factor as text in a program. */
export interface Factor {
  readonly along: Along;
  /** Functions at module scope. */
  readonly declarations: string;
  /** Statements at the start; they see `batch`. */
  readonly begin: string;
  /** Statements that prepare slot `slot`, whose first outer index is the name `outer`. */
  prepare(slot: string, outer: string): string;
  /** The vector of slot `slot` that begins at `inner`; zeros where an index is not below its bound (`end`, for the inner one). */
  fetch(slot: string, outer: string, inner: string, end: string): string;
}

/** What makes a factor for the sizes of a run. Factors with equal keys have equal text. */
export interface FactorPlan {
  readonly key: string;
  readonly operand: number;
  /** Is the operand read as vectors of four? */
  readonly vector: boolean;
  /** @param sizes texts of the bounds, by index */
  make(frame: Frame, sizes: { readonly outer: string; readonly inner: string }): Factor;
}

/** Where the elements of a matrix are; all but `base` are calculated from `dims`. */
export interface MatrixLayout {
  /** Statements that declare `${name}`, the i32 element of outer and inner index 0 for `batch`. */
  readonly base: (frame: Frame, name: string) => string;
  readonly outerStride: (dims: Int32Array) => number;
  readonly innerStride: (dims: Int32Array) => number;
  /** Where the inner axis is two in memory: values of the later one, and the stride of the other. `innerStride` is that of the later one. */
  readonly split?: { readonly length: (dims: Int32Array) => number; readonly stride: (dims: Int32Array) => number };
}

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
const VECTOR = 4;

/** Whether vectors of a matrix can be read in one go. */
export interface Alignment {
  readonly along: Along;
  readonly vector: boolean;
}

/**
 * How to read a matrix with these strides.
 * @param bases the offset and the strides of batches
 */
export function alignmentOf(layout: MatrixLayout, dims: Int32Array, bases: readonly number[], outer: number, inner: number): Alignment {
  const outerStride = layout.outerStride(dims);
  const innerStride = layout.innerStride(dims);
  const along: Along = outerStride === 1 && innerStride !== 1 ? 'outer' : 'inner';
  const [dense, other, size] = along === 'outer' ? [outerStride, innerStride, outer] : [innerStride, outerStride, inner];
  const parts = layout.split === undefined ? [] : [layout.split.length(dims), layout.split.stride(dims)];
  const wholes = [other, size, ...bases, ...(along === 'inner' ? parts : [])];
  return { along, vector: dense === 1 && wholes.every((whole) => whole % VECTOR === 0) };
}

/** A matrix in memory, as operand `operand` of the program, read as `type`. */
export function matrixPlan(operand: number, dtype: DType, as: DType, layout: MatrixLayout, { along, vector }: Alignment): FactorPlan {
  const type = typeOf(as);
  const convert = (value: string): string => (typeOf(dtype) === type ? value : `${type}(${value})`);
  return {
    key: `${along}${vector ? ' vector' : ''}`,
    operand,
    vector,
    make(frame, sizes) {
      const outerStride = frame.word(layout.outerStride);
      const innerStride = frame.word(layout.innerStride);
      const name = `base${operand}`;
      const { split } = layout;
      const length = split === undefined ? '' : frame.word(split.length);
      const stride = split === undefined ? '' : frame.word(split.stride);
      const step = split === undefined ? `i32(k) * ${innerStride}` : `i32(k / u32(${length})) * ${stride} + i32(k % u32(${length})) * ${innerStride}`;
      const whole = `loadVector${operand}((at + distance${operand}(inner)) / ${VECTOR})`;
      const one = (c: number): string => {
        const index = along === 'inner' ? `distance${operand}(inner + ${c}u)` : `distance${operand}(inner) + ${c} * ${outerStride}`;
        const inside = along === 'inner' ? `inner + ${c}u < end` : `outer + ${c}u < ${sizes.outer}`;
        const assign = `values.${COMPONENTS[c]} = ${convert(`load${operand}(at + ${index})`)};`;
        return c === 0 ? assign : `if (${inside}) { ${assign} }`;
      };
      const declarations = `fn distance${operand}(k: u32) -> i32 { return ${step}; }
fn fetch${operand}(at: i32, outer: u32, inner: u32, end: u32) -> vec4<${type}> {
var values = vec4<${type}>();
if (outer >= ${sizes.outer} || inner >= end) { return values; }
${vector ? `values = vec4<${type}>(${whole});` : COMPONENTS.map((_, c) => one(c)).join('\n')}
return values;
}`;
      return {
        along,
        declarations,
        begin: layout.base(frame, name),
        prepare: (slot, outer) => `let ${slot} = ${name} + i32(${outer}) * ${outerStride};`,
        fetch: (slot, outer, inner, end) => `fetch${operand}(${slot}, ${outer}, ${inner}, ${end})`,
      };
    },
  };
}
