/** The kit on backends that are right, and on ones with a mistake that only training shows. */

import { cpu } from '@gradus/backend-cpu';
import { withChanges, withoutFastPaths } from '@gradus/backend-testkit';
import type { Arg, Backend, Executable, Kernel } from '@gradus/backend';
import { describe, expect, test } from 'vitest';
import { trainingConformance, trainingReport } from '../src/index.ts';

describe('cpu', () => {
  for (const check of trainingConformance(() => cpu())) test(check.name, check.run);
});

describe('three kernels', () => {
  for (const check of trainingConformance(() => withoutFastPaths(cpu()))) test(check.name, check.run);
});

/** Plants a mistake: what `change` makes of the arguments of a run of these kernels. */
function broken(concerns: (kernel: Kernel) => boolean, change: (dims: Int32Array) => Int32Array | null): () => Backend {
  return () => {
    const inner = cpu();
    return withChanges(inner, {
      run: (executable: Executable, args: readonly Arg[], dims: Int32Array) => {
        if (!concerns(executable.kernel)) inner.run(executable, args, dims);
        else {
          const changed = change(dims);
          if (changed !== null) inner.run(executable, args, changed);
        }
      },
    });
  };
}

/** `dims` with its last size one smaller: the last column, row or element is left as it was. */
const short = (at: number) => (dims: Int32Array) => {
  const changed = dims.slice();
  changed[at] = Math.max(0, (changed[at] ?? 0) - 1);
  return changed;
};

/** Each mistake, and the checks of which at least one must find it. */
const mutants: readonly [string, () => Backend, RegExp][] = [
  [
    'a convolution’s filter gradient that is never computed',
    broken(
      (k) => k.kind === 'convolution' && k.pass === 'filterGradient',
      () => null,
    ),
    /CNN|convolution/,
  ],
  [
    'a convolution’s input gradient that is never computed',
    broken(
      (k) => k.kind === 'convolution' && k.pass === 'inputGradient',
      () => null,
    ),
    /CNN|convolution/,
  ],
  [
    'a pool’s gradient that is never computed',
    broken(
      (k) => k.kind === 'pool' && k.pass === 'backward',
      () => null,
    ),
    /CNN|pool/,
  ],
  ['a softmax that skips the last row', broken((k) => k.kind === 'rowwise' && k.pass === 'forward', short(0)), /softmax|Norm|MLP/],
  ['a softmax gradient that skips the last row', broken((k) => k.kind === 'rowwise' && k.pass === 'backward', short(0)), /softmax|Norm|MLP/],
  ['an attention that skips the last sequence', broken((k) => k.kind === 'attention' && k.pass === 'forward', short(0)), /attention|transformer/],
  [
    'an attention gradient that skips the last sequence',
    broken((k) => k.kind === 'attention' && k.pass === 'backward', short(0)),
    /attention|transformer/,
  ],
  [
    'scatters that do nothing',
    broken(
      (k) => k.kind === 'scatter',
      () => null,
    ),
    /gather|transformer/,
  ],
  ['a scan that skips the last row', broken((k) => k.kind === 'scan', short(0)), /cumsum/],
  ['a sort that skips the last row', broken((k) => k.kind === 'sort', short(0)), /sort/],
  ['places of maxima that skip the last row', broken((k) => k.kind === 'argReduce', short(0)), /gather/],
];

describe('mistakes are found', () => {
  test.each(mutants)('%s', async (_, create, where) => {
    const failures: string[] = [];
    for (const check of trainingConformance(create).filter((c) => where.test(c.name))) {
      await check.run().catch((error: unknown) => failures.push(`${check.name}: ${String(error)}`));
      if (failures.length > 0) break;
    }
    expect(failures).not.toEqual([]);
  });
});

test('the report names every network and both forms', async () => {
  const report = await trainingReport(() => cpu());
  for (const word of ['MLP', 'CNN', 'transformer', 'LSTM', 'plain', 'compiled']) expect(report).toContain(word);
  expect(report.match(/\d+\.\d{3} ms/g)).toHaveLength(8);
});
