/**
 * What the passes of attention have in common as text: sizes, the operands of a head, and scores.
 *
 * Names in use: `head` counts the heads of all images, `keyHead` their key heads, `image` is the image of both. Queries and keys are counted from the
 * first of their head.
 */

import { denseOperands, operandPositions } from '@gradus/backend';
import type { AttentionKernel } from '@gradus/backend';
import type { Source } from '../launch/launch.ts';
import { Frame } from '../program/frame.ts';
import { Program } from '../program/program.ts';
import type { Slot } from '../program/program.ts';
import { POWERS } from './powers.ts';
import { LANES, TILE } from './tiles.ts';
import type { Rows } from './tiles.ts';

/** Sizes of a run. */
export interface Sizes {
  readonly images: number;
  readonly heads: number;
  readonly keyHeads: number;
  /** Queries and keys of a head. */
  readonly T: number;
  readonly S: number;
}

/** The sizes that `dims` begins with. */
export function sizesOf([images = 0, heads = 0, keyHeads = 0, T = 0, S = 0]: Int32Array): Sizes {
  return { images, heads, keyHeads, T, S };
}

/** Heads that share a key head. */
function sharing({ heads, keyHeads }: Sizes): number {
  return keyHeads === 0 ? 0 : heads / keyHeads;
}

/** Queries of all heads. */
export function rowsOfQueries({ images, heads, T }: Sizes): number {
  return images * heads * T;
}

/** Tiles of queries, of all heads. */
export function queryTiles({ images, heads, T }: Sizes): number {
  return images * heads * Math.ceil(T / TILE);
}

/** Tiles of keys, of all key heads. */
export function keyTiles({ images, keyHeads, S }: Sizes): number {
  return images * keyHeads * Math.ceil(S / TILE);
}

/** A program of attention that uses some operands, called as the contract calls them. */
export class AttentionText {
  readonly frame = new Frame();
  readonly #kernel: AttentionKernel;
  readonly #operands: readonly string[];
  readonly #names: readonly string[];
  readonly #positions: readonly number[];
  readonly #queryNumbers: 'read' | 'write' | null;

  /**
   * @param operands those of the kernel that are used; a mask that is not there is left out
   * @param queryNumbers whether scratch memory, with two numbers for each query, is one more operand, and for what
   */
  constructor(kernel: AttentionKernel, operands: readonly string[], queryNumbers: 'read' | 'write' | null) {
    this.#kernel = kernel;
    this.#names = denseOperands(kernel).map(({ name }) => name);
    this.#operands = operands.filter((name) => this.#names.includes(name));
    this.#positions = operandPositions(kernel);
    this.#queryNumbers = queryNumbers;
  }

  /** Sizes as text. */
  size(name: keyof Sizes): string {
    return this.frame.dim(['images', 'heads', 'keyHeads', 'T', 'S'].indexOf(name));
  }

  /** Heads that share a key head, as text. */
  get sharing(): string {
    return this.frame.word((dims) => sharing(sizesOf(dims)));
  }

  /** What products are multiplied by, as text. */
  get scale(): string {
    return this.frame.scalar(0, 'float32');
  }

  /** The slot of an operand. */
  slot(name: string): number {
    return this.#operands.indexOf(name);
  }

