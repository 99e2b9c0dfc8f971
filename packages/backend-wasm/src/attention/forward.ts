/**
 * Attention, forward. A unit is some key heads: it packs their keys and values once, then takes every query that uses them, a strip at a time.
 */

import type { AttentionKernel } from '@gradus/backend';
import { DTYPES } from '@gradus/backend';
import { f32, i32 } from '../assembler/instructions.ts';
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
import { STATE_BYTES, writeBegin, writeFinish, writeSoften } from './softmax.ts';
import { HALVES, KEY_BLOCK, STRIP, STRIP_BYTES, paddedTo, writeClear, writeSweep, writeUnpack } from './strips.ts';

const WORD_BYTES = 4;

/** The parts of a unit's memory, in bytes. */
export function forwardParts({ headDim }: AttentionKernel, S: number): Readonly<Record<string, number>> {
  return {
    keys: paddedTo(TILE_ROWS, S) * headDim * WORD_BYTES,
    values: paddedTo(TILE_ROWS, headDim) * S * WORD_BYTES,
    queries: headDim * STRIP_BYTES,
    scores: KEY_BLOCK * STRIP_BYTES,
    maskStrip: KEY_BLOCK * STRIP_BYTES,
    sums: paddedTo(TILE_ROWS, headDim) * STRIP_BYTES,
    state: STATE_BYTES,
  };
}

/** Writes the pass. Words: those of `heads.ts`, the parts above, and the addresses `q`, `k`, `v`, `mask`, `y` and `lse`. */
export function writeForward(module: ModuleWriter, kernel: AttentionKernel, layout: FrameLayout, relaxed: boolean): void {
  const { headDim, causal } = kernel;
  const dtype = storedDType(kernel.operands[0]);
  const { bytes } = DTYPES[dtype];
  const rowBytes = i32.const(headDim * bytes);
  const elementBytes = i32.const(bytes);
  const packKeys = matrixPacker(module, TILE_ROWS, dtype, 'k');
  const packDims = matrixPacker(module, TILE_ROWS, dtype, 'rows');
  const packStrip = matrixPacker(module, STRIP, dtype, 'k');
  const packMask = writeMaskPacking(module, kernel);
  const sweep = writeSweep(module, writeTile(module, relaxed));
  const clear = writeClear(module);
  const begin = writeBegin(module);
  const soften = writeSoften(module, kernel, relaxed);
  const finish = writeFinish(module, kernel);
  const unpack = writeUnpack(module, dtype, headDim);

  const strip = routine(module, ['frame', 'memory', 'head', 'query'], (code, { frame: address, memory, head, query }) => {
    const frame = new Frame(code, layout, address);
    const part = (name: string): I32 => code.let(i32.add(memory, frame.word(name)));
    const [T, S] = [frame.word('T'), frame.word('S')];
    const [keys, values, queries, scores, maskStrip, sums, state] = [
      part('keys'),
      part('values'),
      part('queries'),
      part('scores'),
      part('maskStrip'),
      part('sums'),
      part('state'),
    ];
    const row = code.let(i32.add(i32.mul(head, T), query));
    const count = least(code, i32.sub(T, query), i32.const(STRIP));
    const elements = code.let(i32.mul(row, rowBytes));
    code.run(packStrip, [i32.add(frame.word('q'), elements), queries, count, i32.const(headDim), rowBytes, elementBytes]);
    code.run(begin, [state]);
    code.run(clear, [sums, i32.const(paddedTo(TILE_ROWS, headDim) * HALVES)]);
    const limit = causal ? least(code, S, i32.add(query, i32.const(STRIP))) : S;
    code.for(
      limit,
      (key) => {
        const inBlock = least(code, i32.sub(limit, key), i32.const(KEY_BLOCK));
        const block = i32.mul(key, i32.const(headDim * WORD_BYTES));
        const panel = i32.const(TILE_ROWS * headDim * WORD_BYTES);
        code.run(sweep, [i32.add(keys, block), panel, queries, scores, inBlock, i32.const(headDim), i32.const(0)]);
        packMask?.(code, frame, maskStrip, { head, query, queries: count, key, keys: inBlock });
        const diagonal = causal ? least(code, inBlock, i32.sub(query, key)) : inBlock;
        code.run(soften, [scores, maskStrip, inBlock, diagonal, i32.sub(i32.add(key, diagonal), query), state, sums, frame.word('scale')]);
        const dims = i32.add(values, i32.mul(key, i32.const(TILE_ROWS * WORD_BYTES)));
        code.run(sweep, [dims, i32.mul(S, i32.const(TILE_ROWS * WORD_BYTES)), scores, sums, i32.const(headDim), inBlock, i32.const(1)]);
      },
      i32.const(0),
      i32.const(KEY_BLOCK),
    );
    code.run(finish, [state, sums]);
    code.run(unpack, [sums, i32.add(frame.word('y'), elements), count]);
    const lse = code.let(i32.add(frame.word('lse'), i32.mul(row, i32.const(WORD_BYTES))));
    code.for(count, (i) => {
      const at = i32.mul(i, i32.const(WORD_BYTES));
      code.effect(f32.store(i32.add(lse, at), f32.load(i32.add(state, at))));
    });
  });

  writeHeads(module, layout, {
    keyHead: (code, frame, memory, keyHead) => {
      const S = frame.word('S');
      const elements = code.let(i32.mul(i32.mul(keyHead, S), rowBytes));
      const [keys, values] = [i32.add(memory, frame.word('keys')), i32.add(memory, frame.word('values'))];
      code.run(packKeys, [i32.add(frame.word('k'), elements), keys, S, i32.const(headDim), rowBytes, elementBytes]);
      code.run(packDims, [i32.add(frame.word('v'), elements), values, i32.const(headDim), S, elementBytes, rowBytes]);
    },
    head: (code, frame, address, memory, head) => {
      code.for(frame.word('T'), (query) => code.run(strip, [address, memory, head, query]), i32.const(0), i32.const(STRIP));
    },
    end: () => undefined,
  });
}
