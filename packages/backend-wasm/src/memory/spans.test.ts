/** Free spans against a model that marks every unit of a small range. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALIGNMENT, FreeSpans, paddedSize } from './spans.ts';

const UNITS = 64;

/** Free units of the model, as runs from first to last. */
function runsOf(taken: readonly boolean[]): { start: number; length: number }[] {
  const runs: { start: number; length: number }[] = [];
  taken.forEach((used, unit) => {
    if (used) return;
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.length === unit) last.length++;
    else runs.push({ start: unit, length: 1 });
  });
  return runs;
}

/** Takes so many units, or gives back the taken span of that number (modulo how many there are). */
type Action = { readonly take: number } | { readonly give: number };
const action: fc.Arbitrary<Action> = fc.oneof(fc.record({ take: fc.integer({ min: 1, max: 20 }) }), fc.record({ give: fc.nat({ max: 1000 }) }));

describe('free spans', () => {
  test('never overlap, join their neighbours, take the smallest that fits, and all come back', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const spans = new FreeSpans();
        spans.give(0, UNITS * ALIGNMENT);
        const taken = Array.from({ length: UNITS }, () => false);
        const held: { start: number; length: number }[] = [];
        const mark = (start: number, length: number, used: boolean): void => {
          for (let unit = start; unit < start + length; unit++) {
            expect(taken[unit]).toBe(!used);
            taken[unit] = used;
          }
        };
        const giveBack = (at: number): void => {
          const [span] = held.splice(at, 1);
          if (span === undefined) return;
          spans.give(span.start * ALIGNMENT, span.length * ALIGNMENT);
          mark(span.start, span.length, false);
        };
        for (const next of actions) {
          if ('give' in next) {
            if (held.length > 0) giveBack(next.give % held.length);
          } else {
            const fits = runsOf(taken).filter((run) => run.length >= next.take);
            const offset = spans.take(next.take * ALIGNMENT);
            if (fits.length === 0) expect(offset).toBe(-1);
            else {
              const least = Math.min(...fits.map((run) => run.length));
              expect(fits.filter((run) => run.length === least).map((run) => run.start * ALIGNMENT)).toContain(offset);
              mark(offset / ALIGNMENT, next.take, true);
              held.push({ start: offset / ALIGNMENT, length: next.take });
            }
          }
          const last = runsOf(taken).at(-1);
          const atEnd = last !== undefined && last.start + last.length === UNITS ? last.length : 0;
          expect(spans.freeAtEnd(UNITS * ALIGNMENT)).toBe(atEnd * ALIGNMENT);
        }
        while (held.length > 0) giveBack(held.length >> 1);
        expect(spans.take(UNITS * ALIGNMENT)).toBe(0);
        expect(spans.take(ALIGNMENT)).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });

  test('sizes are whole lines, one at least', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 32 }), (bytes) => {
        const size = paddedSize(bytes);
        expect(size % ALIGNMENT).toBe(0);
        expect(size).toBeGreaterThanOrEqual(Math.max(bytes, ALIGNMENT));
        expect(size - bytes).toBeLessThan(bytes === 0 ? ALIGNMENT + 1 : ALIGNMENT);
      }),
    );
  });
});
