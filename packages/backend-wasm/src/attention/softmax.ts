/**
 * Scores of a strip of queries, `[keys][8]`: scaled and masked; and, forward, turned into powers under a running maximum (Milakov and
 * Gimelshein, "Online normalizer calculation for softmax", 2018).
 */

import type { AttentionKernel } from '@gradus/backend';
import type { Callable, Code } from '../assembler/code.ts';
import { f32, f32x4, i32, i32x4, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { I32, V128 } from '../assembler/value.ts';
import { log } from '../lanes/exponential.ts';
import type { VectorLanes } from '../lanes/lanes.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { decay } from './decay.ts';
import { HALVES, STRIP_BYTES, VECTOR_BYTES, rowOfStrip } from './strips.ts';

/** What stands behind a strip's running results: its largest scores, then the sums of powers. */
const SUMS = STRIP_BYTES;
/** Bytes of a strip's running results. */
export const STATE_BYTES = 2 * STRIP_BYTES;

const BOTH = Array.from({ length: HALVES }, (_, half) => half);

/** Both vectors of a row of a strip. */
export function loadRow(code: Code, row: I32, offset = 0): V128[] {
  return BOTH.map((half) => code.let(v128.load(row, offset + half * VECTOR_BYTES)));
}

/** The score of the queries in one half of a row: what is not allowed is -Infinity. */
export interface Scores {
  /** The product, scaled, and with what a mask adds. */
  readonly scaled: (product: V128, maskRow: I32, offset: number, half: number) => V128;
  /** The same where causality may forbid: the key is `ahead` places after the first query of the strip. */
  readonly causal: (score: V128, ahead: I32, half: number) => V128;
}

/** The scores of a kernel. `scale` is in every lane. */
export function scoresOf(lanes: VectorLanes, mask: AttentionKernel['mask'], scale: V128): Scores {
  const { code } = lanes;
  const places = BOTH.map((half) => code.constant(new Uint8Array(Int32Array.from({ length: LANES }, (_, lane) => half * LANES + lane).buffer)));
  return {
    scaled: (product, maskRow, offset, half) => {
      const score = f32x4.mul(product, scale);
      return mask === 'none' ? score : f32x4.add(score, v128.load(maskRow, offset + half * VECTOR_BYTES));
    },
    causal: (score, ahead, half) => lanes.selectFloat(i32x4.leS(i32x4.splat(ahead), places[half] ?? lanes.int(0)), score, lanes.float(-Infinity)),
  };
}

/** What to subtract in place of a largest score of -Infinity, less which no score is a number. */
function finiteOrZero(lanes: VectorLanes, largest: V128): V128 {
  const kept = lanes.keepFloat(largest);
  return lanes.code.let(v128.and(kept, f32x4.ne(kept, lanes.float(-Infinity))));
}

/**
 * `soften(scores, mask, keys, diagonal, ahead, state, y, scale)`: makes the products of `keys` keys powers, and adds them to the running
 * results; what was summed up under a smaller largest score, y included, is made comparable. From key `diagonal` on, which is `ahead` places
 * after the first query, causality may forbid. `scale` holds the bits of a float.
 */
export function writeSoften(module: ModuleWriter, { mask, headDim }: AttentionKernel, relaxed: boolean): Callable {
  return routine(
    module,
    ['scores', 'mask', 'keys', 'diagonal', 'ahead', 'state', 'y', 'scale'],
    (code, { scores: first, mask: maskStart, keys, diagonal, ahead, state, y, scale }) => {
      const lanes = vectorLanes(code);
      const scores = scoresOf(lanes, mask, code.let(f32x4.splat(f32.reinterpretI32(scale))));
      const before = loadRow(code, state);
      const largest = before.map((old) => code.let(old));
      const [row, maskRow] = [code.let(first), code.let(maskStart)];
      const score = (causal: boolean): void => {
        const made = BOTH.map((half) => {
          const scaled = scores.scaled(v128.load(row, half * VECTOR_BYTES), maskRow, 0, half);
          return code.let(causal ? scores.causal(scaled, ahead, half) : scaled);
        });
        made.forEach((value, half) => {
          const top = largest[half];
          code.effect(v128.store(row, value, half * VECTOR_BYTES));
          // A NaN is passed over here, and found in the sum.
          if (top !== undefined) code.set(top, f32x4.pmax(top, value));
        });
        code.set(row, i32.add(row, i32.const(STRIP_BYTES)));
        if (mask !== 'none') code.set(maskRow, i32.add(maskRow, i32.const(STRIP_BYTES)));
      };
      code.for(diagonal, () => score(false));
      code.for(
        keys,
        () => {
          score(true);
          code.set(ahead, i32.add(ahead, i32.const(1)));
        },
        diagonal,
      );
      const shift = largest.map((top) => finiteOrZero(lanes, top));
      const shrink = before.map((old, half) => code.let(decay(lanes, relaxed, f32x4.sub(old, shift[half] ?? old))));
      const sums = loadRow(code, state, SUMS).map((sum, half) => code.let(f32x4.mul(sum, shrink[half] ?? sum)));
      scaleRows(code, y, headDim, shrink);
      code.set(row, first);
      code.for(keys, () => {
        const powers = BOTH.map((half) =>
          code.let(decay(lanes, relaxed, f32x4.sub(v128.load(row, half * VECTOR_BYTES), shift[half] ?? lanes.float(0)))),
        );
        powers.forEach((power, half) => {
          const sum = sums[half];
          code.effect(v128.store(row, power, half * VECTOR_BYTES));
          if (sum !== undefined) code.set(sum, f32x4.add(sum, power));
        });
        code.set(row, i32.add(row, i32.const(STRIP_BYTES)));
      });
      BOTH.forEach((half) => {
        code.effect(v128.store(state, largest[half] ?? lanes.float(0), half * VECTOR_BYTES));
        code.effect(v128.store(state, sums[half] ?? lanes.float(0), SUMS + half * VECTOR_BYTES));
      });
    },
  );
}

/** Multiplies every row of a strip. */
function scaleRows(code: Code, strip: I32, rows: number, by: readonly V128[]): void {
  code.for(i32.const(rows), (d) => {
    const row = code.let(rowOfStrip(strip, d));
    by.forEach((factor, half) => code.effect(v128.store(row, f32x4.mul(v128.load(row, half * VECTOR_BYTES), factor), half * VECTOR_BYTES)));
  });
}

/** `begin(state)`: nothing was seen yet. */
export function writeBegin(module: ModuleWriter): Callable {
  return routine(module, ['state'], (code, { state }) => {
    const lanes = vectorLanes(code);
    BOTH.forEach((half) => {
      code.effect(v128.store(state, lanes.float(-Infinity), half * VECTOR_BYTES));
      code.effect(v128.store(state, lanes.float(0), SUMS + half * VECTOR_BYTES));
    });
  });
}

/** `finish(state, y)`: divides y by the sums of powers (where nothing is allowed it stays 0), and puts log-sum-exps first in the state. */
export function writeFinish(module: ModuleWriter, { headDim }: AttentionKernel): Callable {
  return routine(module, ['state', 'y'], (code, { state, y }) => {
    const lanes = vectorLanes(code);
    const sums = loadRow(code, state, SUMS);
    const inverse = sums.map((sum) => code.let(v128.and(f32x4.div(lanes.float(1), sum), f32x4.ne(sum, lanes.float(0)))));
    scaleRows(code, y, headDim, inverse);
    loadRow(code, state).forEach((largest, half) => {
      const logarithm = log(lanes, sums[half] ?? lanes.float(0));
      code.effect(v128.store(state, f32x4.add(finiteOrZero(lanes, largest), logarithm), half * VECTOR_BYTES));
    });
  });
}
