import { expect, test } from 'vitest';
import { openDevice, threadsFor } from './devices.ts';

test('wasm has a thread for each processor but the page’s own, four at most, where threads may share memory', () => {
  expect([1, 2, 4, 16].map((processors) => threadsFor({ isolated: true, processors }))).toEqual([1, 1, 3, 4]);
  expect(threadsFor({ isolated: false, processors: 16 })).toBe(1);
});

test('cpu is there everywhere; what nobody knows is refused', async () => {
  expect((await openDevice('cpu')).name).toBe('cpu');
  await expect(openDevice('quantum' as 'cpu')).rejects.toThrow('expected cpu, wasm or webgpu, got "quantum"');
});
