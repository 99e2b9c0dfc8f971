/** Step 5: compression. The MLP with weights in 8 and in 4 bits. */

import { Linear } from '@gradus/nn';
import { int4WeightOnly, quantizeDynamic } from '@gradus/quantize';
import { shareOfEqual } from '../measure.ts';
import { record } from '../record.ts';
import type { Recorded } from '../record.ts';
import type { Tour } from '../tour.ts';
import { percent, points } from '../words.ts';
import type { Networks } from './network.ts';

/** Weights that share a scale in 4 bits: the largest that divides 784, 512 and 256. */
const GROUP_SIZE = 16;

/** Quantizes the MLP in two ways, and compares each with what it was. @throws the signal's reason */
export async function compression(tour: Tour, { mlp }: Networks, before: Recorded): Promise<void> {
  const { journal, signal } = tour;
  signal.throwIfAborted();
  journal.begin('5. Compression');
  const ways = [
    { name: 'MLP, int8 dynamic', file: 'mlp-int8', quantized: quantizeDynamic(mlp, [Linear], { dtype: 'qint8' }) },
    { name: 'MLP, int4 weights', file: 'mlp-int4', quantized: int4WeightOnly(mlp, { groupSize: GROUP_SIZE }) },
  ];
  for (const { name, file, quantized } of ways) {
    const after = await record(tour, { name, file, model: quantized.model });
    journal.say(
      `${name}: accuracy ${points(after.accuracy - before.accuracy)} points, ${percent(shareOfEqual(after.classes, before.classes))} of answers as before, file ${(before.bytes / after.bytes).toFixed(2)} × smaller, ${percent(quantized.report.totals.coverage, 1)} of the bytes quantized.`,
    );
  }
}
