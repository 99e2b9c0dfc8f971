import { expect, test } from 'vitest';
import { ReadAhead } from './read-ahead.ts';

const times = (count: number, milliseconds: number): number[] => Array.from({ length: count }, () => milliseconds);

/** Results that each take so long by a clock of their own. */
async function run(milliseconds: readonly number[]): Promise<{ results: number[]; most: number[] }> {
  let clock = 0;
  const results: number[] = [];
  const most: number[] = [];
  const ahead = new ReadAhead<number>(
    () => clock,
    (result) => results.push(result),
  );
  for (const [i, each] of milliseconds.entries()) {
    await ahead.add(Promise.resolve(i));
    most.push(ahead.most);
    clock += each;
  }
  await ahead.finish();
  return { results, most };
}

test('results come in order, all of them', async () => {
  expect((await run(times(20, 1))).results).toEqual(Array.from({ length: 20 }, (_, i) => i));
});

test('fast results are left under way, up to eight', async () => {
  expect((await run(times(40, 1))).most.at(-1)).toBe(8);
});

test('slow ones are not', async () => {
  const { most } = await run([...times(40, 1), ...times(10, 300)]);
  expect(most.at(-1)).toBe(1);
  expect(Math.max(...(await run(times(20, 300))).most)).toBe(1);
});

test('what fails is thrown where it is waited for, once', async () => {
  const ahead = new ReadAhead<number>(
    () => 0,
    () => undefined,
  );
  await ahead.add(Promise.reject(new TypeError('lost')));
  await expect(ahead.add(Promise.resolve(1))).rejects.toThrow('lost');
  await ahead.finish();
});
