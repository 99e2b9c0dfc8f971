/** Schedules against PyTorch, every step; and what sets them. */

import { readFileSync } from 'node:fs';
import { ArgumentError, Parameter, compile, tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { Adam, ReduceOnPlateau, SGD, Scheduler, cosine, join, linear, multiStep, oneCycle, scaledBy, scheduleFrom } from '../src/index.ts';
import type { PlateauOptions, ScheduleData } from '../src/index.ts';

interface Fixture {
  readonly schedules: readonly (ScheduleData & { readonly rates: readonly number[] })[];
  readonly losses: readonly number[];
  readonly plateaus: readonly { readonly options: PlateauOptions; readonly rates: readonly number[] }[];
}

const { schedules, losses, plateaus } = JSON.parse(readFileSync(new URL('fixtures/schedules.json', import.meta.url), 'utf8')) as Fixture;
const sgd = (lr: number): SGD => new SGD([new Parameter(tensor([1, 2]))], { lr, momentum: 0.9 });

// PyTorch goes from step to step and rounds on the way, by some 1e-16 in each: the bound allows for that and no more.
test.each(schedules.map((each) => ({ ...each, name: `${each.kind} ${JSON.stringify(each.arguments)}` })))(
  '$name',
  ({ kind, arguments: made, rates }) => {
    const schedule = scheduleFrom({ kind, arguments: made });
    const again = scheduleFrom(JSON.parse(JSON.stringify(schedule)) as ScheduleData);
    rates.forEach((rate, step) => {
      expect(Math.abs(schedule(step) - rate), `step ${step}: ${schedule(step)} for ${rate}`).toBeLessThan(1e-14);
      expect(again(step)).toBe(schedule(step));
    });
  },
);

test.each(plateaus)('plateau $options', ({ options, rates }) => {
  const optimizer = sgd(1);
  let plateau = new ReduceOnPlateau(optimizer, options);
  rates.forEach((rate, i) => {
    expect(Math.abs(optimizer.lr - rate)).toBeLessThan(1e-15);
    plateau.step(losses[i] ?? 0);
    const saved = plateau.stateDict();
    plateau = new ReduceOnPlateau(optimizer, options);
    plateau.loadStateDict(saved);
  });
});

describe('a scheduler', () => {
  test('sets any option, compiled or not, and keeps the ratios of groups', () => {
    const run = (compiled: boolean): unknown => {
      const [a, b] = [new Parameter(tensor([1, -2])), new Parameter(tensor([3]))];
      const optimizer = new Adam([{ parameters: [a] }, { parameters: [b], options: { lr: 0.025 } }], { lr: 0.1 });
      const scheduler = new Scheduler(optimizer, { lr: linear(0.1, 0.01, 6), betas: (step) => [0.9 - step / 100, 0.999] as const });
      const plain = (): void => {
        optimizer.minimize(a.square().sum().add(b.square().sum()));
        scheduler.step();
      };
      const step = compiled ? compile(plain) : plain;
      const rates = Array.from({ length: 6 }, () => {
        step();
        return [...optimizer.groups.map((group) => group.lr), optimizer.options.betas[0]];
      });
      expect(rates.every(([first = 0, second = 0]) => Math.abs(second - first / 4) < 1e-17)).toBe(true);
      expect(rates[0]?.[0]).toBeCloseTo(0.085, 12);
      expect(scheduler.stateDict()).toEqual({ steps: 6 });
      return [rates, [...a.dataSync()], [...b.dataSync()]];
    };
    expect(run(true)).toEqual(run(false));
  });

  test('goes on where it was', () => {
    const optimizer = sgd(1);
    const scheduler = new Scheduler(optimizer, { lr: cosine(1, 0, 10) });
    scheduler.loadStateDict({ steps: 5 });
    expect(optimizer.lr).toBeCloseTo(0.5, 12);
    expect(() => scheduler.loadStateDict({ steps: -1 })).toThrow(ArgumentError);
  });
});

test('scaledBy multiplies', () => {
  expect(scaledBy(linear(0, 1, 4), 3)(2)).toBe(1.5);
});

const mistakes: readonly [string, () => unknown, string][] = [
  ['no steps', () => cosine(1, 0, 0), '[cosine] expected steps an integer of at least 1, got 0'],
  ['a negative milestone', () => multiStep(1, [-1]), '[multiStep] expected milestone an integer of at least 0, got -1'],
  ['a share above 1', () => oneCycle(1, 10, { rise: 2 }), '[oneCycle] expected rise from 0 to 1, got 2'],
  ['too few boundaries', () => join([linear(0, 1, 2), cosine(1, 0, 3)], []), '[join] expected rising steps between schedules'],
  ['an unknown kind', () => scheduleFrom({ kind: 'sine', arguments: [] }), "got 'sine'"],
  ['a factor of 1', () => new ReduceOnPlateau(sgd(1), { factor: 1 }), '[ReduceOnPlateau] expected factor from 0 up to, without, 1, got 1'],
  ['a loss that is no number', () => new ReduceOnPlateau(sgd(1)).step(tensor(1) as never), 'Fix: pass await loss.item().'],
];
test.each(mistakes)('%s is refused', (_, act, message) => {
  expect(act).toThrow(ArgumentError);
  expect(act).toThrow(message);
});
