/**
 * The tiled product as WGSL: a template with holes for how factors are read, how sums of spans are joined, and what becomes of a result.
 *
 * Per step a workgroup fetches a tile's worth of both factors into registers, puts it into shared memory, and every invocation adds the products
 * of its block. A factor lies in shared memory as vectors along the index that it is read along:
 * - along k, row by row with one vector of padding, and a block takes every n-th row, so that neighbours read from different banks;
 * - along its rows (or columns), k by k, and a block takes vectors of neighbouring rows.
 * Both cost two reads of a vector for 16 products of a 4 × 4 block. See V. Volkov and J. Demmel, Benchmarking GPUs to tune dense linear
 * algebra, SC 2008, for why blocks in registers matter more than anything else.
 */

import type { Along, Factor } from './factor.ts';
import type { Tile } from './tiles.ts';

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
const VECTOR = 4;

/** Value types of sums. */
export type SumType = 'f32' | 'i32' | 'u32';

/** The holes of the template; all are texts of WGSL. */
export interface Tiled {
  readonly tile: Tile;
  readonly a: Factor;
  readonly b: Factor;
  /** In what products are added up. */
  readonly type: SumType;
  /** In what sums of spans are joined. */
  readonly totalType: SumType;
  /** Bounds, u32. */
  readonly k: string;
  readonly span: string;
  /** Tiles of the result along both axes, u32. */
  readonly tilesDown: string;
  readonly tilesAcross: string;
  /** Workgroups in all, u32. */
  readonly groups: string;
  /** Spans that have workgroups of their own, u32; null where a workgroup takes all spans of its tile. */
  readonly spans: string | null;
  /** The sum of one span as it is added to the total, for `column` (a u32 text) and `span` (a u32 name); the value is a name. */
  readonly scaled: (value: string, column: string, span: string) => string;
  /** Called for every element: `finish(span, batch, row, column, value)`; it skips those beyond the result. */
  readonly finish: string;
}

/** Body and declarations of a program. */
export interface TiledText {
  readonly body: string;
  readonly declarations: string;
  readonly workgroupSize: number;
}

/** One factor's side of a tile. */
class Side {
  readonly along: Along;
  /** Rows, or columns, of the tile and of a block. */
  readonly size: number;
  readonly block: number;
  /** Invocations across. */
  readonly across: number;
  readonly #inner: number;
  readonly #memory: string;
  readonly #lane: string;

  constructor(factor: Factor, size: number, block: number, inner: number, memory: string, lane: string) {
    this.along = factor.along;
    this.size = size;
    this.block = block;
    this.across = size / block;
    this.#inner = inner;
    this.#memory = memory;
    this.#lane = lane;
  }

