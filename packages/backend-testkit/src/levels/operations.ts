/**
 * Checks of level `map`, part 1: every opcode on every dtype it accepts, every cast, the bitcasts.
 *
 * Two cases each: all edge values (all pairs of them, for two arguments) in contiguous blocks, and random values through strides, because
 * backends tend to have one way for each.
 */

import { ALL_DTYPES, ALL_OPCODES, DTYPES, apply, bitcast, cast, isFloat, load, opcodeAccepts, opcodeRule } from '@gradus/backend';
import type { DType, Expression, Opcode } from '@gradus/backend';
import { mapCase } from '../cases/build.ts';
import type { OperandSpec } from '../cases/build.ts';
import type { Case } from '../cases/case.ts';
import type { LayoutName } from '../cases/layouts.ts';
import { seedOf } from '../cases/random.ts';
import { edgeValues, randomValues } from '../cases/values.ts';
import { isDenormal } from '../oracle/number.ts';
import { reinterpret } from '../oracle/operations.ts';
import { casesPlan, computes, stores } from '../plan.ts';
import type { Plan, Terms } from '../plan.ts';
import { EXACT, neighbourBound, toleranceOf } from '../tolerances.ts';
import type { Tolerance } from '../tolerances.ts';

/** Sizes of the case with random values: no multiple of any vector width. */
const RANDOM_SIZES = [31, 21] as const;
const RANDOM_COUNT = RANDOM_SIZES[0] * RANDOM_SIZES[1];

const ARITHMETIC = 'an operation rounds its result to its dtype; float arithmetic is IEEE 754, integers wrap to their width';

/** Sentences of `opcodes.ts`, by opcode. */
const RULES: { readonly [O in Opcode]?: string } = {
  min: 'min gives NaN when either argument is NaN; min(-0, 0) is -0',
  max: 'max gives NaN when either argument is NaN; max(-0, 0) is 0',
  divide: 'integer division truncates toward zero; by zero it gives 0; the most negative number by -1 wraps to itself; float division is IEEE 754',
  remainder: 'remainder takes the sign of its first argument, on floats too; by an integer zero it gives 0',
  round: 'round rounds half to even',
  pow: "pow is C's: pow(x, 0) is 1 for every x, NaN included, and pow(1, y) is 1",
  shiftLeft: 'shifts use the low 5 bits of their second argument',
  shiftRight: 'shifts use the low 5 bits of their second argument; shiftRight repeats the sign of int32, fills uint32 with 0',
  equal: 'comparisons with NaN are false, except notEqual',
  notEqual: 'comparisons with NaN are false, except notEqual, which is true',
  less: 'comparisons with NaN are false',
  lessEqual: 'comparisons with NaN are false',
};

function ruleOf(op: Opcode, tolerance: Tolerance): string {
  const rule = RULES[op] ?? ARITHMETIC;
  return tolerance.ulps === 0 ? rule : `${rule}; within ${tolerance.ulps} units in the last place of the exact result (tolerances.ts)`;
}

/** Entries of a bound for the guard elements behind a contiguous block. */
const SPARE = 8;

/** One argument list an operand, each with the same count. */
type Columns = readonly (readonly number[])[];

/** All edge values, or all pairs of them. */
function edges(dtypes: readonly DType[], denormals: boolean): Columns {
  const [first, second] = dtypes.map((dtype) => edgeValues(dtype, denormals, dtypes.length > 1));
  if (first === undefined) return [];
  if (second === undefined) return [first];
  return [first.flatMap((a) => second.map(() => a)), first.flatMap(() => second)];
}

interface Shape {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly inputs: readonly LayoutName[];
  readonly output: LayoutName;
}

/** What a case computes from its columns. */
interface Work {
  readonly from: readonly DType[];
  readonly value: Expression;
  readonly rule: string;
  readonly tolerance?: Tolerance;
}

/** A case that maps `columns` by an expression. */
function elementwise(shape: Shape, columns: Columns, work: Work, terms: Terms): Case {
  const { from, value, rule, tolerance = EXACT } = work;
  const inputs = columns.map((values, i): OperandSpec => ({ dtype: from[i] ?? value.dtype, layout: shape.inputs[i] ?? 'contiguous', values }));
  const operands: OperandSpec[] = [...inputs, { dtype: value.dtype, access: 'write', layout: shape.output }];
  const [first = []] = columns;
  const beyond = Float64Array.from({ length: first.length + SPARE }, (_, i) => neighbourBound(tolerance, value.dtype, first[i] ?? 0));
  const bounds = shape.output === 'contiguous' && tolerance.range !== undefined ? new Map([[columns.length, beyond]]) : new Map();
  return mapCase({ name: shape.name, rule, sizes: shape.sizes, operands, outputs: [value], tolerance, bounds }, terms.capabilities);
}

