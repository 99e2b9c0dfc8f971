import { describe, expect, test } from 'vitest';
import { UsageError } from './command-line.ts';
import { helpText, parseOptions } from './options.ts';

const defaults = {
  epochs: 3,
  batchSize: 64,
  lr: 5e-3,
  model: 'mlp',
  device: undefined,
  seed: 0,
  dataDir: undefined,
  dataset: 'mnist',
  out: 'runs/mnist/model.safetensors',
  limit: undefined,
};

describe('parseOptions', () => {
  test('without arguments gives the defaults', () => {
    expect(parseOptions([])).toEqual(defaults);
  });

  test('takes every option, with a space or an equals sign, the last one given', () => {
    const args =
      '--epochs 1 --epochs=2 --batch-size 32 --lr=1e-4 --model cnn --device cpu --seed 4294967295 --data-dir /data --dataset fashion-mnist --out x --limit 5';
    expect(parseOptions(args.split(' '))).toEqual({
      epochs: 2,
      batchSize: 32,
      lr: 1e-4,
      model: 'cnn',
      device: 'cpu',
      seed: 2 ** 32 - 1,
      dataDir: '/data',
      dataset: 'fashion-mnist',
      out: 'x',
      limit: 5,
    });
  });

  test('begins with a learning rate that suits the model', () => {
    expect(parseOptions(['--model', 'cnn'])?.lr).toBe(1e-3);
  });

  test('is null for help, whatever else is given', () => {
    expect(parseOptions(['--model', 'mlp', '--help'])).toBeNull();
  });

  test.each([
    [['--epoch', '3'], 'there is no option --epoch; allowed: --epochs --batch-size'],
    [['-e'], 'there is no option -e'],
    [['train'], 'nothing is known about "train"; allowed: --epochs'],
    [['--epochs'], '--epochs needs a value: how often every image is seen'],
    [['--epochs='], '--epochs needs a value'],
    [['--epochs', '--lr', '1'], '--epochs needs a value'],
    [['--epochs', '0'], '--epochs must be a whole number of at least 1, got "0"'],
    [['--epochs', '2.5'], '--epochs must be a whole number of at least 1, got "2.5"'],
    [['--epochs', 'three'], 'got "three"'],
    [['--batch-size', '1e2'], '--batch-size must be a whole number'],
    [['--seed', '4294967296'], '--seed must be a whole number from 0 to 4294967295'],
    [['--seed=-1'], '--seed must be a whole number from 0 to 4294967295, got "-1"'],
    [['--lr', '0'], '--lr must be a number above 0, got "0"'],
    [['--lr', 'Infinity'], '--lr must be a number above 0'],
    [['--limit', '0'], '--limit must be a whole number of at least 1'],
    [['--model', 'rnn'], '--model must be mlp or cnn, got "rnn"'],
    [['--device', 'gpu'], '--device must be wasm or webgpu or cpu, got "gpu"'],
    [['--dataset', 'cifar'], '--dataset must be mnist or fashion-mnist, got "cifar"'],
    [['--dataset', 'fashion-mnist'], '--dataset fashion-mnist needs --data-dir'],
    [['--help=yes'], '--help takes no value, got "yes"'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});

describe('helpText', () => {
  test('names every option with its default', () => {
    const text = helpText();
    for (const name of ['epochs', 'batch-size', 'lr', 'model', 'device', 'seed', 'data-dir', 'dataset', 'out', 'limit', 'help'])
      expect(text).toContain(`  --${name}`);
    for (const shown of [
      '3',
      '64',
      '0.005 for mlp, 0.001 for cnn',
      'mlp',
      'wasm, or cpu where there is no WebAssembly',
      '0',
      'mnist',
      'runs/mnist/model.safetensors',
    ])
      expect(text).toContain(`(default ${shown})`);
  });

  test('fits a terminal of 120 columns', () => {
    for (const line of helpText().split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});
