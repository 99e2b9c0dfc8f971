/**
 * Attention, backward. A unit is some key heads: it packs their keys and values once, then takes the heads that use them, and of each a block of
 * queries with a block of keys at a time; gradients of keys and values are summed up over all of that.
 */

import type { AttentionKernel } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import type { Callable, Code } from '../assembler/code.ts';
import { i32, select } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32 } from '../assembler/value.ts';
import { storedDType } from '../kernels/point.ts';
import { least } from '../kernels/units.ts';
import { Frame } from '../launch/frame.ts';
import type { FrameLayout } from '../launch/frame.ts';
import { matrixPacker } from '../product/pack.ts';
import { TILE_ROWS, writeTile } from '../product/tile.ts';
import { writeHeads } from './heads.ts';
import { writeMaskPacking } from './mask.ts';
import { KEY_STRIP_BYTES, QUERY_BLOCK, writeSlopes, writeTerms } from './slopes.ts';
import { HALVES, KEY_BLOCK, STRIP, STRIP_BYTES, paddedTo, writeClear, writeSweep, writeUnpack } from './strips.ts';

const WORD_BYTES = 4;
/** Bytes of a step of a packed left side. */
const FOUR_BYTES = TILE_ROWS * WORD_BYTES;

/** Bytes of the strip of a gradient. */
function gradientBytes(headDim: number): number {
  return paddedTo(TILE_ROWS, headDim) * STRIP_BYTES;
}

/** The parts of a unit's memory, in bytes. */
export function backwardParts({ headDim }: AttentionKernel, T: number, S: number): Readonly<Record<string, number>> {
  const dimPanels = paddedTo(TILE_ROWS, headDim);
  const [queryStrips, keyStrips] = [Math.ceil(T / STRIP), Math.ceil(S / STRIP)];
  const strips = queryStrips * headDim * STRIP_BYTES;
  return {
    keys: paddedTo(TILE_ROWS, S) * headDim * WORD_BYTES,
    keyDims: dimPanels * S * WORD_BYTES,
    values: paddedTo(TILE_ROWS, S) * headDim * WORD_BYTES,
    queryStrips: strips,
    queryDims: dimPanels * T * WORD_BYTES,
    slopeStrips: strips,
    slopeDims: dimPanels * T * WORD_BYTES,
    resultStrip: headDim * STRIP_BYTES,
    logSums: queryStrips * STRIP_BYTES,
    means: queryStrips * STRIP_BYTES,
    products: KEY_BLOCK * STRIP_BYTES,
    gradients: KEY_BLOCK * STRIP_BYTES,
    maskStrip: KEY_BLOCK * STRIP_BYTES,
    byKeys: (KEY_BLOCK / STRIP) * KEY_STRIP_BYTES,
    slopesByKeys: (KEY_BLOCK / STRIP) * KEY_STRIP_BYTES,
    ofQueries: (QUERY_BLOCK / STRIP) * gradientBytes(headDim),
    ofKeys: keyStrips * gradientBytes(headDim),
    ofValues: keyStrips * gradientBytes(headDim),
  };
}

/** The functions that the pass is made of. */
interface Pieces {
  readonly packKeys: Callable;
  readonly packDims: Callable;
  readonly packStrips: Callable;
  readonly packMask: ReturnType<typeof writeMaskPacking>;
  readonly sweep: Callable;
  readonly clear: Callable;
  readonly terms: Callable;
  readonly slopes: Callable;
  readonly unpack: Callable;
}

function writePieces(module: ModuleWriter, kernel: AttentionKernel, relaxed: boolean): Pieces {
  const dtype = storedDType(kernel.operands[0]);
  return {
    packKeys: matrixPacker(module, TILE_ROWS, dtype, 'k'),
    packDims: matrixPacker(module, TILE_ROWS, dtype, 'rows'),
    packStrips: matrixPacker(module, STRIP, dtype, 'k'),
    packMask: writeMaskPacking(module, kernel),
    sweep: writeSweep(module, writeTile(module, relaxed)),
    clear: writeClear(module),
    terms: writeTerms(module),
    slopes: writeSlopes(module, kernel, relaxed),
    unpack: writeUnpack(module, dtype, kernel.headDim),
  };
}