  get #numbersSlot(): number {
    return this.#operands.length;
  }

  /** The offset of an operand, as text. */
  offset(name: string): string {
    return this.frame.dim(this.#positions[this.#names.indexOf(name)] ?? 0);
  }

  /** The rows of an operand that belong to `head` (of queries) or `keyHead` (of keys), from `first` on. */
  rows(name: string, of: 'head' | 'keyHead', first: string): Rows {
    const end = this.size(of === 'head' ? 'T' : 'S');
    return { operand: this.slot(name), offset: `${this.offset(name)} + ${of} * ${end} * ${this.#kernel.headDim}`, first, end };
  }

  /** The workgroup's place in programs that have a tile of queries each. Names `head`, `keyHead`, `image`, and the tile's first query, `start`. */
  get ofQueries(): string {
    const [tiles, heads] = [this.frame.word((dims) => Math.ceil(sizesOf(dims).T / TILE)), this.size('heads')];
    return `if (group >= u32(${this.frame.word((dims) => queryTiles(sizesOf(dims)))})) { return; }
let head = i32(group / u32(${tiles}));
let start = i32(group % u32(${tiles})) * ${TILE};
let image = head / ${heads};
let keyHead = image * ${this.size('keyHeads')} + (head - image * ${heads}) / ${this.sharing};`;
  }

  /** The same for a tile of keys each. Names `keyHead`, the first of the heads that share it, `image`, and the tile's first key, `start`. */
  get ofKeys(): string {
    const [tiles, keyHeads] = [this.frame.word((dims) => Math.ceil(sizesOf(dims).S / TILE)), this.size('keyHeads')];
    return `if (group >= u32(${this.frame.word((dims) => keyTiles(sizesOf(dims)))})) { return; }
let keyHead = i32(group / u32(${tiles}));
let start = i32(group % u32(${tiles})) * ${TILE};
let image = keyHead / ${keyHeads};
let firstHead = image * ${this.size('heads')} + (keyHead - image * ${keyHeads}) * ${this.sharing};`;
  }

  /** Where the keys end that a tile of queries from `start` on has any use for. */
  keysEnd(start: string): string {
    return this.#kernel.causal ? `min(${this.size('S')}, ${start} + ${TILE})` : this.size('S');
  }

  /**
   * Functions `scores(products, image, t, s)` of four pairs of queries and keys, -Infinity where one of them is not there or not allowed, `powers`, and,
   * where there are such numbers, `query_numbers`.
   */
  get declarations(): string {
    const { mask, causal } = this.#kernel;
    const [T, S] = [this.size('T'), this.size('S')];
    const load = (component: string): string => `load${this.slot('mask')}(at.${component})`;
    const loads = `let at = ${this.offset('mask')} + (image * ${T} + min(t, vec4i(${T} - 1))) * ${S} + min(s, vec4i(${S} - 1));
let masks = vec4<${mask === 'bool' ? 'bool' : 'f32'}>(${load('x')}, ${load('y')}, ${load('z')}, ${load('w')});`;
    const numbers = `fn query_numbers(head: i32, t: i32) -> vec2f {
let at = 2 * (head * ${T} + min(t, ${T} - 1));
return vec2f(load${this.#numbersSlot}(at), load${this.#numbersSlot}(at + 1));
}`;
    return `${POWERS}
fn scores(products: vec4f, image: i32, t: vec4i, s: vec4i) -> vec4f {
${mask === 'none' ? '' : loads}
let allowed = (t < vec4i(${T})) & (s < vec4i(${S}))${causal ? ' & (s <= t)' : ''}${mask === 'bool' ? ' & masks' : ''};
return select(vec4f(float_of(0xff800000u)), products * ${this.scale}${mask === 'additive' ? ' + masks' : ''}, allowed);
}
${this.#queryNumbers === 'read' ? numbers : ''}`;
  }

  /** Stores the two numbers of query `row` of all heads. */
  storeNumbers(row: string, lse: string, along: string): string {
    return `store${this.#numbersSlot}(2 * i32(${row}), ${lse});
store${this.#numbersSlot}(2 * i32(${row}) + 1, ${along});`;
  }

  /** Slots of the program: the operands that are used, then scratch memory. */
  get slots(): readonly Slot[] {
    const own = this.#operands.map((name): Slot => {
      const operand = this.#kernel.operands[this.#names.indexOf(name)];
      return { dtype: operand?.dtype ?? 'float32', access: operand?.access ?? 'read' };
    });
    return this.#queryNumbers === null ? own : [...own, { dtype: 'float32', access: this.#queryNumbers }];
  }

  /** Where each slot gets its memory. */
  get sources(): readonly Source[] {
    const own = this.#operands.map((name): Source => ({ operand: this.#names.indexOf(name) }));
    return this.#queryNumbers === null ? own : [...own, { scratch: 0 }];
  }

  /** The program with this body. */
  program(name: string, declarations: string, body: string): Program {
    return new Program(name, this.slots, this.frame, body, { declarations: `${declarations}\n${this.declarations}`, workgroupSize: LANES });
  }
}
