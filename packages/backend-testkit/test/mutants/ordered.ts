/** Mutants of running folds, sorts and places of extremes. */

import { DTYPES } from '@gradus/backend';
import type { DType, FoldKind, ScanKernel } from '@gradus/backend';
import { Folder } from '../../src/oracle/fold.ts';
import { hold } from '../../src/oracle/number.ts';
import { rewriting } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { mistaking } from './perturbing.ts';
import type { Launched } from './perturbing.ts';

type Numbers = readonly number[];

/** Rows of x, each with where it begins. */
function rowsOf({
  sizes,
  before,
}: Pick<Launched<'sort'>, 'sizes' | 'before'>): { readonly x: Numbers; readonly from: number; readonly row: number }[] {
  const [rows = 0, columns = 0] = sizes;
  const x = before['x'] ?? new Float64Array();
  return Array.from({ length: rows }, (_, row) => ({ x: [...x.subarray(row * columns, (row + 1) * columns)], from: row * columns, row }));
}

/** A mutant that gives `fold` of every row. */
function scan(name: string, fold: FoldKind, dtypes: readonly DType[], wrong: (x: Numbers, right: Numbers, kernel: ScanKernel) => Numbers): Mutant {
  const checks = dtypes.map((dtype) => `optional / scan / ${fold} / ${dtype}`);
  return mistaking('scan', `scan: ${fold} of ${dtypes.join()} ${name}`, checks, (launched) => {
    if (launched.kernel.fold !== fold) return;
    const { result = new Float64Array() } = launched.operands;
    for (const { x, from } of rowsOf(launched)) result.set(wrong(x, [...result.subarray(from, from + x.length)], launched.kernel), from);
  });
}

/** A running fold with another step, identity or end. Results in the order of x. */
function running(x: Numbers, { reverse, exclusive }: ScanKernel, first: number, step: (a: number, b: number) => number): Numbers {
  let value = first;
  const results = (reverse ? x.toReversed() : x).map((one) => {
    const before = value;
    value = step(value, one);
    return exclusive ? before : value;
  });
  return reverse ? results.toReversed() : results;
}

function changed(name: string, change: (kernel: ScanKernel) => Partial<ScanKernel>): Mutant {
  return rewriting(`scan ${name}`, ['optional / scan / sum / int32', 'optional / scan / max / float32'], (kernel) => {
    if (kernel.kind !== 'scan') return kernel;
    const after = { ...kernel, ...change(kernel) };
    return JSON.stringify(after) === JSON.stringify(kernel) ? kernel : after;
  });
}

function scanMutants(): Mutant[] {
  const greater = (a: number, b: number): number => (b > a ? b : a);
  const float: readonly DType[] = ['float32'];
  return [
    changed('is always inclusive', () => ({ exclusive: false })),
    changed('is always exclusive', () => ({ exclusive: true })),
    changed('never runs in reverse', () => ({ reverse: false })),
    changed('always runs in reverse', () => ({ reverse: true })),
    scan('begins at 1', 'sum', ['int32'], (x, _, kernel) => running(x, kernel, 1, (a, b) => a + b)),
    scan('begins at 0', 'prod', ['int32'], (x, _, kernel) => running(x, kernel, 0, Math.imul)),
    scan('begins at 0', 'max', float, (x, _, kernel) => running(x, kernel, 0, Math.max)),
    scan('begins at the largest number', 'min', float, (x, _, kernel) => running(x, kernel, DTYPES.float32.max, Math.min)),
    scan('ignores NaN', 'max', float, (x, _, kernel) => running(x, kernel, -Infinity, greater)),
    scan('forgets NaN', 'max', float, (x, _, kernel) => running(x, kernel, -Infinity, (a, b) => (a >= b ? a : b))),
    scan('does not tell zeros apart', 'max', float, (x, _, kernel) => running(x, kernel, -Infinity, (a, b) => (a + b === 0 ? a : Math.max(a, b)))),
    scan('adds up in bfloat16', 'sum', ['bfloat16'], (x, _, kernel) => running(x, kernel, 0, (a, b) => hold('bfloat16', a + b))),
    scan('adds up in float16', 'sum', ['float16'], (x, _, kernel) => running(x, kernel, 0, (a, b) => hold('float16', a + b))),
    scan('is kept in float32', 'sum', ['float64'], (x, _, kernel) => running(x, kernel, 0, (a, b) => Math.fround(a + b))),
    scan('saturates', 'sum', ['int8'], (x, _, kernel) => running(x, kernel, 0, (a, b) => Math.max(-128, Math.min(127, a + b)))),
    scan('saturates', 'sum', ['uint8'], (x, _, kernel) => running(x, kernel, 0, (a, b) => Math.max(0, Math.min(255, a + b)))),
    scan('is calculated in float64', 'prod', ['uint32'], (x, _, kernel) => running(x, kernel, 1, (a, b) => a * b).map((value) => value % 2 ** 32)),
    scan('takes words for signed', 'max', ['uint32'], (x, _, kernel) => running(x, kernel, 0, (a, b) => ((b | 0) > (a | 0) ? b : a))),
    scan('begins anew after 32', 'sum', ['int32'], (x, right, kernel) => {
      if (kernel.reverse) return right;
      return [...x.keys()].flatMap((i) => (i % 32 === 0 ? running(x.slice(i, i + 32), kernel, 0, (a, b) => a + b) : []));
    }),
    scan('does not carry beyond 1024', 'sum', ['int32'], (x, right, kernel) => [
      ...right.slice(0, 1024),
      ...(kernel.reverse ? right.slice(1024) : running(x.slice(1024), kernel, 0, (a, b) => a + b)),
    ]),
    scan('leaves out the last', 'sum', ['int32'], (x, right, kernel) =>
      kernel.exclusive || kernel.reverse ? right : right.map((value, i) => (i > 0 && i === right.length - 1 ? (right[i - 1] ?? 0) : value)),
    ),
    mistaking('scan', 'scan: sum carries on from row to row', ['optional / scan / sum / int32'], ({ kernel, before, operands }) => {
      const folder = new Folder('sum', 'int32');
      const { x = new Float64Array() } = before;
      if (kernel.fold === 'sum' && !kernel.reverse && !kernel.exclusive)
        operands['result']?.set(x.map((value) => (folder.add(value), folder.result)));
    }),
  ];
}

