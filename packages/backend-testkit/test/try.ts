import { conformance } from '../src/index.ts';
import { minimalBackend } from './minimal-backend.ts';
import { createCpu } from '../../backend-cpu/src/create.ts';
import { describeBackend } from '../src/index.ts';
const make = process.argv[2] === undefined ? minimalBackend : () => createCpu({ interpret: process.argv[2] === 'interpret' });
console.log(describeBackend(make()));
let n = 0,
  failed = 0;
const t0 = performance.now();
const slow: [number, string][] = [];
for (const check of conformance(make)) {
  n++;
  const t = performance.now();
  try {
    await check.run();
  } catch (e) {
    failed++;
    if (failed < 12) console.log((e as Error).message, (e as Error).name === 'ConformanceError' ? '' : (e as Error).stack);
  }
  slow.push([performance.now() - t, check.name]);
}
console.log(n, failed, performance.now() - t0);
console.log(slow.sort((a, b) => b[0] - a[0]).slice(0, 12));
const by = new Map<string, number>();
for (const [t, name] of slow) {
  const k = name.split(' / ').slice(0, 2).join(' / ');
  by.set(k, (by.get(k) ?? 0) + t);
}
console.log(
  [...by]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 25)
    .map(([k, t]) => `${k}: ${t.toFixed(0)}`)
    .join('\n'),
);
