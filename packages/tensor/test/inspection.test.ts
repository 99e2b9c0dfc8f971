/** Looking inside: profiles, and the planner's rules. */

import { debug, compile, profile, randn, tensor } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { debugSettings } from '../src/debug-settings.ts';
import type { Plan } from '../src/lowering/plan.ts';
import { verifyDecisions, verifyItems, verifyPlan } from '../src/lowering/verify-plan.ts';

describe('profile', () => {
  const work = (x: Tensor): Tensor => x.matmul(x.transpose()).relu().sum();

  test.each([
    ['a function', work],
    ['a compiled function', compile(work)],
  ])('of %s names each kernel with its ops, and times it', async (_, fn) => {
    const x = randn([8, 8]);
    x.evaluate();
    const found = await profile(async () => {
      for (let i = 0; i < 3; i++) await fn(x).item();
    });
    const products = found.kernels.filter((k) => k.kernel === 'contract');
    expect(products).toEqual([expect.objectContaining({ ops: ['matmul'], outputs: ['float32[8, 8]'], calls: 3 })]);
    expect(found.events).toHaveLength(6);
    expect(found.events.every((e) => e.durationMs >= 0 && e.startMs + e.durationMs <= found.totalMs)).toBe(true);
    expect(found.kernelMs).toBeLessThanOrEqual(found.totalMs);
    expect(found.kernels.reduce((sum, k) => sum + k.share, 0)).toBeCloseTo(1, 9);
    expect(String(found)).toMatch(/^6 launches, .*\n.*share +calls.*\n(.*\n)*.*contract +matmul -> float32\[8, 8\]/);
    const trace = JSON.parse(found.chromeTrace()) as { traceEvents: { name: string; ph: string; ts: number; dur: number }[] };
    expect(trace.traceEvents).toHaveLength(6);
    expect(trace.traceEvents[0]).toMatchObject({ ph: 'X', cat: 'contract', name: 'matmul' });
  });

  test('ends when the function throws', async () => {
    await expect(
      profile(() => {
        throw new RangeError('mine');
      }),
    ).rejects.toThrow(RangeError);
    expect(debugSettings.observe).toBeNull();
  });
});

describe('the planner’s rules', () => {
  const plans: Plan[] = [];
  const planOf = (fn: () => void): Plan => {
    using _ = debug({ verify: true });
    debugSettings.verifyPlan = (plan) => void plans.push(plan);
    fn();
    return plans.pop() as Plan;
  };
  const plan = planOf(() =>
    tensor([1, 2, 3, 5])
      .softmax()
      .cos()
      .sum()
      .exp()
      .mul(tensor([2, 3, 7]))
      .evaluate(),
  );

  test('hold', () => {
    expect(plan.steps.length).toBeGreaterThan(2);
    expect(() => verifyPlan(plan)).not.toThrow();
  });

  test.each<[string, (p: Plan) => Plan, RegExp]>([
    ['steps in the wrong order', (p) => ({ ...p, steps: p.steps.toReversed() }), /read before it is written|not there/],
    ['a step that is missing', (p) => ({ ...p, steps: p.steps.slice(1) }), /read before it is written|not there/],
    ['memory given back too early', (p) => ({ ...p, endsAt: [p.startsAt[0] ?? [], ...p.endsAt.slice(1)] }), /not there/],
    ['a root without a place', (p) => ({ ...p, results: [] }), /has no place/],
  ])('%s: is found', (_, broken, message) => {
    expect(() => verifyPlan(broken(plan))).toThrow(message);
  });

  test('after the passes before: items out of order, a lost root, a head without memory', () => {
    const { items, stored } = plan;
    expect(() => verifyItems(items)).not.toThrow();
    expect(() => verifyItems(items.toReversed().map((item, slot) => ({ ...item, slot })))).toThrow(/comes before/);
    const none = { stored: new Uint8Array(stored.length), anchors: new Map<number, number>(), aliases: new Set<number>() };
    expect(() => verifyDecisions(items, none)).toThrow(/has no place/);
    expect(() => verifyDecisions(items, { ...none, anchors: new Map([[0, 1]]) })).toThrow(/has a kernel and no memory/);
    expect(() =>
      verifyDecisions(items, {
        ...none,
        anchors: new Map([
          [0, 2],
          [1, 2],
        ]),
      }),
    ).toThrow(/at the head of two/);
  });
});
