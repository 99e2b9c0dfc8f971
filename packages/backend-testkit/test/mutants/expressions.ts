/** Mutants of expressions: each pair of dtypes cast in a wrong way, and leaves that come from the wrong place. */

import { ALL_DTYPES, DTYPES, apply, axisIndex, cast, constant, isFloat, load, where } from '@gradus/backend';
import type { DType, Expression, Output } from '@gradus/backend';
import { reexpressing, rewriting } from './mutant.ts';
import type { Mutant } from './mutant.ts';

/** A conversion that goes wrong for some values of `from`, made of right ones. */
function wrongCast(value: Expression, from: DType, to: DType): Expression {
  const via = (...dtypes: readonly DType[]): Expression => cast(dtypes.reduce(cast, value), to);
  if (from === 'bool') return cast(apply('not', value), to);
  if (isFloat(from) && isFloat(to)) return via(from === 'bfloat16' || from === 'float16' || to === 'float16' ? 'int32' : 'float16');
  if (to === 'bool')
    return isFloat(from) ? via('int32') : cast(apply('and', value, constant(from, from === 'uint8' || from === 'int8' ? 0x7e : 0xff)), to);
  // Rounds where it should truncate; 16-bit floats are rounded in float32.
  if (isFloat(from)) return cast(apply('round', from === 'float64' ? value : cast(value, 'float32')), to);
  // Saturates where it should wrap.
  if (from === 'int8' && to === 'uint8') return cast(apply('max', value, constant('int8', 0)), to);
  if (from === 'uint8' && to === 'int8') return cast(apply('min', value, constant('uint8', 127)), to);
  if (to === 'int8' || to === 'uint8') return via('float32');
  // Loses the sign, or the upper bits.
  return via(from === 'int8' ? 'uint8' : 'int8');
}

function castMutants(): Mutant[] {
  return ALL_DTYPES.flatMap((from) =>
    ALL_DTYPES.filter((to) => to !== from).map((to) =>
      reexpressing(`cast from ${from} to ${to} is another`, [`map / cast / ${from} to ${to}`], (e) =>
        e.op === 'cast' && e.dtype === to && e.value.dtype === from ? wrongCast(e.value, from, to) : e,
      ),
    ),
  );
}

const words: readonly DType[] = ['float32', 'int32', 'uint32'];

function bitcastMutants(): Mutant[] {
  return words.flatMap((from) =>
    words
      .filter((to) => to !== from && (from === 'float32' || to === 'float32'))
      .map((to) =>
        reexpressing(`bitcast from ${from} to ${to} converts`, [`map / bitcast / ${from} to ${to}`], (e) =>
          e.op === 'bitcast' && e.dtype === to && e.value.dtype === from ? cast(e.value, to) : e,
        ),
      ),
  );
}

