/** Random kernels and numbers for property-based tests. */

import { ALL_OPCODES, DTYPES, OPCODES, apply, axisIndex, bitcast, cast, constant, opcodeAccepts, scalar, where } from '@gradus/backend';
import type { DType, Expression, Layout } from '@gradus/backend';
import * as fc from 'fast-check';

/** The dtypes that expressions calculate in. */
export const COMPUTED: readonly DType[] = ['float64', 'float32', 'int32', 'uint32', 'int8', 'uint8', 'bool'];

/** Numbers that tell implementations apart: limits, zeros, NaN, ties, and ordinary ones. */
export function numbers(dtype: DType): fc.Arbitrary<number> {
  const { kind, min, max } = DTYPES[dtype];
  if (kind === 'bool') return fc.constantFrom(0, 1);
  if (kind !== 'float')
    return fc.oneof(fc.constantFrom(min, max, 0, 1, min + 1, max - 1), fc.integer({ min, max }), fc.integer({ min: Math.max(min, -9), max: 9 }));
  const special = fc.constantFrom(0, -0, 1, -1, 0.5, -0.5, 2.5, NaN, Infinity, -Infinity, 1e30, 3e9);
  const ordinary = dtype === 'float64' ? fc.double({ min: -10, max: 10, noNaN: true }) : fc.float({ min: -10, max: 10, noNaN: true });
  return fc.oneof({ weight: 1, arbitrary: special }, { weight: 4, arbitrary: ordinary });
}

/** A layout over axes of the given sizes: what the kernel says, and the strides and element count that go with it. */
export interface Laid {
  readonly layout: Layout;
  readonly offset: number;
  readonly strides: readonly number[];
  /** Elements the block needs. */
  readonly length: number;
}

function dense(sizes: readonly number[], flags: readonly boolean[]): { strides: number[]; length: number } {
  const strides = sizes.map(() => 0);
  let length = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    if (flags[axis] === true) continue;
    strides[axis] = length;
    length *= sizes[axis] ?? 1;
  }
  return { strides, length };
}

/** A random layout; one that is written gives every point an element of its own. */
export function laid(sizes: readonly number[], written: boolean): fc.Arbitrary<Laid> {
  const offset = fc.integer({ min: 0, max: 3 });
  const contiguous = offset.map((o): Laid => {
    const { strides, length } = dense(sizes, []);
    return { layout: 'contiguous', offset: o, strides, length: o + length };
  });
  // Any order of the axes in memory, any of them backwards, with gaps; read operands may stand still along some.
  const strided = fc
    .tuple(
      offset,
      fc.shuffledSubarray([...sizes.keys()], { minLength: sizes.length }),
      fc.array(fc.boolean(), { minLength: sizes.length, maxLength: sizes.length }),
      fc.array(written ? fc.constant(false) : fc.boolean(), { minLength: sizes.length, maxLength: sizes.length }),
      fc.integer({ min: 1, max: 2 }),
    )
    .map(([o, order, backwards, still, gap]): Laid => {
      const strides = sizes.map(() => 0);
      let length = gap;
      let start = o;
      for (const axis of order) {
        if (still[axis] === true) continue;
        const size = Math.max(1, sizes[axis] ?? 1);
        strides[axis] = backwards[axis] === true ? -length : length;
        if (backwards[axis] === true) start += (size - 1) * length;
        length *= size;
      }
      return { layout: 'strided', offset: start, strides, length: o + length };
    });
  if (written) return fc.oneof(contiguous, strided);
  const broadcast = fc.tuple(offset, fc.array(fc.boolean(), { minLength: sizes.length, maxLength: sizes.length })).map(([o, flags]): Laid => {
    const { strides, length } = dense(sizes, flags);
    return { layout: { broadcast: flags }, offset: o, strides, length: o + length };
  });
  return fc.oneof(contiguous, strided, broadcast);
}

/** What a random expression may be made of. */
export interface Leaves {
  readonly loads: readonly Expression[];
  readonly axes: number;
  readonly scalars: readonly DType[];
}

/** A random expression of any dtype, about `size` operations large, with shared parts. */
export function expression({ loads, axes, scalars }: Leaves, size: number): fc.Arbitrary<Expression> {
  const choice = fc.nat({ max: 1_000_000 });
  return fc
    .tuple(
      fc.array(fc.tuple(choice, choice, choice, choice), { maxLength: size }),
      fc.array(
        fc.constantFrom(...COMPUTED).chain((d) => numbers(d).map((n) => constant(d, n))),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([steps, constants]) => {
      const pool: Expression[] = [
        ...loads,
        ...constants,
        ...scalars.map((dtype, i) => scalar(dtype, i)),
        ...Array.from({ length: axes }, (_, axis) => axisIndex(axis)),
      ];
      for (const [what, first, second, third] of steps) pool.push(grow(pool, what, first, second, third));
      return pool.at(-1) ?? constant('float32', 0);
    });
}

function computed(e: Expression): Expression {
  return COMPUTED.includes(e.dtype) ? e : cast(e, 'float32');
}

/** One more expression over those in the pool; the later ones are likelier. */
function grow(pool: readonly Expression[], what: number, first: number, second: number, third: number): Expression {
  const recent = (n: number): Expression => computed(pool[pool.length - 1 - (n % Math.min(pool.length, 8))] ?? constant('float32', 0));
  const a = recent(first);
  switch (what % 8) {
    case 0:
      return cast(a, COMPUTED[second % COMPUTED.length] ?? 'float32');
    case 1:
      return cast(cast(a, second % 2 === 0 ? 'float16' : 'bfloat16'), 'float32');
    case 2: {
      const words: readonly DType[] = ['float32', 'int32', 'uint32'];
      // NaN payloads are JavaScript's own business: only integers are read as other bits.
      return bitcast(cast(a, 'int32'), words[second % 3] ?? 'int32');
    }
    case 3:
      return where(cast(a, 'bool'), recent(second), cast(recent(third), recent(second).dtype));
    default: {
      const usable = ALL_OPCODES.filter((op) => opcodeAccepts(op, a.dtype, DTYPES[a.dtype].kind));
      const op = usable[second % usable.length] ?? 'add';
      return OPCODES[op].arity === 1 ? apply(op, a) : apply(op, a, cast(recent(third), a.dtype));
    }
  }
}
