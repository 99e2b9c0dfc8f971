/** Step 4: augmentation. What it does to pictures, and what it does for a network that has few of them. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { subset } from '@gradus/data';
import type { LabelledImages } from '@gradus/data';
import { manualSeed } from '@gradus/tensor';
import {
  affine,
  colorJitter,
  compose,
  erase,
  gaussianBlur,
  gaussianNoise,
  horizontalFlip,
  oneOf,
  randomResizedCrop,
  readImage,
  writeImage,
} from '@gradus/vision-augment';
import type { Augmentation, Image } from '@gradus/vision-augment';
import { AugmentedImages } from '../augmented-images.ts';
import { contactSheet } from '../contact-sheet.ts';
import { imageOf } from '../digits.ts';
import type { Curve } from '../journal.ts';
import { learn } from '../learn.ts';
import { RATES, lenet } from '../models.ts';
import type { Tour } from '../tour.ts';
import { count, percent, points } from '../words.ts';

/** Of the contact sheet. */
const COLUMNS = 8;
/** Rows of the photo, and different digits, each with its augmented pictures in one row. */
const PHOTO_ROWS = 2;
const DIGIT_ROWS = 4;

/** Images in a step: few images, and so small batches. */
const BATCH = 25;

/** What a photo may go through. */
const forPhotos: Augmentation = compose([
  affine({ degrees: [-20, 20], shearX: [-10, 10], fill: 128 }),
  randomResizedCrop([192, 192], { scale: [0.4, 1] }),
  horizontalFlip({ p: 0.5 }),
  colorJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.4, hue: 0.03 }),
  oneOf([gaussianBlur({ sigma: [0.5, 2] }), gaussianNoise({ sigma: [4, 16] }), erase({ scale: [0.02, 0.15], fill: 128 })], { p: 0.6 }),
]);

/** What a digit may go through and still be the same digit: not mirrored, not upside down. */
const forDigits: Augmentation = compose([
  affine({ degrees: [-12, 12], translateX: [-0.08, 0.08], translateY: [-0.08, 0.08], scale: [0.9, 1.1], shearX: [-10, 10] }),
]);

/** Makes the contact sheet, and trains LeNet on few images without and with augmentation. @throws the signal's reason */
export async function augmentation(tour: Tour): Promise<void> {
  const { settings, data, journal, signal } = tour;
  signal.throwIfAborted();
  journal.begin('4. Augmentation');
  await showSheet(tour);

  const { small, smallEpochs } = settings.sizes;
  const few = subset(data.train, 0, small);
  journal.say(`LeNet on ${count(small)} images only, ${smallEpochs} epochs, from the same initial weights, without and with augmentation:`);
  const augmented = new AugmentedImages(few, forDigits, settings.seed);
  const curves: Curve[] = [];
  journal.chart({ title: 'Held-out images right, of a network with few images', x: 'epoch', y: 'share', curves });
  const accuracyWith = async (name: string, file: string, images: LabelledImages, onEpoch?: (number: number) => void): Promise<number> => {
    manualSeed(settings.seed);
    const model = lenet();
    const plan = { images, epochs: smallEpochs, lr: RATES.lenet, batchSize: BATCH, onEpoch };
    const { accuracy } = await learn(tour, { name, file, model }, plan, (trained) => void curves.push(trained.accuracy));
    model.dispose();
    return accuracy;
  };
  const plain = await accuracyWith('LeNet, few images', 'lenet-few', few);
  const varied = await accuracyWith('LeNet, few, augmented', 'lenet-few-augmented', augmented, (number) => (augmented.epoch = number));
  journal.say(`Accuracy ${percent(plain)} without augmentation, ${percent(varied)} with it: ${points(varied - plain)} points.`);
}

/** Writes the contact sheet: a photo and digits, each with what augmentation makes of it. */
async function showSheet({ settings, data, journal }: Tour): Promise<void> {
  const photo = await readImage(new URL('../../assets/cat.jpg', import.meta.url));
  const made = (image: Image, by: Augmentation, from: number, to: number): Image[] =>
    Array.from({ length: to - from }, (_, i) => by({ image }, { seed: settings.seed, index: from + i }).image);
  const photos = [photo, ...made(photo, forPhotos, 1, PHOTO_ROWS * COLUMNS)];
  const rows = Array.from({ length: PHOTO_ROWS }, (_, row) => photos.slice(row * COLUMNS, (row + 1) * COLUMNS));
  for (let row = 0; row < DIGIT_ROWS; row++) {
    const digit = await imageOf(data.train, row);
    rows.push([digit, ...made(digit, forDigits, 1 + row * COLUMNS, (row + 1) * COLUMNS)]);
  }
  const sheet = contactSheet(rows);
  const file = join(settings.out, 'augmentation.png');
  await writeImage(file, sheet);
  const caption = 'A photo and four digits of MNIST, each followed by what augmentation makes of it.';
  journal.picture({ caption, png: await readFile(file), width: sheet.width, height: sheet.height });
  journal.say(`Contact sheet, ${rows.length} × ${COLUMNS} pictures: ${file}`);
}
