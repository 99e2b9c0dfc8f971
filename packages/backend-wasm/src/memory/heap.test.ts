/** The heap as it grows. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Heap, PAGE_BYTES } from './heap.ts';
import { ALIGNMENT } from './spans.ts';

describe('heap', () => {
  test('hands out aligned, disjoint memory, which keeps its contents as the heap grows', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 * PAGE_BYTES }), { minLength: 1, maxLength: 12 }), (sizes) => {
        const heap = new Heap(false);
        const places = sizes.map((size, i) => {
          const address = heap.take(size);
          heap.bytes.fill(i + 1, address, address + size);
          return address;
        });
        places.forEach((address, i) => {
          expect(address % ALIGNMENT).toBe(0);
          expect(address).toBeGreaterThan(0);
          const own = heap.bytes.subarray(address, address + (sizes[i] ?? 0));
          expect(own.every((byte) => byte === i + 1)).toBe(true);
        });
      }),
      { numRuns: 30 },
    );
  });

  test('views are of one memory, before growing and after', () => {
    const heap = new Heap(false);
    const first = heap.take(8);
    heap.words[first / 4] = 0x40490fdb;
    const before = heap.bytes.length;
    const second = heap.take(2 * before);
    expect(heap.bytes.length).toBeGreaterThan(2 * before);
    expect(heap.floats[first / 4]).toBe(Math.fround(Math.PI));
    heap.floats[second / 4 + 1] = 1;
    expect(heap.words[second / 4 + 1]).toBe(0x3f800000);
    expect([heap.words.buffer, heap.floats.buffer]).toEqual([heap.bytes.buffer, heap.bytes.buffer]);
  });

  test('what is given back is handed out again: no growth in the long run', () => {
    const heap = new Heap(false);
    const sizes = Array.from({ length: 50 }, (_, i) => ((i * 7919) % 5000) + 1);
    const round = (): void => {
      const places = sizes.map((size) => heap.take(size));
      places.toReversed().forEach((address, i) => heap.give(address, sizes[sizes.length - 1 - i] ?? 0));
    };
    round();
    const after = heap.bytes.length;
    for (let i = 0; i < 1000; i++) round();
    expect(heap.bytes.length).toBe(after);
  });

  test('what the address space cannot hold gives -1, and leaves the heap usable', () => {
    const heap = new Heap(false);
    const before = heap.bytes.length;
    expect(heap.take(2 ** 32)).toBe(-1);
    expect(heap.bytes.length).toBe(before);
    expect(heap.take(100)).toBeGreaterThan(0);
  });
});
