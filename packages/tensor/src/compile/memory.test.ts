/** Laying out memory: what is alive at the same time never shares it. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutApart, layOutInOne } from './memory.ts';
import type { MemoryLayout, Span } from './memory.ts';

const spans = fc.array(
  fc
    .record({ bytes: fc.nat({ max: 1000 }), first: fc.nat({ max: 20 }), length: fc.nat({ max: 8 }) })
    .map(({ bytes, first, length }): Span => ({ bytes, first, last: first + length })),
  { maxLength: 30 },
);

function check(layout: MemoryLayout, all: readonly Span[]): void {
  for (const [i, a] of all.entries()) {
    const place = layout.places[i];
    expect(place).toBeDefined();
    if (place === undefined) continue;
    expect(place.offset % 64).toBe(0);
    expect(place.offset + a.bytes).toBeLessThanOrEqual(layout.blockBytes[place.block] ?? -1);
    for (const [j, b] of all.slice(0, i).entries()) {
      const other = layout.places[j];
      if (other === undefined || other.block !== place.block || a.first > b.last || b.first > a.last || a.bytes === 0 || b.bytes === 0) continue;
      expect(place.offset >= other.offset + b.bytes || other.offset >= place.offset + a.bytes).toBe(true);
    }
  }
}

describe.each([
  ['in one block', layOutInOne],
  ['in blocks apart', layOutApart],
])('%s', (__, layOut) => {
  test('values alive at the same time lie apart, each within its block', () => {
    fc.assert(fc.property(spans, (all) => check(layOut(all), all)));
  });

  test('values one after the other share', () => {
    const chain = Array.from({ length: 10 }, (_, i): Span => ({ bytes: 256, first: i, last: i + 1 }));
    expect(layOut(chain).blockBytes.reduce((a, b) => a + b, 0)).toBe(512);
    expect(layOut([]).blockBytes).toEqual([]);
  });
});