/** The larger of a signed number and 0. */
function positive(code: Code, value: I32): I32 {
  const kept = code.let(value);
  return code.let(select(i32.gtS(kept, i32.const(0)), kept, i32.const(0)));
}

/**
 * Writes the pass. Words: those of `heads.ts`, the parts above, and the addresses `q`, `k`, `v`, `mask`, `y`, `lse`, `g` and, of the gradients,
 * `dq`, `dk`, `dv`.
 */
export function writeBackward(module: ModuleWriter, kernel: AttentionKernel, layout: FrameLayout, relaxed: boolean): void {
  const { headDim } = kernel;
  const { bytes } = DTYPES[storedDType(kernel.operands[0])];
  const [rowBytes, elementBytes, dims] = [i32.const(headDim * bytes), i32.const(bytes), i32.const(headDim)];
  const pieces = writePieces(module, kernel, relaxed);
  const { packKeys, packDims, packStrips, clear, unpack } = pieces;
  const strip = writeStrip(module, kernel, layout, pieces);
  const block = writeBlock(module, kernel, layout, pieces, strip);

  /** Writes strips of a gradient as rows, `rows` of them. */
  const unpackAll = (code: Code, strips: I32, target: I32, rows: I32): void => {
    const [from, to] = [code.let(strips), code.let(target)];
    code.for(
      rows,
      (row) => {
        code.run(unpack, [from, to, i32.sub(rows, row)]);
        code.set(from, i32.add(from, i32.const(gradientBytes(headDim))));
        code.set(to, i32.add(to, i32.const(STRIP * headDim * bytes)));
      },
      i32.const(0),
      i32.const(STRIP),
    );
  };

  writeHeads(module, layout, {
    keyHead: (code, frame, memory, keyHead) => {
      const part = (name: string): I32 => i32.add(memory, frame.word(name));
      const S = frame.word('S');
      const elements = code.let(i32.mul(i32.mul(keyHead, S), rowBytes));
      const [k, v] = [code.let(i32.add(frame.word('k'), elements)), code.let(i32.add(frame.word('v'), elements))];
      code.run(packKeys, [k, part('keys'), S, dims, rowBytes, elementBytes]);
      code.run(packDims, [k, part('keyDims'), dims, S, elementBytes, rowBytes]);
      code.run(packKeys, [v, part('values'), S, dims, rowBytes, elementBytes]);
      const strips = i32.divS(i32.add(S, i32.const(STRIP - 1)), i32.const(STRIP));
      const vectors = code.let(i32.mul(strips, i32.const(paddedTo(TILE_ROWS, headDim) * HALVES)));
      code.run(clear, [part('ofKeys'), vectors]);
      code.run(clear, [part('ofValues'), vectors]);
    },
    head: (code, frame, address, memory, head) => {
      const part = (name: string): I32 => i32.add(memory, frame.word(name));
      const T = frame.word('T');
      const row = code.let(i32.mul(head, T));
      const elements = code.let(i32.mul(row, rowBytes));
      const [q, g] = [code.let(i32.add(frame.word('q'), elements)), code.let(i32.add(frame.word('g'), elements))];
      code.run(packStrips, [q, part('queryStrips'), T, dims, rowBytes, elementBytes]);
      code.run(packDims, [q, part('queryDims'), dims, T, elementBytes, rowBytes]);
      code.run(packStrips, [g, part('slopeStrips'), T, dims, rowBytes, elementBytes]);
      code.run(packDims, [g, part('slopeDims'), dims, T, elementBytes, rowBytes]);
      const resultStrip = code.let(part('resultStrip'));
      code.for(
        T,
        (query) => {
          const count = least(code, i32.sub(T, query), i32.const(STRIP));
          const own = i32.add(i32.add(frame.word('y'), elements), i32.mul(query, rowBytes));
          code.run(packStrips, [own, resultStrip, count, dims, rowBytes, elementBytes]);
          const stripAt = i32.add(part('slopeStrips'), i32.mul(query, i32.const(headDim * WORD_BYTES)));
          const lse = i32.add(frame.word('lse'), i32.mul(i32.add(row, query), i32.const(WORD_BYTES)));
          const word = code.let(i32.mul(query, i32.const(WORD_BYTES)));
          code.run(pieces.terms, [stripAt, resultStrip, dims, lse, i32.add(part('logSums'), word), i32.add(part('means'), word), count]);
        },
        i32.const(0),
        i32.const(STRIP),
      );
      code.for(
        T,
        (query) => {
          const count = least(code, i32.sub(T, query), i32.const(QUERY_BLOCK));
          code.run(block, [address, memory, head, query, count]);
          unpackAll(code, part('ofQueries'), i32.add(i32.add(frame.word('dq'), elements), i32.mul(query, rowBytes)), count);
        },
        i32.const(0),
        i32.const(QUERY_BLOCK),
      );
    },
    end: (code, frame, memory, keyHead) => {
      const S = frame.word('S');
      const elements = code.let(i32.mul(i32.mul(keyHead, S), rowBytes));
      unpackAll(code, i32.add(memory, frame.word('ofKeys')), i32.add(frame.word('dk'), elements), S);
      unpackAll(code, i32.add(memory, frame.word('ofValues')), i32.add(frame.word('dv'), elements), S);
    },
  });
}

