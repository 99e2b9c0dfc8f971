/**
 * Patches: what windows see, packed for the micro-kernel a panel at a time, into a buffer that stays in the first-level cache.
 *
 * Four neighbouring positions of one row of a picture are one vector load; at the ends of rows, and with strides, elements are read singly.
 */

import type { Callable, Code } from '../assembler/code.ts';
import { i32, v128 } from '../assembler/instructions.ts';
import type { ModuleWriter } from '../assembler/module.ts';
import { routine } from '../assembler/routine.ts';
import type { Parameters } from '../assembler/routine.ts';
import type { I32, V128 } from '../assembler/value.ts';
import { transpose } from '../product/pack.ts';
import { LANES } from '../lanes/vector.ts';

const WORD_BYTES = 4;
const VECTOR_BYTES = 16;
/** Positions, or taps, of a panel. */
export const PANEL = 8;
const COLUMN_PATCH = ['buffer', 'positions', 'taps', 'count', 'picture'] as const;
const ROW_PATCH = ['buffer', 'positions', 'count', 'picture', 'taps'] as const;
/** From the first to the last of four neighbours. */
const NEIGHBOURS = (LANES - 1) * WORD_BYTES;

/** Loads four elements from addresses of their own. */
export function gather(code: Code, [a, b, c, d]: readonly I32[]): V128 {
  const result = code.local('v128');
  const zero = i32.const(0);
  code.set(result, v128.load32Zero(a ?? zero));
  code.set(result, v128.load32Lane(b ?? zero, result, 1));
  code.set(result, v128.load32Lane(c ?? zero, result, 2));
  code.set(result, v128.load32Lane(d ?? zero, result, 3));
  return result;
}

/** Are four places from `first` on neighbours? Places go up. */
export function isRun(places: readonly I32[], first: number): I32 {
  const [from, to] = [places[first], places[first + LANES - 1]];
  if (from === undefined || to === undefined) throw new TypeError('internal: no such place');
  return i32.eq(i32.sub(to, from), i32.const(NEIGHBOURS));
}

/** `columns(buffer, positions, taps, count, picture)`: `buffer[t][position]` for `count` taps and eight positions. */
function writeColumnPatch(code: Code, { buffer, positions, taps, count, picture }: Parameters<(typeof COLUMN_PATCH)[number]>): void {
  const places = Array.from({ length: PANEL }, (_, j) => code.let(i32.add(picture, i32.load(positions, j * WORD_BYTES))));
  const place = (j: number): I32 => places[j] ?? picture;
  const [low, high] = [code.let(isRun(places, 0)), code.let(isRun(places, LANES))];
  const loop = (lowRun: boolean, highRun: boolean): void => {
    code.while(count, () => {
      const tap = code.let(i32.load(taps));
      [lowRun, highRun].forEach((run, half) => {
        const first = half * LANES;
        const four = [0, 1, 2, 3].map((j) => i32.add(place(first + j), tap));
        const vector = run ? v128.load(four[0] ?? tap) : gather(code, four);
        code.effect(v128.store(buffer, vector, half * VECTOR_BYTES));
      });
      code.set(buffer, i32.add(buffer, i32.const(PANEL * WORD_BYTES)));
      code.set(taps, i32.add(taps, i32.const(WORD_BYTES)));
      code.set(count, i32.sub(count, i32.const(1)));
    });
  };
  code.if(
    low,
    () =>
      code.if(
        high,
        () => loop(true, true),
        () => loop(true, false),
      ),
    () =>
      code.if(
        high,
        () => loop(false, true),
        () => loop(false, false),
      ),
  );
}

/** `rows(buffer, positions, count, picture, taps)`: `buffer[position][t]` for `count` positions and eight taps. */
function writeRowPatch(code: Code, { buffer, positions, count, picture, taps }: Parameters<(typeof ROW_PATCH)[number]>): void {
  const rows = Array.from({ length: PANEL }, (_, j) => code.let(i32.add(picture, i32.load(taps, j * WORD_BYTES))));
  const row = (j: number): I32 => rows[j] ?? picture;
  const single = (index: number): void => {
    const offset = code.let(i32.load(positions, index * WORD_BYTES));
    for (let half = 0; half < PANEL; half += LANES) {
      const vector = gather(
        code,
        [0, 1, 2, 3].map((j) => i32.add(row(half + j), offset)),
      );
      code.effect(v128.store(buffer, vector, (index * PANEL + half) * WORD_BYTES));
    }
  };
  const advance = (steps: number): void => {
    code.set(buffer, i32.add(buffer, i32.const(steps * PANEL * WORD_BYTES)));
    code.set(positions, i32.add(positions, i32.const(steps * WORD_BYTES)));
    code.set(count, i32.sub(count, i32.const(steps)));
  };
  code.while(i32.geS(count, i32.const(LANES)), () => {
    const first = code.let(i32.load(positions));
    code.if(
      i32.eq(i32.sub(i32.load(positions, NEIGHBOURS), first), i32.const(NEIGHBOURS)),
      () => {
        for (let half = 0; half < PANEL; half += LANES) {
          const loaded = (j: number): V128 => code.let(v128.load(i32.add(row(half + j), first)));
          transpose(code, [loaded(0), loaded(1), loaded(2), loaded(3)]).forEach((vector, index) => {
            code.effect(v128.store(buffer, vector, (index * PANEL + half) * WORD_BYTES));
          });
        }
      },
      () => [0, 1, 2, 3].forEach(single),
    );
    advance(LANES);
  });
  code.while(count, () => {
    single(0);
    advance(1);
  });
}

/** The routine that packs patches with positions side by side. */
export function columnPatch(module: ModuleWriter): Callable {
  return routine(module, COLUMN_PATCH, writeColumnPatch);
}

/** The routine that packs patches with taps side by side. */
export function rowPatch(module: ModuleWriter): Callable {
  return routine(module, ROW_PATCH, writeRowPatch);
}
