/**
 * What the passes of attention are built of: products of tiles, in registers and workgroup memory. After Dao, "FlashAttention-2", 2023, whose blocks
 * these are, and Volkov and Demmel, "Benchmarking GPUs to tune dense linear algebra", 2008, for the registers.
 *
 * Words used here:
 * - **own rows**: the 32 queries (or keys) that a workgroup works for; **other rows**: the 32 keys (or queries) of the tile at hand.
 * - **lane grid**: the 64 invocations as 8 by 8, `down` and `across`. A lane has own rows down, down + 8, down + 16, down + 24, and the other rows,
 *   or the dimensions, across, across + 8, across + 16, across + 24. Such four are a vector, so that a vector of the one times a number of the
 *   other, four times, are 16 products for two reads of workgroup memory.
 * - **chunk**: 32 dimensions of the rows, as many as are in workgroup memory at a time.
 * - **pairs**: a number for each own row and other row of the tile: `s0` to `s3`, one vector over own rows for each of the lane's other rows.
 * - **sums**: a number for each own row and dimension: one vector over own rows for each of the lane's dimensions.
 *
 * Chunks are gone through in loops, so that a program is short whatever the headDim. Rows beyond the last are 0 in workgroup memory. It is filled so
 * that lanes side by side read elements side by side, and padded so that they hit different banks.
 */

/** Rows of a tile, of either kind. */
export const TILE = 32;
/** Lanes of a workgroup. */
export const LANES = 64;
/** Dimensions of a chunk. */
const CHUNK = 32;
/** Lanes down and across, and vectors that hold a tile's rows. */
const SIDE = 8;
/** Vectors from one dimension (or row) to the next in workgroup memory. */
const PITCH = SIDE + 1;

const FOUR = [0, 1, 2, 3] as const;
const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
/** What the four rows, or dimensions, of a lane are beyond its first. */
const EVERY_EIGHTH = `vec4i(${FOUR.map((i) => i * SIDE).join(', ')})`;

/** Bytes of workgroup memory that a program with `pairs` and `exchanged` has beside its own rows. */
const SHARED_BYTES = 16 * (2 * CHUNK * PITCH + LANES);

/** Rows `[row, headDim]` of an operand. */
export interface Rows {
  /** The operand; its element `offset` is the first of row 0. */
  readonly operand: number;
  readonly offset: string;
  /** The row that the tile begins with, and the one that all rows end before: names of i32. */
  readonly first: string;
  readonly end: string;
}

/** Texts for one headDim. */
export class Tiles {
  readonly #headDim: number;
  /** Are the own rows held for good, or chunk by chunk? */
  readonly #isHeld: boolean;
  /** Dimensions of a chunk that a lane has, at most: four where there are as many. */
  readonly #components: readonly number[];

  /** @param workgroupBytes what the workgroup may have; own rows that are read in every tile are held for good where they fit, and there is one kind of them */
  constructor(headDim: number, workgroupBytes: number, ownKinds: 1 | 2) {
    this.#headDim = headDim;
    this.#isHeld = ownKinds === 1 && SHARED_BYTES + 16 * headDim * PITCH <= workgroupBytes;
    this.#components = FOUR.filter((i) => i * SIDE < headDim);
  }

  /** Workgroup memory: own rows, other rows, pairs and what lanes exchange. */
  get declarations(): string {
    const held = this.#isHeld ? this.#headDim : Math.min(CHUNK, this.#headDim);
    return `var<workgroup> own: array<vec4f, ${held * PITCH}>;
var<workgroup> other: array<vec4f, ${CHUNK * PITCH}>;
var<workgroup> pairs: array<vec4f, ${TILE * PITCH}>;
var<workgroup> exchanged: array<vec4f, ${LANES}>;`;
  }

  /** Statements that name the lane's place, and the numbers of its own rows from the tile's first. */
  get opening(): string {
    return `let down = lane / ${SIDE}u;
let across = lane % ${SIDE}u;
let ownRows = i32(down) + ${EVERY_EIGHTH};`;
  }

  /** Declares sums, all 0. */
  declare(name: string): string {
    return `var ${name}: array<vec4f, ${Math.ceil(this.#headDim / CHUNK) * this.#components.length}>;`;
  }

  /** A loop over chunks, if there are several. In it, `chunk` is where one begins and `width` how many dimensions it has. */
  #eachChunk(statements: string): string {
    if (this.#headDim <= CHUNK) return `{\nconst chunk = 0;\nconst width = ${this.#headDim};\n${statements}\n}`;
    return `for (var chunk = 0; chunk < ${this.#headDim}; chunk += ${CHUNK}) {
let width = min(${CHUNK}, ${this.#headDim} - chunk);
${statements}
}`;
  }