/** Ascending, NaN last; 0 for what is equal. */
function order(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

type Compare = (a: number, b: number, at: number, other: number) => number;

/** A mutant that puts rows in another order. */
function sort(name: string, direction: 'ascending' | 'descending', dtype: DType, compare: Compare, limit = Infinity): Mutant {
  return mistaking('sort', `sort: ${direction} ${dtype} ${name}`, [`optional / sort / ${direction} / ${dtype}`], (launched) => {
    if (launched.dtype !== dtype || launched.kernel.descending !== (direction === 'descending')) return;
    for (const { x, from } of rowsOf(launched)) {
      const at = (place: number): number => x[place] ?? NaN;
      const all = [...x.keys()];
      const sorted = [...all.slice(0, limit).toSorted((a, b) => compare(at(a), at(b), a, b)), ...all.slice(limit)];
      launched.operands['values']?.set(sorted.map(at), from);
      launched.operands['places']?.set(sorted, from);
    }
  });
}

function sortMutants(): Mutant[] {
  const up: Compare = (a, b) => order(a, b);
  const down: Compare = (a, b) => order(b, a);
  const signed = (x: number): number => (Object.is(x, -0) ? -1e-45 : x);
  return [
    sort('is not stable', 'ascending', 'float32', (a, b, at, other) => order(a, b) || other - at),
    sort('is the reverse of ascending', 'descending', 'float32', (a, b, at, other) => order(b, a) || other - at),
    sort('is not stable', 'ascending', 'bool', (a, b, at, other) => order(a, b) || other - at),
    sort('goes down', 'ascending', 'int32', down),
    sort('goes up', 'descending', 'int32', up),
    sort('has NaN first', 'ascending', 'float32', (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? order(b, a) : order(a, b))),
    sort('has NaN last', 'descending', 'float32', (a, b) => (Number.isNaN(a) || Number.isNaN(b) ? order(a, b) : order(b, a))),
    sort('leaves NaN where it is', 'ascending', 'float32', (a, b) => (a < b ? -1 : Number(a > b))),
    sort('has -0 below 0', 'ascending', 'float32', (a, b) => order(signed(a), signed(b))),
    sort('has -0 below 0', 'descending', 'float32', (a, b) => order(signed(b), signed(a))),
    sort('compares integers in float32', 'ascending', 'int32', (a, b) => order(Math.fround(a), Math.fround(b))),
    sort('takes words for signed', 'ascending', 'uint32', (a, b) => order(a | 0, b | 0)),
    sort('takes bytes for signed', 'ascending', 'uint8', (a, b) => order((a << 24) >> 24, (b << 24) >> 24)),
    sort('takes bytes for unsigned', 'descending', 'int8', (a, b) => order(b & 255, a & 255)),
    sort('compares as float32', 'ascending', 'float64', (a, b) => order(Math.fround(a), Math.fround(b))),
    sort('goes by magnitude', 'ascending', 'float16', (a, b) => order(Math.abs(a), Math.abs(b))),
    sort('stops after 32', 'ascending', 'int32', up, 32),
    sort('stops after 1024', 'descending', 'int32', down, 1024),
    mistaking('sort', 'sort: places count through all rows', ['optional / sort / ascending / int32'], ({ sizes: [, columns = 1], operands }) => {
      operands['places']?.forEach((place, i, all) => (all[i] = place + Math.floor(i / columns) * columns));
    }),
    mistaking('sort', 'sort: places are where elements go', ['optional / sort / ascending / int32'], ({ sizes: [, columns = 1], operands }) => {
      const { places = new Float64Array() } = operands;
      const from = places.slice();
      from.forEach((place, i) => (places[Math.floor(i / columns) * columns + place] = i % columns));
    }),
    mistaking('sort', 'sort: values stay where they were', ['optional / sort / ascending / int32'], ({ before, operands }) => {
      operands['values']?.set(before['x'] ?? []);
    }),
    mistaking('sort', 'sort: -0 becomes 0', ['optional / sort / ascending / float32'], ({ operands }) => {
      operands['values']?.forEach((value, i, all) => (all[i] = value + 0));
    }),
  ];
}

/** A mutant that finds other places; -1 leaves the right one. */
function extreme(name: string, fold: 'min' | 'max', dtype: DType, place: (x: Numbers, right: number) => number): Mutant {
  return mistaking('argReduce', `argReduce: ${fold} ${dtype} ${name}`, [`optional / argReduce / ${fold} / ${dtype}`], (launched) => {
    if (launched.kernel.fold !== fold || launched.dtype !== dtype) return;
    const { places = new Float64Array() } = launched.operands;
    for (const { x, row } of rowsOf(launched)) places[row] = place(x, places[row] ?? 0);
  });
}

/** The place of the first that is better than all before; `first` is what the first has to be better than. */
function firstBetter(x: Numbers, better: (a: number, best: number) => boolean, first = NaN): number {
  let [place, best] = [0, Number.isNaN(first) ? (x[0] ?? NaN) : first];
  x.forEach((value, i) => {
    if (better(value, best)) [place, best] = [i, value];
  });
  return place;
}

function extremeMutants(): Mutant[] {
  const signed = (x: number): number => (Object.is(x, -0) ? -1e-45 : x);
  const greater = (a: number, best: number): boolean => a > best;
  const more = (a: number, best: number): boolean => a > best || Number.isNaN(a);
  return [
    extreme('is the last', 'max', 'float32', (x, right) => (Number.isNaN(x[right]) ? right : x.lastIndexOf(x[right] ?? NaN))),
    extreme('is the last', 'min', 'int32', (x, right) => x.lastIndexOf(x[right] ?? NaN)),
    extreme('is the last', 'max', 'bool', (x, right) => x.lastIndexOf(x[right] ?? NaN)),
    extreme('is that of the other end', 'max', 'int32', (x) => x.indexOf(Math.min(...x))),
    extreme('is that of the other end', 'min', 'int32', (x) => x.indexOf(Math.max(...x))),
    extreme('ignores NaN', 'max', 'float32', (x) => firstBetter(x, greater, -Infinity)),
    extreme('ignores NaN', 'min', 'float32', (x) => firstBetter(x, (a, best) => a < best, Infinity)),
    extreme('is the last NaN', 'max', 'float32', (x) => firstBetter(x, more)),
    extreme('is the element after NaN', 'max', 'float32', (x) => firstBetter(x, (a, best) => !(a <= best))),
    extreme('has -0 below 0', 'max', 'float32', (x, right) => (x.some(Number.isNaN) ? right : firstBetter(x, (a, best) => signed(a) > signed(best)))),
    extreme('has -0 below 0', 'min', 'float32', (x, right) => (x.some(Number.isNaN) ? right : firstBetter(x, (a, best) => signed(a) < signed(best)))),
    extreme('begins at 0', 'max', 'float32', (x, right) => (x.some(Number.isNaN) ? right : firstBetter(x, greater, 0))),
    extreme('begins at 0', 'min', 'int32', (x) => firstBetter(x, (a, best) => a < best, 0)),
    extreme('takes words for signed', 'max', 'uint32', (x) => firstBetter(x, (a, best) => (a | 0) > (best | 0))),
    extreme('takes bytes for signed', 'min', 'uint8', (x) => firstBetter(x, (a, best) => (a << 24) >> 24 < (best << 24) >> 24)),
    extreme('compares in float32', 'max', 'int32', (x) => firstBetter(x.map(Math.fround), greater)),
    extreme('compares in float32', 'max', 'float64', (x, right) => (x.some(Number.isNaN) ? right : firstBetter(x.map(Math.fround), greater))),
    extreme('does not look at the last', 'max', 'int32', (x) => firstBetter(x.slice(0, Math.max(1, x.length - 1)), greater)),
    extreme('looks at whole fours', 'max', 'int32', (x) => firstBetter(x.slice(0, Math.max(1, x.length & -4)), greater)),
    extreme('stops after 1024', 'min', 'int32', (x) => firstBetter(x.slice(0, 1024), (a, best) => a < best)),
    extreme('counts from 1', 'max', 'int32', (_, right) => right + 1),
  ];
}

export function orderedMutants(): Mutant[] {
  return [...scanMutants(), ...sortMutants(), ...extremeMutants()];
}
