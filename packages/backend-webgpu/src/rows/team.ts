/**
 * Kernels over rows, as WGSL: a **team** of invocations has a row, and a workgroup has as many teams as fit.
 *
 * Columns decide how large teams are: a few invocations for short rows, so that none is idle, and a whole workgroup for long ones. A member of a team
 * takes every so many columns, so that neighbours read neighbouring elements; what the members have is combined in a tree of fixed shape. So the
 * order of additions depends on sizes alone.
 */

import { denseOperands, operandPositions } from '@gradus/backend';
import type { Kernel } from '@gradus/backend';
import { slotsOf } from '../kernels/expressions.ts';
import { NOTHING, single } from '../launch/launch.ts';
import type { Planner } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';

const WORKGROUP = 256;
/** Values that a member adds in a row before it adds their sum to the others'. */
const BLOCK = 1024;

/** Invocations of a team. */
export type TeamSize = 4 | 32 | 256;

/** The smallest team whose members have no more than 16 columns each; for longer rows, the largest. */
export function teamSizeFor(columns: number): TeamSize {
  if (columns <= 4 * 16) return 4;
  return columns <= 32 * 16 ? 32 : 256;
}

/** Workgroups for `rows` rows. */
export function teamGroups(rows: number, size: TeamSize): number {
  return Math.ceil((rows * size) / WORKGROUP);
}

/**
 * The text of a program over rows. Where it is in use, `member` is the place of the invocation in its team, `row` the team's row, `isRow` whether there
 * is such a row, `first` the number of elements before it, `columns` how many it has (none where there is no row), and `c` a column.
 */
export class RowText {
  readonly frame: Frame;
  readonly #size: TeamSize;
  readonly #declarations = new Map<string, string>();
  /** Rows and columns as words of the frame. */
  readonly rows: string;
  readonly columns: string;

  /** @param rows, columns where they are found in a run's `dims` */
  constructor(size: TeamSize, rows: (dims: Int32Array) => number, columns: (dims: Int32Array) => number, frame: Frame = new Frame()) {
    this.frame = frame;
    this.#size = size;
    this.rows = this.frame.word(rows);
    this.columns = this.frame.word(columns);
  }

  /** Statements that every program begins with. */
  get opening(): string {
    return `let member = lane % ${this.#size}u;
let row = group * ${WORKGROUP / this.#size}u + lane / ${this.#size}u;
let isRow = row < u32(${this.rows});
let columns = select(0u, u32(${this.columns}), isRow);
let first = i32(row * u32(${this.columns}));`;
  }

  /** A loop over the member's columns. */
  each(statements: string): string {
    return `for (var c = member; c < columns; c += ${this.#size}u) {
${statements}
}`;
  }

  /** Statements that name the sum of `value`, which sees what `statements` declare, over the row. Called by all invocations. */
  sum(name: string, type: 'f32' | 'vec2f', statements: string, value: string): string {
    const block = BLOCK * this.#size;
    return `var ${name}_part = ${type}();
for (var start = 0u; start < columns; start += ${block}u) {
var blocked = ${type}();
let end = min(start + ${block}u, columns);
for (var c = start + member; c < end; c += ${this.#size}u) {
${statements}
blocked += ${value};
}
${name}_part += blocked;
}
let ${name} = ${this.combine(`sum_${type}`, type, 'a + b')}(lane, ${name}_part);`;
  }

  /** Statements that name the largest `value` of the row, NaN if there is one. Called by all invocations. */
  largest(name: string, statements: string, value: string): string {
    return `var ${name}_part = float_of(0xff800000u);
${this.each(`${statements}\n${name}_part = float_max(${name}_part, ${value});`)}
let ${name} = ${this.combine('largest', 'f32', 'float_max(a, b)')}(lane, ${name}_part);`;
  }

  /** The name of a function that gives all members `a` and `b` combined, over the values that they call it with. Called by all invocations. */
  combine(name: string, type: string, combination: string): string {
    this.#declarations.set(
      name,
      `var<workgroup> all_${name}: array<${type}, ${WORKGROUP}>;
fn team_${name}(lane: u32, value: ${type}) -> ${type} {
workgroupBarrier();
all_${name}[lane] = value;
workgroupBarrier();
for (var half = ${this.#size / 2}u; half > 0u; half /= 2u) {
if (lane % ${this.#size}u < half) {
let a = all_${name}[lane];
let b = all_${name}[lane + half];
all_${name}[lane] = ${combination};
}
workgroupBarrier();
}
return all_${name}[lane - lane % ${this.#size}u];
}`,
    );
    return `team_${name}`;
  }

  /** The program with this body, which follows on the opening. */
  program(name: string, slots: Program['slots'], body: string): Program {
    const declarations = [...this.#declarations.values()].join('\n');
    return new Program(name, slots, this.frame, `${this.opening}\n${body}`, { declarations, workgroupSize: WORKGROUP });
  }
}

const ROWS = 2;
const COLUMNS = 3;

/** The text of a kernel whose `dims` begin with rows and columns, and where its operands lie. */
export class RowKernelText extends RowText {
  readonly #kernel: Kernel;
  readonly #positions: readonly number[];
  /** The elements of each operand's shape, were there this many rows and columns. */
  readonly #lengths: readonly number[];

  constructor(kernel: Kernel, size: TeamSize) {
    super(
      size,
      ([rows = 0]) => rows,
      ([, columns = 0]) => columns,
    );
    this.#kernel = kernel;
    this.#positions = operandPositions(kernel);
    this.#lengths = denseOperands(kernel).map(({ shape }) => shape(Int32Array.of(ROWS, COLUMNS)).reduce((a, b) => a * b, 1));
  }

  /** Has operand `k` one element for each row, whatever the columns? */
  isPerRow(k: number): boolean {
    return this.#lengths[k] === ROWS;
  }

  /** The element of operand `k` that belongs to the row and to column `c`. */
  element(k: number): string {
    const offset = this.frame.dim(this.#positions[k] ?? 0);
    if (this.isPerRow(k)) return `${offset} + i32(row)`;
    return this.#lengths[k] === COLUMNS ? `${offset} + i32(c)` : `${offset} + first + i32(c)`;
  }

  /** Stores an element for each row or for each element of the row, as the operand's shape has it. */
  store(k: number, statements: string, value: string): string {
    const stored = `${statements}\nstore${k}(${this.element(k)}, ${value});`;
    return this.isPerRow(k) ? `if (isRow && member == 0u) {\n${stored}\n}` : this.each(stored);
  }

  /** The program with this body. */
  finish(name: string, body: string): Program {
    return this.program(name, slotsOf(this.#kernel), body);
  }
}

/** Plans runs of a kernel whose `dims` begin with rows and columns. */
export function planRows(programFor: (size: TeamSize) => Program): Planner {
  const programs = new Map<TeamSize, Program>();
  return (dims) => {
    const [rows = 0, columns = 0] = dims;
    if (rows === 0) return NOTHING;
    const size = teamSizeFor(columns);
    let program = programs.get(size);
    if (program === undefined) programs.set(size, (program = programFor(size)));
    return single(program, dims, teamGroups(rows, size));
  };
}
