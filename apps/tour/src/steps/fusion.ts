/** Step 6: fusion. LeNet and the MLP as one: with a common head, and by vote. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fuse, hardVote, softVote, temperatureScaling } from '@gradus/ensemble';
import type { FusedModel, SoftVote, TemperatureScaling } from '@gradus/ensemble';
import { Module } from '@gradus/nn';
import { Parameter, clamp, full, log, mul, reshape, sum } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { writeImage } from '@gradus/vision-augment';
import { contactSheet } from '../contact-sheet.ts';
import { wholeBatch } from '../data.ts';
import { imageOf } from '../digits.ts';
import type { Measurement } from '../measure.ts';
import { CLASSES } from '../models.ts';
import { record } from '../record.ts';
import type { Tour } from '../tour.ts';
import { train } from '../training.ts';
import { count } from '../words.ts';
import type { Networks } from './network.ts';

/** Of Adam, for the two weights of the head, and images in a step: large and small, as two weights have a short way. */
const HEAD = { lr: 0.1, batchSize: 32 };

/** Of probabilities in logarithms: what is impossible stays finite. */
const LEAST = 1e-30;

/** Pictures of the images that the vote is least sure of. */
const DOUBTFUL = 8;

/**
 * A head that adds the branches' logits, each times a learned weight: a logarithmic opinion pool (Heskes, "Selecting weighting factors in
 * logarithmic opinion pools", 1998). It has so few weights that few held-out images are enough: a `Linear` of 210 learns their noise.
 */
class OpinionPool extends Module {
  /** `[branches, 1]`, equal ones that sum to 1 at first. */
  readonly weight: Parameter;
  readonly #branches: number;

  constructor(branches: number) {
    super();
    this.#branches = branches;
    this.weight = new Parameter(full([branches, 1], 1 / branches));
  }

  /** `[N, branches · 10]` to logits `[N, 10]`. */
  forward(logits: Tensor): Tensor {
    return sum(mul(reshape(logits, [-1, this.#branches, CLASSES]), this.weight), { axis: 1 });
  }
}

/** Both networks side by side, frozen, under a head that learns what each is worth, and begins as the mean of their logits. */
export function fused({ lenet, mlp }: Networks): { readonly model: FusedModel; readonly pool: OpinionPool } {
  const pool = new OpinionPool(2);
  return { model: fuse([lenet, mlp], { by: 'concatenate', head: pool, trainable: 'head' }), pool };
}

/** A vote as logits, divided by a temperature. */
class CalibratedVote extends Module {
  readonly vote: SoftVote;
  readonly scaling: TemperatureScaling;

  constructor(vote: SoftVote, scaling: TemperatureScaling) {
    super();
    this.vote = vote;
    this.scaling = scaling;
  }

  /** Logits `[N, 10]`. */
  forward(x: Tensor): Tensor {
    return this.scaling.forward(logOf(this.vote.forward(x)));
  }
}

const logOf = (probabilities: Tensor): Tensor => log(clamp(probabilities, { min: LEAST }));

/** Fuses, votes and calibrates. @throws the signal's reason */
export async function fusion(tour: Tour, networks: Networks): Promise<void> {
  const { data, journal, signal } = tour;
  signal.throwIfAborted();
  journal.begin('6. Fusion');
  const held = count(data.validation.length);
  journal.say(`Fused: LeNet and the MLP frozen, a head adds their logits with two weights, which it learns from the ${held} held-out images.`);
  const both = fused(networks);
  await trainHead(tour, both.model);
  signal.throwIfAborted();
  const [first = NaN, second = NaN] = (await both.pool.weight.data()) as Float32Array;
  journal.say(`Fused logits = ${first.toFixed(2)} · LeNet + ${second.toFixed(2)} · MLP`);
  await record(tour, { name: 'Fused', file: 'fused', model: both.model });

  const members = [networks.lenet, networks.mlp];
  const vote = softVote(members);
  const voted = await record(tour, { name: 'Soft vote', file: 'soft-vote', model: vote, output: 'probabilities' });
  await record(tour, { name: 'Hard vote', file: 'hard-vote', model: hardVote(members), output: 'classes' });

  const validation = await wholeBatch(data.validation);
  const { mean } = await vote.predict(validation[0]);
  const scaling = temperatureScaling(logOf(mean), validation[1]);
  const learned = softVote(members, { weights: 'learned', validation });
  const [share = NaN, rest = NaN] = (await learned.weights.data()) as Float32Array;
  journal.say(
    `Learned from the held-out images: temperature ${(await scaling.temperature.item()).toFixed(3)}; weights ${share.toFixed(2)} for LeNet, ${rest.toFixed(2)} for the MLP.`,
  );
  await record(tour, { name: 'Soft vote, temperature', file: 'soft-vote-temperature', model: new CalibratedVote(vote, scaling) });
  await showDoubtful(tour, voted);
}

/** Trains what is not frozen, on the held-out images. Stops, without an error, when the signal says so. */
export async function trainHead(tour: Tour, model: FusedModel): Promise<void> {
  const epochs = tour.settings.sizes.headEpochs;
  await train(tour, { name: 'Fused', model, images: tour.data.validation, epochs, ...HEAD });
}

/** A picture of the test images that the vote is least sure of. */
async function showDoubtful({ settings, data, journal }: Tour, { confidences, classes, labels }: Measurement): Promise<void> {
  if (confidences === null) return;
  const places = [...confidences.keys()].sort((a, b) => (confidences[a] ?? 0) - (confidences[b] ?? 0)).slice(0, DOUBTFUL);
  const images = [];
  for (const place of places) images.push(await imageOf(data.test, place));
  const sheet = contactSheet([images]);
  const file = join(settings.out, 'doubtful.png');
  await writeImage(file, sheet);
  const answers = places.map((place) => `${classes[place]} (is ${labels[place]})`).join(', ');
  const caption = `The test images that the soft vote is least sure of. Its answers: ${answers}.`;
  journal.picture({ caption, png: await readFile(file), width: sheet.width, height: sheet.height });
  journal.say(`The ${images.length} test images it is least sure of: ${file}`);
}