  /** Vectors from one row (along k), or one k, to the next. */
  get #pitch(): number {
    return this.along === 'inner' ? this.#inner / VECTOR + 1 : this.size / VECTOR;
  }

  /** Vectors that the tile takes in shared memory. */
  get vectors(): number {
    return this.#pitch * (this.along === 'inner' ? this.size : this.#inner);
  }

  /** Vectors that are fetched in a step. */
  get fetched(): number {
    return (this.size * this.#inner) / VECTOR;
  }

  /** Row (or column) `i` (a number, or a u32 name) of a block, within the tile. */
  index(i: number | string): string {
    const at = typeof i === 'number' ? `${i}u` : i;
    if (this.block === 1) return this.#lane;
    if (this.along === 'inner') return `(${this.#lane} + ${at} * ${this.across}u)`;
    return `((${at} / ${VECTOR}u) * ${VECTOR * this.across}u + ${at} % ${VECTOR}u + ${VECTOR}u * ${this.#lane})`;
  }

  /** Statements that name where slot number `s` is: `${name}Outer` within the tile, `${name}Inner` within the step, `${name}To` in memory. */
  slot(name: string, s: number, lanes: number): string {
    const at = s === 0 ? 'lane' : `(lane + ${s * lanes}u)`;
    const per = (this.along === 'inner' ? this.#inner : this.size) / VECTOR;
    const [major, minor] = [`${at} / ${per}u`, `(${at} % ${per}u)`];
    const [outer, inner] = this.along === 'inner' ? [major, `${VECTOR}u * ${minor}`] : [`${VECTOR}u * ${minor}`, major];
    return `let ${name}Outer = ${outer};
let ${name}Inner = ${inner};
let ${name}To = ${major} * ${this.#pitch}u + ${minor};`;
  }

  /** Statements that read what a block needs of four values of k, from `quad` (a name, in vectors) on. */
  read(name: string): string {
    if (this.along === 'inner') return this.#each((i) => `let ${name}${i} = ${this.#memory}[${this.index(i)} * ${this.#pitch}u + quad];`, this.block);
    const chunks = Math.ceil(this.block / VECTOR);
    return COMPONENTS.map((_, c) => {
      const start = `(${VECTOR}u * quad + ${c}u) * ${this.#pitch}u`;
      if (this.block === 1) return `let ${name}${c} = ${this.#memory}[${start} + ${this.#lane} / ${VECTOR}u][${this.#lane} % ${VECTOR}u];`;
      return this.#each((chunk) => `let ${name}${c}_${chunk} = ${this.#memory}[${start} + ${chunk * this.across}u + ${this.#lane}];`, chunks);
    }).join('\n');
  }

  #each(line: (i: number) => string, count: number): string {
    return Array.from({ length: count }, (_, i) => line(i)).join('\n');
  }

  /** The value of row (or column) `i` at value `c` of the four. */
  one(name: string, i: number, c: number): string {
    if (this.along === 'inner') return `${name}${i}.${COMPONENTS[c]}`;
    return this.block === 1 ? `${name}${c}` : `${name}${c}_${Math.floor(i / VECTOR)}.${COMPONENTS[i % VECTOR]}`;
  }

  /** The values of four columns from `4 chunk` on, or of the only one, at value `c` of the four. */
  four(name: string, chunk: number, c: number, type: SumType): string {
    if (this.block === 1) return this.one(name, 0, c);
    if (this.along === 'outer') return `${name}${c}_${chunk}`;
    return `vec4<${type}>(${COMPONENTS.map((_, j) => this.one(name, VECTOR * chunk + j, c)).join(', ')})`;
  }
}

/** Rows of a block and chunks of its columns, each with one variable. */
function blocks(rows: Side, columns: Side): readonly (readonly [number, number])[] {
  const chunks = Math.ceil(columns.block / VECTOR);
  return Array.from({ length: rows.block * chunks }, (_, i) => [Math.floor(i / chunks), i % chunks] as const);
}