/**
 * `strip(frame, memory, head, query, first, key, keys)`: the strip at `query`, of the block of queries at `first`, with `keys` keys from `key` on:
 * probabilities and slopes, and what that adds to the gradient of the queries.
 */
function writeStrip(module: ModuleWriter, { headDim, causal }: AttentionKernel, layout: FrameLayout, { packMask, sweep, slopes }: Pieces): Callable {
  const names = ['address', 'memory', 'head', 'query', 'first', 'key', 'keys'] as const;
  return routine(module, names, (code, { address, memory, head, query, first, key, keys }) => {
    const frame = new Frame(code, layout, address);
    const part = (name: string): I32 => code.let(i32.add(memory, frame.word(name)));
    const [T, S] = [frame.word('T'), frame.word('S')];
    const [products, gradients, maskStrip] = [part('products'), part('gradients'), part('maskStrip')];
    const stripAt = code.let(i32.mul(query, i32.const(headDim * WORD_BYTES)));
    const keyAt = code.let(i32.mul(key, i32.const(headDim * WORD_BYTES)));
    const inBlock = code.let(i32.sub(query, first));
    const byKeys = code.let(i32.mul(inBlock, i32.const(STRIP_BYTES)));
    const [dims, panel] = [i32.const(headDim), i32.const(headDim * FOUR_BYTES)];
    code.run(sweep, [i32.add(part('keys'), keyAt), panel, i32.add(part('queryStrips'), stripAt), products, keys, dims, i32.const(0)]);
    code.run(sweep, [i32.add(part('values'), keyAt), panel, i32.add(part('slopeStrips'), stripAt), gradients, keys, dims, i32.const(0)]);
    packMask?.(code, frame, maskStrip, { head, query, queries: least(code, i32.sub(T, query), i32.const(STRIP)), key, keys });
    const diagonal = causal ? least(code, keys, i32.sub(query, key)) : keys;
    const word = code.let(i32.mul(query, i32.const(WORD_BYTES)));
    code.run(slopes, [
      products,
      gradients,
      maskStrip,
      keys,
      diagonal,
      i32.sub(i32.add(key, diagonal), query),
      i32.add(part('logSums'), word),
      i32.add(part('means'), word),
      frame.word('scale'),
      i32.add(part('byKeys'), byKeys),
      i32.add(part('slopesByKeys'), byKeys),
    ]);
    const keyDims = i32.add(part('keyDims'), i32.mul(key, i32.const(FOUR_BYTES)));
    const target = i32.add(part('ofQueries'), i32.mul(inBlock, i32.const(gradientBytes(headDim) / STRIP)));
    code.run(sweep, [keyDims, i32.mul(S, i32.const(FOUR_BYTES)), gradients, target, dims, keys, i32.const(1)]);
  });
}

