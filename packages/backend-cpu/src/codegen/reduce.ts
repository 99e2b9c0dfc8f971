/**
 * `reduce` as JavaScript, in one of two loop orders that give the same bits, because each result adds the same values in the same order.
 *
 * - **fold inner**: for each kept point, the folded loops, accumulating in local variables. Good where the folded axes lie close in memory.
 * - **rows inner**: the last kept loop goes inside the folded ones, accumulating a row of results in a buffer. Good where the kept axis
 *   lies closer: the sum over axis 0 of a matrix reads it row by row.
 */

import { operandPositions } from '@gradus/backend';
import type { Expression, ReduceKernel } from '@gradus/backend';

import { accumulationDType, foldIdentity, foldStep } from '../lowering/fold.ts';
import { literal } from './compile.ts';
import { dialectAt } from './language.ts';
import type { Language } from './language.ts';
import { Lines } from './lines.ts';
import { stores, touchedOperands } from './map.ts';
import { Nest, hoist, loadedOperands } from './nest.ts';
import type { Hoisted, Levels, Loop } from './nest.ts';

/** Which loops are innermost. */
export type LoopOrder = 'foldInner' | 'rowsInner';

/** Results accumulated at once by `rowsInner`: 4 KiB, well inside the first-level cache. */
const ROW_LENGTH = 512;
/** Shorter rows are not worth their loop. */
const SHORTEST_ROW = 8;

/** The cheaper order for the strides in `dims`: that in which most operands take the smaller steps. */
export function cheaperOrder(kernel: ReduceKernel, dims: Int32Array): LoopOrder {
  const kept = kernel.rank - kernel.folded;
  let folded = kernel.rank - 1;
  while (folded > kept && dims[folded] === 1) folded--;
  if (kept === 0 || kernel.folded === 0 || (dims[kept - 1] ?? 0) < SHORTEST_ROW) return 'foldInner';
  const positions = operandPositions(kernel);
  let balance = 0;
  kernel.operands.forEach((operand, k) => {
    if (operand.layout === 'indexed' || operand.space === 'kept') return;
    const strides = (positions[k] ?? 0) + 1;
    balance += Math.sign(Math.abs(dims[strides + folded] ?? 0) - Math.abs(dims[strides + kept - 1] ?? 0));
  });
  return balance > 0 ? 'rowsInner' : 'foldInner';
}

/** What both orders are made of. */
class ReduceWriter {
  readonly kernel: ReduceKernel;
  readonly nest: Nest;
  readonly out: Lines = new Lines();
  readonly #language: Language;
  readonly #steps: readonly Expression[];
  readonly #foldOperands: ReadonlySet<number>;
  readonly #epilogueOperands: ReadonlySet<number>;