/** Fills the template in. */
export function tiledText(holes: Tiled): TiledText {
  const { tile, a, b, type, totalType } = holes;
  const rows = new Side(a, tile.rows, tile.blockRows, tile.inner, 'tileA', 'laneRow');
  const columns = new Side(b, tile.columns, tile.blockColumns, tile.inner, 'tileB', 'laneColumn');
  const lanes = rows.across * columns.across;
  const cells = blocks(rows, columns);
  const wide = (of: SumType): string => (columns.block === 1 ? of : `vec4<${of}>`);
  const slots = [...slotsOf(rows, a, 'a', 'tileA', lanes, 'firstRow'), ...slotsOf(columns, b, 'b', 'tileB', lanes, 'firstColumn')];
  const declarations = `var<workgroup> tileA: array<vec4<${type}>, ${rows.vectors}>;
var<workgroup> tileB: array<vec4<${type}>, ${columns.vectors}>;
${a.declarations}
${b.declarations}
${holes.finish}`;
  const multiply = (i: number, chunk: number, c: number): string => {
    const [x, y] = [rows.one('a', i, c), columns.four('b', chunk, c, type)];
    const sum = `sum${i}_${chunk}`;
    return type === 'f32' ? `${sum} = fma(${wide(type)}(${x}), ${y}, ${sum});` : `${sum} += ${x} * ${y};`;
  };
  const join = ([i, chunk]: readonly [number, number]): string => {
    const parts = Array.from({ length: Math.min(VECTOR, columns.block) }, (_, j) => {
      const value = columns.block === 1 ? `sum${i}_${chunk}` : `sum${i}_${chunk}.${COMPONENTS[j]}`;
      return holes.scaled(value, `firstColumn + ${columns.index(VECTOR * chunk + j)}`, 'span');
    });
    return `total${i}_${chunk} += ${parts.length === 1 ? parts[0] : `${wide(totalType)}(${parts.join(', ')})`};`;
  };
  const width = Math.min(VECTOR, columns.block);
  const totals = cells.flatMap(([i, chunk]) => (width === 1 ? [`total${i}_${chunk}`] : COMPONENTS.map((c) => `total${i}_${chunk}.${c}`)));
  // One call in a loop, for epilogues may be long: text that is repeated for every element takes drivers seconds to compile.
  const finish = `var totals = array<${totalType}, ${totals.length}>(${totals.join(', ')});
for (var cell = 0u; cell < ${totals.length}u; cell++) {
let i = cell / ${columns.block}u;
let j = cell % ${columns.block}u;
finish(${holes.spans === null ? '0u' : 'firstSpan'}, batch, firstRow + ${rows.index('i')}, firstColumn + ${columns.index('j')}, totals[cell]);
}`;
  const body = `if (group >= ${holes.groups}) { return; }
let firstColumn = (group % ${holes.tilesAcross}) * ${tile.columns}u;
let band = group / ${holes.tilesAcross};
let firstRow = (band % ${holes.tilesDown}) * ${tile.rows}u;
let stack = band / ${holes.tilesDown};
${
  holes.spans === null
    ? `let batch = stack;
let firstSpan = 0u;
let afterSpans = (${holes.k} + ${holes.span} - 1u) / ${holes.span};`
    : `let batch = stack / ${holes.spans};
let firstSpan = stack % ${holes.spans};
let afterSpans = firstSpan + 1u;`
}
let laneRow = lane / ${columns.across}u;
let laneColumn = lane % ${columns.across}u;
${a.begin}
${b.begin}
${slots.map((slot) => slot.prepare).join('\n')}
${cells.map(([i, chunk]) => `var total${i}_${chunk} = ${wide(totalType)}();`).join('\n')}
for (var span = firstSpan; span < afterSpans; span++) {
${cells.map(([i, chunk]) => `var sum${i}_${chunk} = ${wide(type)}();`).join('\n')}
let start = span * ${holes.span};
let end = min(start + ${holes.span}, ${holes.k});
for (var k = start; k < end; k += ${tile.inner}u) {
${slots.map((slot) => slot.fetch).join('\n')}
workgroupBarrier();
${slots.map((slot) => slot.put).join('\n')}
workgroupBarrier();
for (var quad = 0u; quad < ${tile.inner / VECTOR}u; quad++) {
${rows.read('a')}
${columns.read('b')}
${COMPONENTS.flatMap((_, c) => cells.map(([i, chunk]) => multiply(i, chunk, c))).join('\n')}
}
}
${cells.map(join).join('\n')}
}
${finish}`;
  return { body, declarations, workgroupSize: lanes };
}

interface SlotText {
  readonly prepare: string;
  readonly fetch: string;
  readonly put: string;
}

/** The slots of a factor that one invocation fetches; where a tile has fewer vectors than there are invocations, some have nothing to do. */
function slotsOf(side: Side, factor: Factor, name: string, memory: string, lanes: number, first: string): SlotText[] {
  const spare = side.fetched < lanes;
  return Array.from({ length: Math.ceil(side.fetched / lanes) }, (_, s) => {
    const slot = `${name}Slot${s}`;
    const put = `${memory}[${slot}To] = ${slot}Values;`;
    return {
      prepare: `${side.slot(slot, s, lanes)}
let ${slot}At = ${first} + ${slot}Outer;
${factor.prepare(slot, `${slot}At`)}`,
      // What those with nothing to do fetch is dropped.
      fetch: `let ${slot}Values = ${factor.fetch(slot, `${slot}At`, `k + ${slot}Inner`, 'end')};`,
      put: spare ? `if (lane < ${side.fetched}u) { ${put} }` : put,
    };
  });
}