/** `block(frame, memory, head, first, queries)`: a block of queries with all keys they may use. */
function writeBlock(
  module: ModuleWriter,
  { headDim, causal }: AttentionKernel,
  layout: FrameLayout,
  { sweep, clear }: Pieces,
  strip: Callable,
): Callable {
  return routine(module, ['address', 'memory', 'head', 'first', 'queries'], (code, { address, memory, head, first, queries }) => {
    const frame = new Frame(code, layout, address);
    const part = (name: string): I32 => code.let(i32.add(memory, frame.word(name)));
    const [T, S] = [frame.word('T'), frame.word('S')];
    const end = code.let(i32.add(first, queries));
    const parts = {
      ofQueries: part('ofQueries'),
      ofKeys: part('ofKeys'),
      ofValues: part('ofValues'),
      queryDims: part('queryDims'),
      slopeDims: part('slopeDims'),
      byKeys: part('byKeys'),
      slopesByKeys: part('slopesByKeys'),
    };
    const dims = i32.const(headDim);
    code.run(clear, [parts.ofQueries, i32.const((QUERY_BLOCK / STRIP) * paddedTo(TILE_ROWS, headDim) * HALVES)]);
    const limit = causal ? least(code, S, i32.add(first, i32.const(QUERY_BLOCK))) : S;
    code.for(
      limit,
      (key) => {
        const keys = least(code, i32.sub(limit, key), i32.const(KEY_BLOCK));
        // With causality the first strips may use none of these keys, and later ones fewer.
        const from = causal ? code.let(i32.add(first, positive(code, i32.sub(key, first)))) : first;
        code.for(
          end,
          (query) => {
            const used = causal ? least(code, keys, i32.sub(i32.add(query, i32.const(STRIP)), key)) : keys;
            code.run(strip, [address, memory, head, query, first, key, used]);
          },
          from,
          i32.const(STRIP),
        );
        code.for(
          keys,
          (ahead) => {
            const skipped = causal ? positive(code, i32.sub(i32.add(key, ahead), first)) : code.let(i32.const(0));
            const count = code.let(i32.sub(queries, skipped));
            code.if(i32.gtS(count, i32.const(0)), () => {
              const query = code.let(i32.mul(i32.add(first, skipped), i32.const(FOUR_BYTES)));
              const source = code.let(i32.add(i32.mul(ahead, i32.const(KEY_STRIP_BYTES / STRIP)), i32.mul(skipped, i32.const(STRIP_BYTES))));
              const target = code.let(i32.mul(i32.add(key, ahead), i32.const(gradientBytes(headDim) / STRIP)));
              const panel = i32.mul(T, i32.const(FOUR_BYTES));
              const add = (left: I32, right: I32, to: I32): void =>
                code.run(sweep, [i32.add(left, query), panel, i32.add(right, source), i32.add(to, target), dims, count, i32.const(1)]);
              add(parts.slopeDims, parts.byKeys, parts.ofValues);
              add(parts.queryDims, parts.slopesByKeys, parts.ofKeys);
            });
          },
          i32.const(0),
          i32.const(STRIP),
        );
      },
      i32.const(0),
      i32.const(KEY_BLOCK),
    );
  });
}
