import { UsageError } from '@gradus/mnist';
import { describe, expect, test } from 'vitest';
import { helpText, parseOptions } from './options.ts';

describe('parseOptions', () => {
  test('without arguments gives the defaults', () => {
    expect(parseOptions([])).toMatchObject({ epochs: 2, seed: 0, out: 'runs/tour', backend: undefined, sizes: { train: 20_000, test: 10_000 } });
  });

  test('takes every option, with a space or an equals sign, the last one given', () => {
    const args = '--epochs 1 --epochs=5 --seed 4294967295 --out some/where --backend cpu'.split(' ');
    expect(parseOptions(args)).toMatchObject({ epochs: 5, seed: 2 ** 32 - 1, out: 'some/where' });
  });

  test('with --quick is smaller everywhere, and an epoch is what is asked for', () => {
    const [full, quick] = [parseOptions([]), parseOptions(['--quick', '--epochs', '1'])];
    expect(quick?.epochs).toBe(1);
    for (const name of ['train', 'validation', 'test', 'small', 'smallEpochs', 'headEpochs'] as const)
      expect(quick?.sizes[name]).toBeLessThan(full?.sizes[name] ?? 0);
  });

  test('is null for help, whatever else is given', () => {
    expect(parseOptions(['--quick', '--help'])).toBeNull();
  });

  test.each([
    [['--epoch', '3'], 'there is no option --epoch; allowed: --epochs --seed'],
    [['now'], 'nothing is known about "now"; allowed: --epochs'],
    [['--epochs'], '--epochs needs a value: how often'],
    [['--epochs', '0'], '--epochs must be a whole number of at least 1, got "0"'],
    [['--seed', '-1'], '--seed needs a value'],
    [['--seed', '4294967296'], '--seed must be a whole number from 0 to 4294967295'],
    [['--backend', 'gpu'], '--backend must be wasm or webgpu or cpu, got "gpu"'],
    [['--quick=yes'], '--quick takes no value, got "yes"'],
    [['--out='], '--out needs a value'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

test('the help names every option, and fits a terminal of 120 columns', () => {
  const text = helpText();
  for (const name of ['epochs', 'seed', 'out', 'quick', 'backend', 'help']) expect(text).toContain(`  --${name}`);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
});