  /** Fills `memory` with `width` dimensions of rows from `chunk` on, as vectors over rows: vector `dimension * PITCH + down` (or `across`). */
  #fillByDimension(memory: string, { operand, offset, first, end }: Rows, chunk: string, width: string): string {
    return `for (var i = i32(lane); i < ${width} * ${SIDE}; i += ${LANES}) {
let place = i / ${width};
let d = i - place * ${width};
let row = ${first} + place + ${EVERY_EIGHTH};
let at = ${offset} + min(row, vec4i(${end} - 1)) * ${this.#headDim} + ${chunk} + d;
let four = vec4f(${COMPONENTS.map((component) => `load${operand}(at.${component})`).join(', ')});
${memory}[d * ${PITCH} + place] = select(vec4f(), four, row < vec4i(${end}));
}`;
  }

  /** Fills `other` with a chunk of rows, as vectors over dimensions: vector `row * PITCH + across`. */
  #fillByRow({ operand, offset, first, end }: Rows): string {
    const loads = FOUR.map((i) => (this.#components.includes(i) ? `load${operand}(at + min(d.${COMPONENTS[i]}, width - 1))` : '0f'));
    return `for (var i = i32(lane); i < ${TILE * SIDE}; i += ${LANES}) {
let row = i / ${SIDE};
let d = i % ${SIDE} + ${EVERY_EIGHTH};
let at = ${offset} + min(${first} + row, ${end} - 1) * ${this.#headDim} + chunk;
let four = vec4f(${loads.join(', ')});
other[row * ${PITCH} + i % ${SIDE}] = select(vec4f(), four, (d < vec4i(width)) & vec4<bool>(${first} + row < ${end}));
}`;
  }

  /** Before the loop over tiles: what is held for good. Followed by a barrier before it is read. */
  hold(own: Rows): string {
    return this.#isHeld ? this.#fillByDimension('own', own, '0', String(this.#headDim)) : '';
  }

  /** Declares `s0` to `s3` (or other names): products of own and other rows, summed over the dimensions. */
  products(name: string, own: Rows, other: Rows): string {
    return `${FOUR.map((j) => `var ${name}${j} = vec4f();`).join('\n')}
${this.#eachChunk(`workgroupBarrier();
${this.#isHeld ? '' : this.#fillByDimension('own', own, 'chunk', 'width')}
${this.#fillByDimension('other', other, 'chunk', 'width')}
workgroupBarrier();
for (var d = 0; d < width; d++) {
let a = own[u32(${this.#isHeld ? 'chunk + ' : ''}d) * ${PITCH}u + down];
let b = other[u32(d) * ${PITCH}u + across];
${FOUR.map((j) => `${name}${j} += a * b.${COMPONENTS[j]};`).join('\n')}
}`)}`;
  }

  /** Leaves the pairs called `name` for all lanes to read, which the next `accumulate` does. */
  share(name: string): string {
    return `workgroupBarrier();\n${FOUR.map((j) => `pairs[(across + ${j * SIDE}u) * ${PITCH}u + down] = ${name}${j};`).join('\n')}`;
  }

  /**
   * Adds to sums, after they were multiplied by `factor` (a vector over own rows): pairs times other rows. A tile's part is added up by itself first, in
   * registers; so it matters little where the sums are.
   */
  accumulate(name: string, other: Rows, factor: string | null): string {
    const parts = this.#components;
    const sum = (i: number): string => `${name}[chunk / ${CHUNK} * ${parts.length} + ${i}]`;
    return this.#eachChunk(`workgroupBarrier();
${this.#fillByRow(other)}
workgroupBarrier();
${parts.map((i) => `var part${i} = vec4f();`).join('\n')}
for (var row = 0u; row < ${TILE}u; row++) {
let a = pairs[row * ${PITCH}u + down];
let b = other[row * ${PITCH}u + across];
${parts.map((i) => `part${i} += a * b.${COMPONENTS[i]};`).join('\n')}
}
${parts.map((i) => `${sum(i)} = ${sum(i)}${factor === null ? '' : ` * ${factor}`} + part${i};`).join('\n')}`);
  }

  /** Stores sums, multiplied by `factor` (a vector over own rows). */
  store(name: string, { operand, offset, first, end }: Rows, factor: string): string {
    const count = this.#components.length;
    return `for (var i = 0; i < ${Math.ceil(this.#headDim / CHUNK) * count}; i++) {
let d = (i / ${count}) * ${CHUNK} + (i % ${count}) * ${SIDE} + i32(across);
let result = ${name}[i] * ${factor};
for (var j = 0; j < 4; j++) {
let row = ${first} + i32(down) + j * ${SIDE};
if (d < ${this.#headDim} && row < ${end}) { store${operand}(${offset} + row * ${this.#headDim} + d, result[j]); }
}
}`;
  }

  /** Statements that name a vector over own rows: `combination` of `a` and `b`, over the vectors `value` of the lanes across. */
  acrossLanes(name: string, value: string, combination: string): string {
    return `workgroupBarrier();
exchanged[lane] = ${value};
workgroupBarrier();
var ${name} = exchanged[down * ${SIDE}u];
for (var i = 1u; i < ${SIDE}u; i++) {
let a = ${name};
let b = exchanged[down * ${SIDE}u + i];
${name} = ${combination};
}`;
  }
}

/** A vector over own rows: `text` of each row's number from the tile's first. */
export function overOwnRows(text: (row: string) => string): string {
  return `vec4f(${FOUR.map((i) => text(`i32(down) + ${i * SIDE}`)).join(', ')})`;
}

/** Statements for each of the lane's other rows: `text` of j and the row's number from the tile's first. */
export function forOtherRows(text: (j: number, row: string) => string): string {
  return FOUR.map((j) => text(j, `i32(across) + ${j * SIDE}`)).join('\n');
}
