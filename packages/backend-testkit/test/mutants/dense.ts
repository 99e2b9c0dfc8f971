/**
 * Mutants that the contract's table of dense operands generates: for every kernel of a list, every operand, scalar and size, the mistakes that
 * can be made with any of them.
 */

import { bytesPerElement, denseOperands, denseScalars, isFloat, operandPositions } from '@gradus/backend';
import type { Arg, DType, Executable, Kernel } from '@gradus/backend';
import { hold } from '../../src/oracle/number.ts';
import { Wrapped, redimensioning } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { mistaking, seeing } from './perturbing.ts';
import type { Work } from '../../src/cases/dense.ts';

/** One kernel, and the checks that look at it. */
export interface Sample {
  readonly title: string;
  readonly work: Work;
  readonly dtype: DType;
  readonly checks: readonly string[];
  /** What its sizes are called; left out where a backend may go by the lengths of operands. */
  readonly sizes?: readonly string[];
  /** Sizes that are never above 32 in the checks. */
  readonly small?: readonly string[];
  /** Are there NaN among the checks' results? */
  readonly nan: boolean;
}

/** Is this the sample's kernel, whatever its dtypes? */
function matches(work: Work, kernel: Kernel): boolean {
  const given: Readonly<Record<string, unknown>> = { ...kernel };
  return Object.entries(work).every(([key, value]) => key === 'outputs' || given[key] === value);
}

/** A backend that writes an element that is not an operand's: the one after its last. */
class Beyond extends Wrapped {
  readonly #applies: (kernel: Kernel) => boolean;
  readonly #operand: number;
  readonly #planted: () => void;

  constructor(applies: (kernel: Kernel) => boolean, operand: number, planted: () => void) {
    super();
    this.#applies = applies;
    this.#operand = operand;
    this.#planted = planted;
  }

  override run(executable: Executable, args: readonly Arg[], dims: Int32Array): void {
    super.run(executable, args, dims);
    const { kernel } = executable;
    const block = args[this.#operand];
    if (!this.#applies(kernel) || typeof block !== 'object') return;
    const [offset = 0, length = 0] = dims.subarray(operandPositions(kernel)[this.#operand]);
    const size = bytesPerElement(kernel.operands[this.#operand]?.dtype ?? 'float32');
    this.#planted();
    this.inner.write(block, new Uint8Array(size).fill(3), (offset + length) * size);
  }
}

function readMutants({ title, work, checks }: Sample, name: string, index: number): Mutant[] {
  const read = (what: string, change: (values: Float64Array) => void): Mutant =>
    seeing(work.kind, `${title}: ${what}`, checks, ({ kernel, operands }) => {
      const values = operands[name];
      if (matches(work, kernel) && values !== undefined) change(values);
    });
  return [
    read(`reads zeros for ${name}`, (values) => values.fill(0)),
    read(`reads ${name} one element late`, (values) => values.copyWithin(0, 1)),
    read(`reads ${name} backwards`, (values) => values.set(values.toReversed())),
    redimensioning(`${title}: ignores the offset of ${name}`, checks, (kernel, dims) => {
      if (matches(work, kernel)) dims[operandPositions(kernel)[index] ?? 0] = 0;
    }),
  ];
}

function writeMutants({ title, work, dtype, checks, nan }: Sample, name: string, index: number): Mutant[] {
  const write = (what: string, change: (values: Float64Array, before: Float64Array) => void): Mutant =>
    mistaking(work.kind, `${title}: ${what}`, checks, ({ kernel, operands, before }) => {
      const [values, old] = [operands[name], before[name]];
      if (matches(work, kernel) && values !== undefined && old !== undefined) change(values, old);
    });
  const leaves = (what: string, from: (length: number) => number): Mutant =>
    write(`leaves ${what} of ${name}`, (values, old) => values.set(old.subarray(from(values.length)), from(values.length)));
  const float = isFloat(dtype) && name !== 'places';
  return [
    leaves('all', () => 0),
    leaves('the last', (length) => Math.max(0, length - 1)),
    leaves('the tail of fours', (length) => length & -4),
    leaves('the tail of 32', (length) => length & -32),
    write(`leaves the first of ${name}`, (values, old) => values.set(old.subarray(0, 1))),
    redimensioning(`${title}: writes ${name} without its offset`, checks, (kernel, dims) => {
      if (matches(work, kernel)) dims[operandPositions(kernel)[index] ?? 0] = 0;
    }),
    {
      name: `${title}: writes past the end of ${name}`,
      checks,
      create: (planted) => new Beyond((kernel) => matches(work, kernel), index, planted),
    },
    ...(float
      ? [
          write(`keeps ${name} in bfloat16`, (values) => values.forEach((value, i) => (values[i] = hold('bfloat16', value)))),
          write(`is off by a thousandth in ${name}`, (values) => values.forEach((value, i) => (values[i] = value * 1.001))),
          mistaking(
            work.kind,
            `${title}: keeps ${name} of float64 in float32`,
            checks.map((check) => check.replace('float32', 'float64')),
            ({ kernel, operands, dtype: own }) => {
              if (matches(work, kernel) && own === 'float64') operands[name]?.forEach((value, i, all) => (all[i] = Math.fround(value)));
            },
          ),
        ]
      : []),
    ...(float && nan
      ? [write(`turns NaN into 0 in ${name}`, (values) => values.forEach((value, i) => (values[i] = Number.isNaN(value) ? 0 : value)))]
      : []),
  ];
}

function scalarMutants({ title, work, checks }: Sample, name: string, index: number): Mutant[] {
  const scalar = (what: string, change: (value: number, all: readonly number[]) => number): Mutant =>
    seeing(work.kind, `${title}: takes ${what} for ${name}`, checks, ({ kernel, scalars }) => {
      if (matches(work, kernel)) scalars[index] = change(scalars[index] ?? NaN, scalars);
    });
  return [scalar('0', () => 0), scalar('twice', (value) => 2 * value), scalar('its negative', (value) => -value)];
}

function sizeMutants({ title, work, checks, sizes = [], small = [] }: Sample): Mutant[] {
  return sizes.flatMap((name, i) => {
    const size = (what: string, change: (n: number) => number): Mutant =>
      redimensioning(`${title}: ${what} ${name}`, checks, (kernel, dims) => {
        if (matches(work, kernel)) dims[i] = change(dims[i] ?? 0);
      });
    const skips = size('skips the last of', (n) => Math.max(0, n - 1));
    return small.includes(name) ? [skips] : [skips, size('stops after 32', (n) => Math.min(32, n))];
  });
}

/** All mistakes with the parts of one kernel. */
export function denseMutants(sample: Sample): Mutant[] {
  const kernel = {
    ...sample.work,
    operands: [{ dtype: sample.dtype, access: 'read', layout: 'indexed', space: 'full' }],
    scalars: [],
  } satisfies Kernel;
  return [
    ...denseOperands(kernel).flatMap(({ name, access }, i) => [
      ...(access === 'write' ? [] : readMutants(sample, name, i)),
      ...(access === 'read' ? [] : writeMutants(sample, name, i)),
    ]),
    ...denseScalars(kernel).flatMap(({ name }, i) => scalarMutants(sample, name, i)),
    ...sizeMutants(sample),
  ];
}
