import { expect, test } from 'vitest';
import { Throughput } from './throughput.ts';

test('images per second', () => {
  const throughput = new Throughput();
  expect(throughput.rate).toBe(0);
  throughput.begin(1000);
  throughput.add(64, 1000);
  expect(throughput.rate).toBe(0);
  throughput.add(64, 1500);
  expect(throughput.rate).toBe(256);
});

test('of the last moments: what was slow a while ago does not count', () => {
  const throughput = new Throughput();
  throughput.begin(0);
  throughput.add(10, 1000);
  for (let at = 1100; at <= 4000; at += 100) throughput.add(100, at);
  expect(throughput.rate).toBeCloseTo(1000);
});

test('a pause does not count', () => {
  const throughput = new Throughput();
  throughput.begin(0);
  throughput.add(100, 100);
  throughput.begin(60_000);
  throughput.add(50, 60_100);
  expect(throughput.rate).toBe(500);
});