function leafMutants(): Mutant[] {
  const axes = ['map / axis', 'map / many axes'];
  const gathers = ['map / gather / '];
  return [
    reexpressing('axis counts from 1', axes, (e) => (e.op === 'axis' ? apply('add', e, constant('int32', 1)) : e)),
    reexpressing('axis counts from the last', axes, (e, kernel) =>
      e.op === 'axis' && kernel.kind === 'map' && kernel.rank > 1 ? axisIndex(kernel.rank - 1 - e.axis) : e,
    ),
    reexpressing('axis is always the last', axes, (e, kernel) =>
      e.op === 'axis' && kernel.kind === 'map' && e.axis !== kernel.rank - 1 ? axisIndex(kernel.rank - 1) : e,
    ),
    reexpressing('gather takes the next element', gathers, (e) =>
      e.op === 'gather' ? { ...e, position: apply('add', e.position, constant('int32', 1)) } : e,
    ),
    reexpressing('gather fills with 0', gathers, (e) => (e.op === 'gather' && e.fill !== 0 ? { ...e, fill: 0 } : e)),
    reexpressing('gather clamps below', gathers, (e) => (e.op === 'gather' ? { ...e, position: apply('max', e.position, constant('int32', 0)) } : e)),
    reexpressing('gather counts from the end below 0', gathers, (e) =>
      e.op === 'gather'
        ? { ...e, position: where(apply('less', e.position, constant('int32', 0)), apply('add', e.position, constant('int32', 7)), e.position) }
        : e,
    ),
    reexpressing('every scalar is the first', ['map / scalar / '], (e, kernel) =>
      e.op === 'scalar' && e.index > 0 && kernel.scalars[0] === e.dtype ? { ...e, index: 0 } : e,
    ),
    reexpressing('where exchanges its values', ['map / where / '], (e) => (e.op === 'where' ? { ...e, then: e.otherwise, otherwise: e.then } : e)),
    reexpressing('where gives then', ['map / where / '], (e) => (e.op === 'where' ? e.then : e)),
    reexpressing('a constant -0 is 0', ['map / constant / '], (e) => (e.op === 'constant' && Object.is(e.value, -0) ? { ...e, value: 0 } : e)),
    reexpressing('a constant NaN is 0', ['map / constant / '], (e) => (e.op === 'constant' && Number.isNaN(e.value) ? { ...e, value: 0 } : e)),
    reexpressing('a constant Inf is the largest number', ['map / constant / '], (e) =>
      e.op === 'constant' && e.value === Infinity ? { ...e, value: DTYPES[e.dtype].max } : e,
    ),
    reexpressing('a constant is written with six digits', ['map / constant / '], (e) =>
      e.op === 'constant' && isFloat(e.dtype) ? { ...e, value: Number(e.value.toPrecision(6)) } : e,
    ),
    reexpressing('a constant of 32 bits is an int32', ['map / constant / uint32'], (e) =>
      e.op === 'constant' && e.value > 2 ** 31 ? { ...e, value: e.value - 2 ** 31 } : e,
    ),
    reexpressing('bool to int is -1', ['map / cast / bool to int32'], (e) =>
      e.op === 'cast' && e.value.dtype === 'bool' && e.dtype === 'int32' ? apply('negate', e) : e,
    ),
    reexpressing('integers multiply in float32', ['map / multiply / int32'], (e) =>
      e.op === 'multiply' && e.dtype === 'int32'
        ? cast(apply('multiply', cast(e.args[0], 'float32'), cast(e.args[1] ?? e.args[0], 'float32')), 'int32')
        : e,
    ),
    reexpressing('a product and a sum are fused', ['map / rounding / float32'], fused),
    reexpressing('float32 computes in float64', ['map / rounding / float32'], (e) => (e.dtype === 'float32' && 'args' in e ? wide(e) : e)),
    reexpressing('the second load is the first', ['map / add / int32', 'map / several outputs'], (e, kernel) =>
      e.op === 'load' && e.operand === 1 && kernel.operands[0]?.dtype === e.dtype && kernel.operands[0].access !== 'write' ? load(e.dtype, 0) : e,
    ),
  ];
}

/** a · b + c with one rounding. */
function fused(e: Expression): Expression {
  if (e.op !== 'add' || e.dtype !== 'float32') return e;
  const [product, c] = e.args;
  if (product.op !== 'multiply' || c === undefined) return e;
  const [a, b = a] = product.args;
  const double = (x: Expression): Expression => cast(x, 'float64');
  return cast(apply('add', apply('multiply', double(a), double(b)), double(c)), 'float32');
}

/** The operation in float64, over arguments that were too: only stores and casts round. */
function wide(e: Expression): Expression {
  if (!('args' in e)) return e;
  const unrounded = (x: Expression): Expression => (x.op === 'cast' && x.value.dtype === 'float64' ? x.value : cast(x, 'float64'));
  const [a, b] = e.args;
  return cast(b === undefined ? apply(e.op, unrounded(a)) : apply(e.op, unrounded(a), unrounded(b)), 'float32');
}

function outputMutants(): Mutant[] {
  const checks = ['map / several outputs', 'reduce / several folds'];
  const swapped = (outputs: readonly Output[]): readonly Output[] => {
    const [first, second, ...rest] = outputs;
    if (first === undefined || second?.value.dtype !== first.value.dtype) return outputs;
    return [{ ...first, value: second.value }, { ...second, value: first.value }, ...rest];
  };
  return [
    rewriting('two outputs change places', checks, (kernel) =>
      'outputs' in kernel && swapped(kernel.outputs) !== kernel.outputs ? { ...kernel, outputs: swapped(kernel.outputs) } : kernel,
    ),
    reexpressing('what is read in place is 0', ['map / in place / '], (e, kernel) =>
      e.op === 'load' && kernel.operands[e.operand]?.access === 'readWrite' ? constant(e.dtype, 0) : e,
    ),
  ];
}

export function expressionMutants(): Mutant[] {
  return [...castMutants(), ...bitcastMutants(), ...leafMutants(), ...outputMutants()];
}
