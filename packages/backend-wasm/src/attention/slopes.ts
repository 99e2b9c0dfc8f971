/** Attention, backward, element by element: scores become probabilities again, and slopes: gradients of the products of queries and keys. */

import type { AttentionKernel } from '@gradus/backend';
import type { Callable, Local } from '../assembler/code.ts';
import { f32, f32x4, i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { V128 } from '../assembler/value.ts';
import { LANES, vectorLanes } from '../lanes/vector.ts';
import { transpose } from '../product/pack.ts';
import { decay } from './decay.ts';
import { loadRow, scoresOf } from './softmax.ts';
import { HALVES, STRIP_BYTES, VECTOR_BYTES } from './strips.ts';

const WORD_BYTES = 4;
/** Queries of a block: probabilities and slopes with a block of keys take 32 KB each, and stay in the second-level cache. */
export const QUERY_BLOCK = 64;
/** Bytes of a strip of 8 keys, with a block of queries: `[queries][8]`. */
export const KEY_STRIP_BYTES = QUERY_BLOCK * STRIP_BYTES;

/**
 * `slopes(products, gradients, maskRow, keys, diagonal, ahead, lse, means, scale, byKeys, slopesByKeys)`, for a strip of queries and `keys` keys, in
 * fours: `products` (of queries and keys), `gradients` (of y, times values) and the mask are `[keys][8 queries]`. Slopes take the place of the
 * gradients; probabilities and slopes are also stored as strips of keys, `[key strips][QUERY_BLOCK][8 keys]`. `diagonal`, `ahead`: as in `softmax.ts`.
 */
export function writeSlopes(module: ModuleWriter, { mask }: AttentionKernel, relaxed: boolean): Callable {
  return routine(
    module,
    ['products', 'gradients', 'maskRow', 'keys', 'diagonal', 'ahead', 'lse', 'means', 'scale', 'byKeys', 'slopesByKeys'],
    (code, { products, gradients, maskRow, keys, diagonal, ahead, lse, means, scale, byKeys, slopesByKeys }) => {
      const lanes = vectorLanes(code);
      const factor = code.let(f32x4.splat(f32.reinterpretI32(scale)));
      const scores = scoresOf(lanes, mask, factor);
      const [shift, mean] = [loadRow(code, lse), loadRow(code, means)];
      // Whether the next four keys are the second half of their strip: then 1, else 0.
      const second = code.local('i32');
      const four = (causal: boolean): void => {
        for (let half = 0; half < HALVES; half++) {
          const [own, average] = [shift[half] ?? factor, mean[half] ?? factor];
          const rows = [0, 1, 2, 3].map((key): readonly [V128, V128] => {
            const offset = key * STRIP_BYTES + half * VECTOR_BYTES;
            const scaled = scores.scaled(v128.load(products, offset), maskRow, key * STRIP_BYTES, half);
            const score = causal ? scores.causal(scaled, i32.add(ahead, i32.const(key)), half) : scaled;
            const power = code.let(decay(lanes, relaxed, f32x4.sub(score, own)));
            const slope = code.let(f32x4.mul(f32x4.mul(power, factor), f32x4.sub(v128.load(gradients, offset), average)));
            code.effect(v128.store(gradients, slope, offset));
            return [power, slope];
          });
          const store = (to: Local<'i32'>, vectors: V128[]): void =>
            transpose(code, vectors).forEach((query, lane) => code.effect(v128.store(to, query, (half * LANES + lane) * STRIP_BYTES)));
          store(
            byKeys,
            rows.map(([power]) => power),
          );
          store(
            slopesByKeys,
            rows.map(([, slope]) => slope),
          );
        }
        for (const pointer of [products, gradients, ...(mask === 'none' ? [] : [maskRow])])
          code.set(pointer, i32.add(pointer, i32.const(LANES * STRIP_BYTES)));
        // To the second half of a strip, or from there to the next strip.
        const step = code.let(i32.add(i32.const(VECTOR_BYTES), i32.mul(second, i32.const(KEY_STRIP_BYTES - STRIP_BYTES))));
        for (const pointer of [byKeys, slopesByKeys]) code.set(pointer, i32.add(pointer, step));
        code.set(second, i32.sub(i32.const(1), second));
      };
      const step = i32.const(LANES);
      code.for(diagonal, () => four(false), i32.const(0), step);
      code.for(
        keys,
        () => {
          four(true);
          code.set(ahead, i32.add(ahead, step));
        },
        diagonal,
        step,
      );
    },
  );
}

/**
 * `terms(gradients, y, dims, source, lse, means, rows)`: of a strip, the means `Σ_d g · y` of its queries; and the log-sum-exps from `source`, with
 * +Infinity for -Infinity, so that rows with nothing allowed get probabilities of 0. Rows that are not there are copies of the last.
 */
export function writeTerms(module: ModuleWriter): Callable {
  return routine(module, ['gradients', 'y', 'dims', 'source', 'lse', 'means', 'rows'], (code, { gradients, y, dims, source, lse, means, rows }) => {
    const lanes = vectorLanes(code);
    const sums = Array.from({ length: HALVES }, () => code.local('v128'));
    code.for(dims, () => {
      sums.forEach((sum, half) => {
        const offset = half * VECTOR_BYTES;
        code.set(sum, f32x4.add(sum, f32x4.mul(v128.load(gradients, offset), v128.load(y, offset))));
      });
      for (const pointer of [gradients, y]) code.set(pointer, i32.add(pointer, i32.const(STRIP_BYTES)));
    });
    sums.forEach((sum, half) => code.effect(v128.store(means, sum, half * VECTOR_BYTES)));
    for (let row = 0; row < HALVES * LANES; row++) {
      code.effect(f32.store(lse, f32.load(source), row * WORD_BYTES));
      code.if(i32.gtS(rows, i32.const(row + 1)), () => code.set(source, i32.add(source, i32.const(WORD_BYTES))));
    }
    loadRow(code, lse).forEach((own, half) => {
      const none = code.let(f32x4.eq(own, lanes.float(-Infinity)));
      code.effect(v128.store(lse, lanes.selectFloat(none, lanes.float(Infinity), own), half * VECTOR_BYTES));
    });
  });
}
