/**
 * `argReduce` as WGSL: places of extremes. Every element becomes an integer **key** that is the larger the more it is wanted, NaN before all; what is
 * left is to find the first of the largest keys, whatever the dtype and the fold.
 */

import type { ArgReduceKernel, DType } from '@gradus/backend';
import type { Planner } from '../launch/launch.ts';
import type { Program } from '../program/program.ts';
import { typeOf } from '../wgsl/language.ts';
import { RowKernelText, planRows } from './team.ts';
import type { TeamSize } from './team.ts';

/** The key, an i32, of element `x`. For the smallest, all bits are turned over, which turns the order around: `~k` is `-k - 1`. */
function key(dtype: DType, fold: ArgReduceKernel['fold']): string {
  const turn = fold === 'max' ? '' : '~';
  const type = typeOf(dtype);
  switch (type) {
    case 'f32':
      // The rank of Infinity is 0x7f800000. Both zeros have one rank.
      return `select(${turn}float_rank(x), 0x7fffffff, float_is_nan(x))`;
    case 'i32':
      return `${turn}x`;
    case 'u32':
      return `${turn}bitcast<i32>(x ^ 0x80000000u)`;
    case 'bool':
      return `${turn}i32(x)`;
    default:
      return type satisfies never;
  }
}

/** A candidate is its key and its place; of equal keys, the one before wins. */
const BETTER = 'select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y))';

function argReduce(kernel: ArgReduceKernel, size: TeamSize): Program {
  const { fold, operands } = kernel;
  const text = new RowKernelText(kernel, size);
  const dtype = operands[0]?.dtype ?? 'float32';
  const search = text.each(`let x = load0(${text.element(0)});
let candidate = vec2i(${key(dtype, fold)}, i32(c));
if (candidate.x > best.x || best.y == 0x7fffffff) { best = candidate; }`);
  // The place of no candidate is behind all others.
  const body = `var best = vec2i(int_of(0x80000000u), 0x7fffffff);
${search}
let found = ${text.combine('first', 'vec2i', BETTER)}(lane, best);
${text.store(1, '', 'found.y')}`;
  return text.finish(`place of ${fold}`, body);
}

/** Plans searches of extremes. */
export function prepareArgReduce(kernel: ArgReduceKernel): Planner {
  return planRows((size) => argReduce(kernel, size));
}
