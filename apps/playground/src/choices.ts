/** What a visitor chooses from, as plain data: the page shows it, the worker makes it, the build serves it. */

/** Something to choose, and how it is shown. */
interface Choice {
  readonly title: string;
  readonly text: string;
}

/** The networks, from the smallest to the largest. */
export const MODEL_CHOICES = {
  linear: { title: 'Linear', text: 'softmax regression: every pixel votes · 7,850 weights' },
  mlp: { title: 'MLP', text: 'one hidden layer of 128 units · 101,770 weights' },
  'cnn-small': { title: 'Small CNN', text: '8 and 16 filters, two poolings · 9,098 weights' },
  cnn: { title: 'CNN', text: '32 and 64 filters, batch norm, dropout · 421,834 weights' },
} as const satisfies Readonly<Record<string, Choice>>;

/** The name of a network, as in the files it is saved in. */
export type ModelName = keyof typeof MODEL_CHOICES;

/** What can compute. */
export const DEVICE_CHOICES = {
  cpu: { title: 'cpu', text: 'plain JavaScript: the reference, slow' },
  wasm: { title: 'wasm', text: 'WebAssembly with SIMD, written for this network' },
  webgpu: { title: 'webgpu', text: 'the graphics card' },
} as const satisfies Readonly<Record<string, Choice>>;

/** The name of a device. */
export type DeviceName = keyof typeof DEVICE_CHOICES;

/** A class of images: as a word, and as what fits a narrow column. */
export interface ClassName {
  readonly name: string;
  readonly short: string;
}

interface DatasetChoice extends Choice {
  readonly classes: readonly ClassName[];
}

const DIGITS: readonly ClassName[] = Array.from({ length: 10 }, (_, digit) => ({ name: String(digit), short: String(digit) }));

/** Names as in the data set's own description, https://github.com/zalandoresearch/fashion-mnist. */
const CLOTHES: readonly ClassName[] = [
  { name: 'T-shirt', short: 'Ts' },
  { name: 'Trouser', short: 'Tr' },
  { name: 'Pullover', short: 'Pu' },
  { name: 'Dress', short: 'Dr' },
  { name: 'Coat', short: 'Co' },
  { name: 'Sandal', short: 'Sa' },
  { name: 'Shirt', short: 'Sh' },
  { name: 'Sneaker', short: 'Sn' },
  { name: 'Bag', short: 'Ba' },
  { name: 'Boot', short: 'Bo' },
];

/** The data sets: 60,000 images to train on and 10,000 others to test with, 28 × 28 pixels, of ten classes. */
export const DATASET_CHOICES: Readonly<Record<DatasetName, DatasetChoice>> = {
  mnist: { title: 'MNIST', text: 'handwritten digits', classes: DIGITS },
  'fashion-mnist': { title: 'Fashion-MNIST', text: 'pictures of clothes', classes: CLOTHES },
};

/** The name of a data set. */
export type DatasetName = 'mnist' | 'fashion-mnist';

/** The four files of a data set, as their authors named them. */
export const DATA_FILES = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'] as const;

/** The name of a data file. */
export type DataFileName = (typeof DATA_FILES)[number];

/** Classes of either data set. */
export const CLASSES = 10;

/** Pixels along each side of an image. */
export const SIDE = 28;

/** Learning rates of Adam, slow to fast. */
export const RATE_CHOICES = [0.0003, 0.001, 0.003, 0.01] as const;

/** Images in a training step. */
export const BATCH_CHOICES = [32, 64, 128, 256] as const;
