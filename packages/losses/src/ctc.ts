/**
 * Connectionist temporal classification: the probability that a sequence of frames spells a shorter sequence of labels, whatever the timing.
 * Graves and others, "Connectionist Temporal Classification", 2006.
 *
 * The *path* has the labels with blanks around and between them, L = 2S + 1 places. `α_t(l)` is the log probability of all ways to be at place
 * l after frame t: from l or l - 1, and from l - 2 where that skips a blank between different labels. One map of `[N, L]` a frame.
 */

import {
  ArgumentError,
  DTypeError,
  ShapeError,
  add,
  arange,
  concatenate,
  div,
  equal,
  expand,
  full,
  greaterEqual,
  isTensor,
  less,
  logaddexp,
  logicalAnd,
  maximum,
  mul,
  neg,
  notEqual,
  remainder,
  requireIndices,
  requireOptions,
  reshape,
  showValue,
  slice,
  sub,
  sum,
  takeAlongAxis,
  tensor,
  toDType,
  unsqueeze,
  where,
} from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireRank, requireShape, requireTensors, showShape } from './arguments.ts';
import { inFloat32 } from './calculate.ts';
import { reduceLoss } from './reduction.ts';
import type { LossOptions } from './reduction.ts';

/** In place of log 0, so that no difference of infinities is NaN: adding log probabilities to it changes nothing that matters. */
const LOG_ZERO = -1e30;
/** A log probability below this is that of something impossible. */
const IMPOSSIBLE = -1e29;

/** Options of {@link ctc}. */
export interface CtcOptions extends Omit<LossOptions, 'mask'> {
  /** The class that stands for no label. Default 0. */
  readonly blank?: number;
  /** Makes the loss, and its gradient, of targets that do not fit into their frames 0 in place of Infinity. Default false. */
  readonly zeroInfinity?: boolean;
}

/** Lengths: integers `[N]`, as a tensor or as numbers. */
export type Lengths = Tensor | readonly number[];

/**
 * `-log p(targets)` of each sequence. As in PyTorch, the mean divides each loss by the length of its target (at least 1) first.
 *
 * @param logProbabilities `[T, N, C]`, of frames, sequences and classes: log softmax along the last axis
 * @param targets class indices, none of them blank, `[N, S]`; what is beyond a target's length does not count
 * @param inputLengths frames of each sequence, up to T @param targetLengths labels of each target, up to S
 * @throws ShapeError, DTypeError, ArgumentError; IndexError for labels and lengths out of range, where they can be looked at
 */
export function ctc(logProbabilities: Tensor, targets: Tensor, inputLengths: Lengths, targetLengths: Lengths, options: CtcOptions = {}): Tensor {
  const op = 'ctc';
  requireOptions(op, options, '{ blank: 0 }');
  requireTensors(op, logProbabilities, targets);
  requireRank(op, 'log probabilities', logProbabilities, 3, '[T, N, C]');
  requireRank(op, 'targets', targets, 2, '[N, S]');
  const [frames = 0, batch = 0, classes = 0] = logProbabilities.shape;
  const [rows = 0, labels = 0] = targets.shape;
  if (frames === 0) throw new ShapeError({ op, expected: 'at least one frame', got: showShape(logProbabilities.shape) });
  if (rows !== batch)
    throw new ShapeError({
      op,
      expected: `targets [${batch}, S] for log probabilities ${showShape(logProbabilities.shape)}`,
      got: showShape(targets.shape),
    });
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options;
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes)
    throw new ArgumentError({ op, expected: `blank from 0 to ${classes - 1}`, got: showValue(blank) });
  requireIndices(op, targets, { min: 0, max: classes - 1 });
  return inFloat32([logProbabilities], (given) => {
    const logP = given;
    const used = lengthsOf('inputLengths', inputLengths, batch, frames, logP);
    const wanted = lengthsOf('targetLengths', targetLengths, batch, labels, logP);
    const total = alignments(logP, toDType(targets, 'int32'), used, wanted, blank);
    const possible = greaterEqual(total, IMPOSSIBLE);
    const loss = where(possible, neg(total), zeroInfinity ? 0 : Infinity);
    const each = reduction === 'mean' ? div(loss, toDType(maximum(wanted, 1), logP.dtype)) : loss;
    return reduceLoss(op, each, options);
  });
}