/** One case with all edge values, one with random values. */
function bothCases(seed: string, work: Work, terms: Terms, prefix = ''): Case[] {
  const edge = edges(work.from, terms.capabilities.denormals);
  const count = edge[0]?.length ?? 0;
  const shape: Shape = { name: `${prefix}edge values / ${count}`, sizes: [count], inputs: [], output: 'contiguous' };
  const random = work.from.map((dtype, i) => randomValues(dtype, RANDOM_COUNT, seedOf(seed) + i));
  return [elementwise(shape, edge, work, terms), elementwise({ ...RANDOM, name: prefix + RANDOM.name }, random, work, terms)];
}

const RANDOM: Shape = { name: 'random values, strided / 31x21', sizes: RANDOM_SIZES, inputs: ['transposed', 'sliced'], output: 'reversed' };

function opcodeCases(op: Opcode, dtype: DType, terms: Terms): Case[] {
  if (!computes(terms, dtype)) return [];
  const from = opcodeRule(op).arity === 1 ? [dtype] : [dtype, dtype];
  const tolerance = toleranceOf(op, dtype, terms.tolerances);
  const [a, b] = [load(dtype, 0), load(dtype, 1)];
  const value = from.length === 1 ? apply(op, a) : apply(op, a, b);
  return bothCases(op, { from, value, rule: ruleOf(op, tolerance), tolerance }, terms);
}

function castRule(from: DType, to: DType): string {
  if (to === 'bool') return 'anything to bool is x != 0';
  if (isFloat(to)) return 'a cast to float rounds to nearest even';
  return isFloat(from) ? 'float to integer truncates toward zero and saturates, NaN gives 0' : 'integer to integer wraps; bool gives 0 or 1';
}

function castCases(from: DType, to: DType, terms: Terms): Case[] {
  if (!stores(terms, from, to)) return [];
  const there = cast(load(from, 0), to);
  const back: Work = { from: [from], value: cast(there, from), rule: `${castRule(from, to)}, whatever comes of it next` };
  return [
    ...bothCases('cast', { from: [from], value: there, rule: castRule(from, to) }, terms),
    ...bothCases('cast', back, terms, 'there and back, '),
  ];
}

const WORDS: readonly DType[] = ['float32', 'int32', 'uint32'];

/** Patterns of NaN are left out: whether their payload survives is not part of the contract. */
function bitcastCases(from: DType, to: DType, terms: Terms): Case[] {
  if (!computes(terms, from, to)) return [];
  const { denormals } = terms.capabilities;
  const plain = (x: number): boolean => {
    const float = from === 'float32' ? x : to === 'float32' ? reinterpret(x, from, to) : 0;
    return !Number.isNaN(float) && (denormals || !isDenormal('float32', float));
  };
  const patterns = [0x3f800000, 0xbf800000, 0x7f7fffff, 0x7f800000, 0x80000000, 0x12345678, 0x89abcdef, 0x00800000].map((bits) =>
    reinterpret(bits, 'uint32', from),
  );
  const values = [...edgeValues(from, denormals), ...patterns].filter(plain);
  const shape: Shape = { name: `edge values / ${values.length}`, sizes: [values.length], inputs: [], output: 'contiguous' };
  return [elementwise(shape, [values], { from: [from], value: bitcast(load(from, 0), to), rule: 'a bitcast keeps the bits' }, terms)];
}

/** Pairs of distinct dtypes. */
function pairs(dtypes: readonly DType[]): (readonly [DType, DType])[] {
  return dtypes.flatMap((from) => dtypes.filter((to) => to !== from).map((to) => [from, to] as const));
}

export function operationPlans(): Plan[] {
  const opcodes = ALL_OPCODES.flatMap((op) =>
    ALL_DTYPES.filter((dtype) => opcodeAccepts(op, dtype, DTYPES[dtype].kind)).map((dtype) =>
      casesPlan('map', `${op} / ${dtype}`, (terms) => opcodeCases(op, dtype, terms)),
    ),
  );
  const casts = pairs(ALL_DTYPES).map(([from, to]) => casesPlan('map', `cast / ${from} to ${to}`, (terms) => castCases(from, to, terms)));
  const bitcasts = pairs(WORDS).map(([from, to]) => casesPlan('map', `bitcast / ${from} to ${to}`, (terms) => bitcastCases(from, to, terms)));
  return [...opcodes, ...casts, ...bitcasts];
}