  constructor(kernel: ReduceKernel, language: Language) {
    this.kernel = kernel;
    this.#language = language;
    this.#steps = kernel.folds.map(foldStep);
    const values = kernel.outputs.map((output) => output.value);
    this.nest = new Nest(kernel, kernel.rank, kernel.rank - kernel.folded, [...this.#steps, ...values]);
    this.#foldOperands = loadedOperands(this.#steps);
    this.#epilogueOperands = touchedOperands(kernel.outputs);
  }

  /** The fold steps inside `open` loops. */
  steps(open: readonly Loop[], accumulator: (index: number) => string): Hoisted {
    return hoist(this.nest, this.#language, this.#steps, open, accumulator, 't');
  }

  /** The outputs inside the `open` kept loops, over `r0`, `r1`, … */
  epilogue(open: readonly Loop[]): Hoisted {
    const roots = this.kernel.outputs.map((output) => output.value);
    return hoist(this.nest, this.#language, roots, open, (index) => `r${index}`, 'e');
  }

  /** Opens loops for the operands of folds and epilogue, or of folds alone, with the statements that belong in each. */
  open(loops: readonly Loop[], outside: readonly Loop[], withEpilogue: boolean, levels: readonly Levels[]): void {
    const operands = withEpilogue ? new Set([...this.#foldOperands, ...this.#epilogueOperands]) : this.#foldOperands;
    loops.forEach((loop, i) => {
      const enclosing = [...outside, ...loops.slice(0, i)];
      this.out.open(this.nest.head(loop, enclosing, operands));
      for (const level of levels) this.out.add(...(level[enclosing.length + 1] ?? []));
    });
  }

  /** Opens the part `[from, to)` of the row's loop. */
  openRow(row: Loop, open: readonly Loop[], part: 'fold' | 'epilogue'): void {
    const operands = part === 'fold' ? this.#foldOperands : this.#epilogueOperands;
    this.out.open(this.nest.head(row, open, operands, { from: 'from', to: 'to' }));
  }

  /** Names the finished folds, rounded to their dtypes, `r0`, `r1`, … */
  results(accumulator: (index: number) => string, open: readonly Loop[]): void {
    const dialect = dialectAt(this.#language, this.nest.names(open, accumulator));
    this.kernel.folds.forEach((fold, i) => {
      const from = accumulationDType(fold);
      const to = fold.value.dtype;
      this.out.add(`const r${i} = ${from === to ? accumulator(i) : dialect.cast(accumulator(i), from, to)};`);
    });
  }

  stores(values: readonly string[], open: readonly Loop[]): void {
    this.out.add(...stores(this.nest, this.kernel.outputs, values, open));
  }
}

/** Accumulators in local variables. */
const localAccumulator = (index: number): string => `a${index}`;

function writeFoldInner(writer: ReduceWriter): string {
  const { kernel, nest, out } = writer;
  const { keptLoops, foldedLoops } = nest;
  const steps = writer.steps([...keptLoops, ...foldedLoops], localAccumulator);
  const epilogue = writer.epilogue(keptLoops);
  const kept = keptLoops.length;

  out.open('return function reduce(views, scalars, dims) {');
  out.add(...nest.declarations());
  // Inside all kept loops, accumulators come first and the epilogue last; what was hoisted out of them stands further out.
  const outside = [steps.levels.slice(0, kept), epilogue.levels.slice(0, kept)];
  for (const levels of outside) out.add(...(levels[0] ?? []));
  writer.open(keptLoops, [], true, outside);
  kernel.folds.forEach((fold, i) => out.add(`let a${i} = ${literal(foldIdentity(fold))};`));
  out.add(...(steps.levels[kept] ?? []));
  writer.open(foldedLoops, keptLoops, false, [steps.levels]);
  out.add(...steps.values.map((value, i) => `a${i} = ${value};`));
  out.close(foldedLoops.length);
  writer.results(localAccumulator, keptLoops);
  out.add(...(epilogue.levels.at(-1) ?? []));
  writer.stores(epilogue.values, keptLoops);
  out.close(keptLoops.length + 1);
  return out.text();
}

function writeRowsInner(writer: ReduceWriter, row: Loop): string {
  const { kernel, nest, out } = writer;
  const { keptLoops, foldedLoops } = nest;
  const outer = keptLoops.slice(0, -1);
  const accumulator = (index: number): string => `row${index}[x${row.id} - from]`;
  const steps = writer.steps([...outer, ...foldedLoops, row], accumulator);
  const epilogue = writer.epilogue(keptLoops);

  out.add(...kernel.folds.map((_, i) => `const row${i} = new Float64Array(${ROW_LENGTH});`));
  out.open('return function reduceRows(views, scalars, dims) {');
  out.add(...nest.declarations(), ...(steps.levels[0] ?? []), ...(epilogue.levels[0] ?? []));
  writer.open(outer, [], true, [steps.levels, epilogue.levels]);
  out.open(`for (let from = 0; from < n${row.id}; from += ${ROW_LENGTH}) {`);
  out.add(`const to = Math.min(from + ${ROW_LENGTH}, n${row.id});`);
  kernel.folds.forEach((fold, i) => out.add(`row${i}.fill(${literal(foldIdentity(fold))}, 0, to - from);`));
  writer.open(foldedLoops, outer, false, [steps.levels]);
  writer.openRow(row, [...outer, ...foldedLoops], 'fold');
  out.add(...(steps.levels.at(-1) ?? []));
  out.add(...steps.values.map((value, i) => `${accumulator(i)} = ${value};`));
  out.close(foldedLoops.length + 1);
  writer.openRow(row, outer, 'epilogue');
  writer.results(accumulator, keptLoops);
  out.add(...(epilogue.levels.at(-1) ?? []));
  writer.stores(epilogue.values, keptLoops);
  out.close(outer.length + 3);
  return out.text();
}

/** The body of a function that returns the code of `kernel`. Both orders are the same where nothing is kept. */
export function writeReduce(kernel: ReduceKernel, language: Language, order: LoopOrder): string {
  const writer = new ReduceWriter(kernel, language);
  const row = writer.nest.keptLoops.at(-1);
  return order === 'foldInner' || row === undefined ? writeFoldInner(writer) : writeRowsInner(writer, row);
}