/** Lengths as int32 on the device. @throws ShapeError, DTypeError, IndexError */
function lengthsOf(name: string, given: Lengths, batch: number, most: number, like: Tensor): Tensor {
  const found = isTensor(given) ? given : lengthsFrom(name, given, like);
  requireShape('ctc', name, found, [batch]);
  if (!found.dtype.startsWith('int') && !found.dtype.startsWith('uint'))
    throw new DTypeError({ op: 'ctc', expected: `integers for ${name}`, got: found.dtype, fix: `${name}.toDType('int32')` });
  requireIndices('ctc', found, { min: 0, max: most });
  return toDType(found, 'int32');
}

function lengthsFrom(name: string, given: readonly number[], like: Tensor): Tensor {
  if (!Array.isArray(given) || !given.every((n) => Number.isInteger(n)))
    throw new ArgumentError({ op: 'ctc', expected: `whole numbers for ${name}`, got: showValue(given) });
  return tensor(given as number[], { dtype: 'int32', device: like.device });
}

/** The log probability of all ways to spell each target, {@link LOG_ZERO} or so where there is none: `[N]`. */
function alignments(logP: Tensor, targets: Tensor, used: Tensor, wanted: Tensor, blank: number): Tensor {
  const [frames = 0, batch = 0] = logP.shape;
  const { dtype, device } = logP;
  const places = 2 * (targets.shape[1] ?? 0) + 1;
  const place = arange(places, { device });
  const blanks = full([batch, places], blank, { dtype: 'int32', device });
  // Labels at odd places; what stands at even ones in `spread` is not looked at.
  const doubled = reshape(expand(unsqueeze(targets, -1), [...targets.shape, 2]), [batch, places - 1]);
  const spread = concatenate([doubled, slice(blanks, [{}, { end: 1 }])], { axis: 1 });
  const isLabel = equal(remainder(place, 2), 1);
  const path = where(isLabel, spread, blanks);
  const nothing = (columns: number): Tensor => full([batch, columns], LOG_ZERO, { dtype, device });
  /** Moved on by a number of places; nothing comes from before the first. */
  const moved = (x: Tensor, by: number, before: Tensor): Tensor =>
    by >= places
      ? slice(before, [{}, { end: places }])
      : concatenate([slice(before, [{}, { end: by }]), slice(x, [{}, { end: places - by }])], { axis: 1 });
  const skips = logicalAnd(isLabel, notEqual(path, moved(path, 2, full([batch, Math.max(2, places)], -1, { dtype: 'int32', device }))));
  const emissions = takeAlongAxis(logP, expand(unsqueeze(path, 0), [frames, batch, places]), { axis: 2 });
  const frame = (t: number): Tensor => reshape(slice(emissions, [{ start: t, end: t + 1 }]), [batch, places]);

  const empty = nothing(Math.max(2, places));
  let alpha = where(less(place, 2), frame(0), LOG_ZERO);
  for (let t = 1; t < frames; t++) {
    const near = logaddexp(alpha, moved(alpha, 1, empty));
    const ways = logaddexp(near, where(skips, moved(alpha, 2, empty), LOG_ZERO));
    alpha = where(less(t, unsqueeze(used, -1)), add(ways, frame(t)), alpha);
  }
  // Done at the last label or at the blank after it. Without a frame, only the empty target is spelled.
  const end = mul(unsqueeze(wanted, -1), 2);
  const at = (l: Tensor): Tensor => sum(where(equal(place, l), alpha, 0), { axis: 1 });
  const spelled = where(equal(wanted, 0), at(end), logaddexp(at(end), at(sub(end, 1))));
  return where(equal(used, 0), where(equal(wanted, 0), 0, LOG_ZERO), spelled);
}
