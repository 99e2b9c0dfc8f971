import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Interrupt } from './interrupt.ts';

test('the first Ctrl-C asks to stop, its echo is ignored, a later one exits', () => {
  const source = new EventEmitter();
  const exits: number[] = [];
  let clock = 5000;
  using interrupt = new Interrupt(source, (code) => exits.push(code), () => clock); // prettier-ignore
  expect(interrupt.signal.aborted).toBe(false);
  source.emit('SIGINT');
  expect(interrupt.signal.aborted).toBe(true);
  clock += 999;
  source.emit('SIGINT');
  expect(exits).toEqual([]);
  clock += 1;
  source.emit('SIGINT');
  expect(exits).toEqual([130]);
});

test('listens no longer than it is asked to', () => {
  const source = new EventEmitter();
  new Interrupt(source, () => undefined)[Symbol.dispose]();
  expect(source.listenerCount('SIGINT')).toBe(0);
});
