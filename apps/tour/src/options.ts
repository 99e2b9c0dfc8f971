/** The command line: what may be given, what it means, and the text that says so. */

import { DEFAULT_DEVICE_TEXT, DEVICE_NAMES, helpLines, oneOf, parseArguments, wholeNumber } from '@gradus/mnist';
import type { DeviceName, OptionTable } from '@gradus/mnist';

/** How much is trained and tested on. */
export interface Sizes {
  /** Images that LeNet and the MLP are trained on. */
  readonly train: number;
  /** Held-out training images: for curves, the head of the fused model, weights of votes, and the temperature. */
  readonly validation: number;
  /** Test images, which nothing is chosen by. */
  readonly test: number;
  /** Images of the training with and without augmentation, and how often each is seen. */
  readonly small: number;
  readonly smallEpochs: number;
  /** How often the head of the fused model sees the held-out images. */
  readonly headEpochs: number;
}

/** Everything that decides a tour. */
export interface Settings {
  /** How often LeNet and the MLP see their images. */
  readonly epochs: number;
  readonly seed: number;
  /** The folder for everything that is written. */
  readonly out: string;
  /** Undefined: the fastest there is. */
  readonly backend: DeviceName | undefined;
  readonly sizes: Sizes;
}

/** Takes about a minute on wasm, four on cpu. */
const FULL: Sizes = { train: 20_000, validation: 2_000, test: 10_000, small: 1_000, smallEpochs: 15, headEpochs: 5 };
/** Takes under half a minute on wasm. Networks that have seen so little gain nothing from augmentation or fusion. */
const QUICK: Sizes = { train: 2_000, validation: 500, test: 2_000, small: 300, smallEpochs: 10, headEpochs: 3 };

const OPTIONS = {
  epochs: { value: 'N', default: '2, 3 with --quick', text: 'how often LeNet and the MLP see their images' },
  seed: { value: 'N', default: '0', text: 'of weights, order and augmentation: the same seed gives the same results' },
  out: { value: 'FOLDER', default: 'runs/tour', text: 'where the report, pictures and weights go' },
  quick: { text: `a quick look: ${QUICK.train.toLocaleString('en')} images in place of ${FULL.train.toLocaleString('en')}, worse results` },
  backend: { value: DEVICE_NAMES.join('|'), default: DEFAULT_DEVICE_TEXT, text: 'what computes' },
  help: { text: 'print this text' },
} as const satisfies OptionTable;

/** What `--help` prints. */
export function helpText(): string {
  return [
    'Six steps through gradus on MNIST: network, loss, optimizer, augmentation, compression, fusion.',
    '',
    'npm run tour -- [options]',
    '',
    ...helpLines(OPTIONS),
    '',
    'Ctrl-C stops and writes the report of what there is; once more, a second later, exits at once.',
  ].join('\n');
}

/** The settings that arguments ask for; null for help. @throws UsageError that says what was given and what is allowed */
export function parseOptions(args: readonly string[]): Settings | null {
  const given = parseArguments(OPTIONS, args);
  if (given.has('help')) return null;
  const quick = given.has('quick');
  return {
    epochs: wholeNumber('epochs', given.get('epochs') ?? (quick ? '3' : '2'), 1),
    seed: wholeNumber('seed', given.get('seed') ?? OPTIONS.seed.default, 0, 2 ** 32 - 1),
    out: given.get('out') ?? OPTIONS.out.default,
    backend: given.has('backend') ? oneOf('backend', given.get('backend') ?? '', DEVICE_NAMES) : undefined,
    sizes: quick ? QUICK : FULL,
  };
}
