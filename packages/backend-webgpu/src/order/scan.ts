/**
 * `scan` as WGSL: running folds along rows.
 *
 * Words used here:
 * - **team**: the invocations of a workgroup that share a row; few for short rows, so that a workgroup has many of those, all of them for long ones.
 * - **tile**: a few neighbouring columns for each member of a team. Members fold theirs one after the other; what the members before have folded is
 *   found in log2 steps (Hillis and Steele, Data parallel algorithms, 1986); **carry** is what all tiles before have.
 * - **piece**: some tiles of a long row. Few long rows would leave a device idle, so they are scanned in three passes (reduce, then scan: Merrill and
 *   Grimshaw, Parallel scan for stream architectures, 2009): pieces are folded, the results scanned, and these are the carries that pieces begin with.
 *
 * The order of additions depends on sizes alone. A sum of n values has about n / 1024 roundings, 4096 at most in a piece or in a row of pieces.
 * Columns are counted in the direction of the scan; floats are folded in float32.
 */

import { isFloat, operandPositions } from '@gradus/backend';
import type { DType, Fold, ScanKernel } from '@gradus/backend';
import { NO_ACCUMULATOR, dialectAt } from '../kernels/expressions.ts';
import { combined, foldIdentity } from '../kernels/folds.ts';
import { Space } from '../kernels/space.ts';
import { NOTHING, dispatch, operandSources, single } from '../launch/launch.ts';
import type { Launch, Planner } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { typeOf } from '../wgsl/language.ts';

const WORKGROUP = 256;
/** Columns of a member in a tile: as many as an invocation reads from one stretch of 16 bytes. */
const EACH = 4;
/** Columns of a piece: four tiles. */
const PIECE = 4 * EACH * WORKGROUP;
/** Rows are scanned in pieces from this length on, where there are so few that workgroups would be. */
const LONG = 4 * PIECE;
const FEW_ROWS = 128;

type TeamSize = 8 | 64 | 256;

/** The smallest team that has a row in two tiles; for longer rows, the largest. */
function teamSizeFor(columns: number): TeamSize {
  if (columns <= 2 * 8 * EACH) return 8;
  return columns <= 2 * 64 * EACH ? 64 : 256;
}

/** What a program scans, or folds, and where it puts what it finds. */
interface Scanned {
  readonly name: string;
  readonly slots: readonly Slot[];
  readonly exclusive: boolean;
  readonly rows: (dims: Int32Array) => number;
  readonly columns: (dims: Int32Array) => number;
  /** The slot of the values, with their dtype, and the text of the element of column `c` (an i32) of the row whose first one is `first`. */
  readonly from: number;
  readonly dtype: DType;
  readonly element: (frame: Frame, slot: number, c: string, columns: string) => string;
}

/** The text of a scan by teams of `size`. */
class ScanText {
  readonly frame = new Frame();
  readonly fold: Fold;
  readonly type: string;
  readonly rows: string;
  readonly columns: string;
  readonly #size: TeamSize;
  readonly #scanned: Scanned;
  readonly #combine: (a: string, b: string) => string;

  constructor(kernel: ScanKernel, size: TeamSize, scanned: Scanned) {
    this.#size = size;
    this.#scanned = scanned;
    this.fold = { fold: kernel.fold, value: { op: 'load', dtype: scanned.dtype, operand: 0 } };
    this.type = typeOf(scanned.dtype);
    const dialect = dialectAt(this.frame, new Space(kernel, 0, 0, [], this.frame), [], NO_ACCUMULATOR);
    this.#combine = (a, b) => combined(this.fold, a, b, dialect);
    this.rows = this.frame.word(scanned.rows);
    this.columns = this.frame.word(scanned.columns);
  }

  /** `name` and value `value` in `name`. */
  add(name: string, value: string): string {
    return `${name} = ${this.#combine(name, value)};`;
  }

  element(slot: number, c: string): string {
    return this.#scanned.element(this.frame, slot, c, this.columns);
  }

