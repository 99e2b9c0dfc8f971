import { expect, test } from 'vitest';
import { Throughput } from './throughput.ts';

test('images per second', () => {
  const throughput = new Throughput();
  expect(throughput.rate).toBe(0);
  throughput.resume(1000);
  throughput.add(64, 1000);
  expect(throughput.rate).toBe(0);
  throughput.add(64, 1500);
  expect(throughput.rate).toBe(256);
});

test('of the last moments: what was slow a while ago does not count', () => {
  const throughput = new Throughput();
  throughput.resume(0);
  throughput.add(10, 1000);
  for (let at = 1100; at <= 4000; at += 100) throughput.add(100, at);
  expect(throughput.rate).toBeCloseTo(1000);
});

test('a pause does not count, and what was before it does', () => {
  const throughput = new Throughput();
  throughput.resume(0);
  throughput.add(100, 100);
  throughput.resume(60_000);
  throughput.add(300, 60_100);
  expect(throughput.rate).toBe(2000);
});

test('another device begins anew', () => {
  const throughput = new Throughput();
  throughput.resume(0);
  throughput.add(100, 1000);
  throughput.reset();
  throughput.resume(2000);
  throughput.add(100, 2100);
  expect(throughput.rate).toBe(1000);
});
