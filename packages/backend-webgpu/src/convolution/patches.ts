/**
 * Patches: one factor of a convolution as a matrix that is never made. Its elements are found in a picture from two numbers, and vectors run along
 * the columns.
 *
 * Words used here:
 * - **cell**: a `vec4<i32>` of an element offset and up to three positions in the picture. A column has one, a value of k has one, and the element
 *   that belongs to both is at their sum: so of all the divisions, those of a column are made once, and those of k once for four elements.
 * - **grid**: what a number is divided by to get a cell: the axes it runs over, last axis fastest, and the rest, which counts planes.
 *
 * The idea is that of implicit GEMM in cuDNN (S. Chetlur et al., cuDNN: Efficient primitives for deep learning, https://arxiv.org/abs/1410.0759).
 */

import type { DType } from '@gradus/backend';
import type { FactorPlan } from '../product/factor.ts';
import type { Frame } from '../program/frame.ts';
import { typeOf } from '../wgsl/language.ts';

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
const POSITIONS = ['y', 'z', 'w'] as const;

/** From a number to a cell: position `index · scale + shift` on each axis, and `rest · planeStride`. */
export interface Grid {
  /** Sizes of the axes: of the kernel's structure, or of a run. */
  readonly sizes: readonly (number | ((dims: Int32Array) => number))[];
  readonly planeStride: (dims: Int32Array) => number;
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** What patches are taken from, and how. */
export interface Patches {
  readonly operand: number;
  readonly dtype: DType;
  readonly accumulate: DType;
  /** The element that `batch` begins with. */
  readonly offset: (dims: Int32Array) => number;
  readonly batchStride: (dims: Int32Array) => number;
  readonly column: Grid;
  readonly inner: Grid;
  /** The picture's spatial sizes. */
  readonly extent: readonly ((dims: Int32Array) => number)[];
  /** Positions count only where they are multiples of these, and are divided by them. */
  readonly divisor: readonly number[];
}

/** The function `name(index)` that gives a cell. */
function gridFunction(name: string, grid: Grid, frame: Frame): string {
  const sizes = grid.sizes.map((size) => (typeof size === 'number' ? `${size}u` : `u32(${frame.word(size)})`));
  const lines: string[] = ['var rest = index;', 'var cell = vec4<i32>();'];
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    const component = POSITIONS[axis] ?? 'y';
    const size = sizes[axis] ?? '1u';
    lines.push(`cell.${component} = i32(rest % ${size}) * ${grid.scale[axis] ?? 1} + ${grid.shift[axis] ?? 0};`, `rest /= ${size};`);
  }
  lines.push(`cell.x = i32(rest) * ${frame.word(grid.planeStride)};`);
  return `fn ${name}(index: u32) -> vec4<i32> {
${lines.join('\n')}
return cell;
}`;
}

/** The function `name(cell)` that reads an element, 0 outside the picture. */
function elementFunction(name: string, patches: Patches, frame: Frame): string {
  const { operand, extent, divisor, dtype, accumulate } = patches;
  const [own, type] = [typeOf(dtype), typeOf(accumulate)];
  const lines: string[] = [];
  let element = 'cell.x';
  let inPlane = '';
  for (const [axis, size] of extent.entries()) {
    const by = divisor[axis] ?? 1;
    const position = `u32(cell.${POSITIONS[axis] ?? 'y'})`;
    const bound = frame.word(size);
    lines.push(`let p${axis} = ${by === 1 ? position : `${position} / ${by}u`};`);
    const whole = by === 1 ? '' : `p${axis} * ${by}u != ${position} || `;
    // As unsigned numbers, negative positions lie beyond every size.
    lines.push(`if (${whole}p${axis} >= u32(${bound})) { return ${type}(); }`);
    inPlane = inPlane === '' ? `i32(p${axis})` : `(${inPlane}) * ${bound} + i32(p${axis})`;
  }
  if (inPlane !== '') element += ` + ${inPlane}`;
  const loaded = `load${operand}(${element})`;
  return `fn ${name}(cell: vec4<i32>) -> ${type} {
${lines.join('\n')}
return ${own === type ? loaded : `${type}(${loaded})`};
}`;
}

/** A factor made of patches. */
export function patchesPlan(patches: Patches): FactorPlan {
  const { operand, accumulate } = patches;
  const type = typeOf(accumulate);
  return {
    key: 'patches',
    operand,
    vector: false,
    make(frame, sizes) {
      const parts = COMPONENTS.map((component, c) => {
        const assign = `values.${component} = element${operand}(cell${c} + step);`;
        return c === 0 ? assign : `if (outer + ${c}u < ${sizes.outer}) { ${assign} }`;
      });
      const cells = COMPONENTS.map((_, c) => `cell${c}: vec4<i32>`).join(', ');
      const declarations = `${gridFunction(`columnCell${operand}`, patches.column, frame)}
${gridFunction(`innerCell${operand}`, patches.inner, frame)}
${elementFunction(`element${operand}`, patches, frame)}
fn fetch${operand}(${cells}, outer: u32, inner: u32, end: u32) -> vec4<${type}> {
var values = vec4<${type}>();
if (outer >= ${sizes.outer} || inner >= end) { return values; }
let step = innerCell${operand}(inner);
${parts.join('\n')}
return values;
}`;
      const base = `vec4<i32>(base${operand}, 0, 0, 0)`;
      return {
        along: 'outer',
        declarations,
        begin: `let base${operand} = ${frame.word(patches.offset)} + i32(batch) * ${frame.word(patches.batchStride)};`,
        prepare: (slot, outer) => COMPONENTS.map((_, c) => `let ${slot}Cell${c} = columnCell${operand}(${outer} + ${c}u) + ${base};`).join('\n'),
        fetch: (slot, outer, inner, end) => `fetch${operand}(${COMPONENTS.map((_, c) => `${slot}Cell${c}`).join(', ')}, ${outer}, ${inner}, ${end})`,
      };
    },
  };
}