  variable(name: string): string {
    return `var ${name}: ${this.type} = ${foldIdentity(this.fold)};`;
  }

  /** Statements that name the place in the team and the row of an invocation; rows are given in text. */
  opening(row: string): string {
    return `let member = lane % ${this.#size}u;
let row = ${row};
let isRow = row < u32(${this.rows});
let first = i32(row * u32(${this.columns}));`;
  }

  /** The values of a member, folded: its value `e` is what it has folded up to there, in `v0` and following; all of them are in `sum`. */
  #own(end: string): string {
    const { from, exclusive } = this.#scanned;
    const steps = Array.from({ length: EACH }, (_, e) => {
      const add = `if (isRow && begin + ${e}u < ${end}) { ${this.add('sum', `load${from}(${this.element(from, `i32(begin + ${e}u)`)})`)} }`;
      return exclusive ? `let v${e} = sum;\n${add}` : `${add}\nlet v${e} = sum;`;
    });
    return `let begin = tile + member * ${EACH}u;
${this.variable('sum')}
${steps.join('\n')}`;
  }

  /** Statements after which `shared_sums[side + i]` is what the members up to invocation i have folded; all invocations come here. */
  get #among(): string {
    return `shared_sums[lane] = sum;
var side = 0u;
for (var step = 1u; step < ${this.#size}u; step *= 2u) {
workgroupBarrier();
if (member >= step) { sum = ${this.#combine('shared_sums[side + lane - step]', 'sum')}; }
side = ${WORKGROUP}u - side;
shared_sums[side + lane] = sum;
}
workgroupBarrier();`;
  }

  get declarations(): string {
    return `var<workgroup> shared_sums: array<${this.type}, ${2 * WORKGROUP}>;`;
  }

  /** Scans columns `begin` to `end` (u32 values that are the same for a workgroup) of a team's row to slot `to`; `carry` is a variable. */
  scan(begin: string, end: string, to: number): string {
    const stores = Array.from(
      { length: EACH },
      (_, e) =>
        `if (isRow && begin + ${e}u < ${end}) { store${to}(${this.element(to, `i32(begin + ${e}u)`)}, ${this.#combine('before', `v${e}`)}); }`,
    );
    return `for (var tile = ${begin}; tile < ${end}; tile += ${this.#size * EACH}u) {
${this.#own(end)}
${this.#among}
var before = carry;
if (member > 0u) { ${this.add('before', `shared_sums[side + lane - 1u]`)} }
${stores.join('\n')}
${this.add('carry', `shared_sums[side + lane - member + ${this.#size - 1}u]`)}
workgroupBarrier();
}`;
  }

  /** Folds columns `begin` to `end` of the row; the first member of the team then does `store`, with the result in `total`. */
  reduce(begin: string, end: string, store: string): string {
    const { from } = this.#scanned;
    return `${this.variable('total')}
for (var c = ${begin} + member; c < ${end}; c += ${this.#size}u) { ${this.add('total', `load${from}(${this.element(from, 'i32(c)')})`)} }
shared_sums[lane] = total;
for (var half = ${this.#size / 2}u; half > 0u; half /= 2u) {
workgroupBarrier();
if (member < half) { ${this.add('total', 'shared_sums[lane + half]')} shared_sums[lane] = total; }
}
if (member == 0u) { ${store} }`;
  }

  program(body: string): Program {
    return new Program(this.#scanned.name, this.#scanned.slots, this.frame, body, { declarations: this.declarations, workgroupSize: WORKGROUP });
  }
}

/** Whole rows, a team each. */
function inRows(kernel: ScanKernel, size: TeamSize, scanned: Scanned, to: number): Program {
  const text = new ScanText(kernel, size, scanned);
  return text.program(`${text.opening(`group * ${WORKGROUP / size}u + lane / ${size}u`)}
${text.variable('carry')}
${text.scan('0u', `u32(${text.columns})`, to)}`);
}

const rowsOf = (dims: Int32Array): number => dims[0] ?? 0;
const columnsOf = (dims: Int32Array): number => dims[1] ?? 0;
const piecesOf = (dims: Int32Array): number => Math.ceil(columnsOf(dims) / PIECE);

/** The program that folds pieces, the one that scans what they give, and the one that scans pieces. */
function inPieces(kernel: ScanKernel, scanned: Scanned): readonly [Program, Program, Program] {
  const [x, result] = scanned.slots;
  if (x === undefined || result === undefined) return demandOperands();
  const waiting: DType = isFloat(scanned.dtype) ? 'float32' : typeOf(scanned.dtype) === 'u32' ? 'uint32' : 'int32';
  const scratch = (access: 'read' | 'write'): Slot => ({ dtype: waiting, access });
  const opening = (text: ScanText): string => {
    const pieces = text.frame.word(piecesOf);
    return `${text.opening(`group / u32(${pieces})`)}
let start = (group % u32(${pieces})) * ${PIECE}u;
let end = select(start, min(start + ${PIECE}u, u32(${text.columns})), isRow);`;
  };

  const folding = new ScanText(kernel, WORKGROUP, { ...scanned, name: 'scan: fold pieces', slots: [x, scratch('write')] });
  const fold = folding.program(`${opening(folding)}
${folding.reduce('start', 'end', 'if (isRow) { store1(i32(group), total); }')}`);

  const carries = inRows(
    kernel,
    WORKGROUP,
    {
      name: 'scan: carries',
      slots: [scratch('read'), scratch('write')],
      exclusive: true,
      rows: rowsOf,
      columns: piecesOf,
      from: 0,
      dtype: scanned.dtype,
      element: (_frame, _slot, c) => `first + ${c}`,
    },
    1,
  );

  const scanning = new ScanText(kernel, WORKGROUP, { ...scanned, name: 'scan: pieces', slots: [x, result, scratch('read')] });
  const scan = scanning.program(`${opening(scanning)}
${scanning.variable('carry')}
if (isRow) { carry = load2(i32(group)); }
${scanning.scan('start', 'end', 1)}`);
  return [fold, carries, scan];
}

function demandOperands(): never {
  throw new TypeError('internal: a scan has two operands');
}

/** Plans running folds. */
export function prepareScan(kernel: ScanKernel): Planner {
  const dtype = kernel.operands[0]?.dtype ?? 'float32';
  const positions = operandPositions(kernel);
  const scanned: Scanned = {
    name: `scan: ${kernel.fold}`,
    slots: kernel.operands.map(({ dtype: stored, access }) => ({ dtype: stored, access })),
    exclusive: kernel.exclusive,
    rows: rowsOf,
    columns: columnsOf,
    from: 0,
    dtype: isFloat(dtype) ? 'float32' : dtype,
    element: (frame, slot, c, columns) => `${frame.dim(positions[slot] ?? 0)} + first + ${kernel.reverse ? `${columns} - 1 - ${c}` : c}`,
  };
  const whole = new Map<TeamSize, Program>();
  let pieces: readonly [Program, Program, Program] | null = null;
  return (dims): Launch => {
    const [rows, columns] = [rowsOf(dims), columnsOf(dims)];
    if (rows === 0 || columns === 0) return NOTHING;
    if (columns >= LONG && rows <= FEW_ROWS) {
      const [fold, carries, scan] = (pieces ??= inPieces(kernel, scanned));
      const count = rows * piecesOf(dims);
      return {
        dispatches: [
          dispatch(fold, [{ operand: 0 }, { scratch: 0 }], dims, count),
          dispatch(carries, [{ scratch: 0 }, { scratch: 1 }], dims, rows),
          dispatch(scan, [...operandSources(2), { scratch: 1 }], dims, count),
        ],
        scratch: [4 * count, 4 * count],
      };
    }
    const size = teamSizeFor(columns);
    let program = whole.get(size);
    if (program === undefined) whole.set(size, (program = inRows(kernel, size, scanned, 1)));
    return single(program, dims, Math.ceil((rows * size) / WORKGROUP));
  };
}
