import { afterEach, describe, expect, test, vi } from 'vitest';
import { takeTurns } from './event-loop.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

let clock = 1e9; // later than the real one, which another test may have left behind
/** Sets the clock that the loaders see to `ms` later. */
function later(ms: number): void {
  clock += ms;
  vi.spyOn(performance, 'now').mockReturnValue(clock);
}

/** Did `fn` wait for a turn of the event loop? Otherwise it has ended after a few microtasks. */
async function waited(fn: () => Promise<void>): Promise<boolean> {
  let ended = false;
  const running = fn().then(() => {
    ended = true;
  });
  for (let i = 0; i < 100; i++) await Promise.resolve();
  const waits = !ended;
  await running;
  return waits;
}

describe('takeTurns', () => {
  test('gives the event loop a turn after 50 ms, not before', async () => {
    later(1000);
    expect(await waited(takeTurns)).toBe(true);
    expect(await waited(takeTurns)).toBe(false);
    later(49);
    expect(await waited(takeTurns)).toBe(false);
    later(1);
    expect(await waited(takeTurns)).toBe(true);
  });

  test('does so without setImmediate, as in browsers', async () => {
    vi.stubGlobal('setImmediate', undefined);
    later(1000);
    expect(await waited(takeTurns)).toBe(true);
    expect(await waited(takeTurns)).toBe(false);
  });
});
