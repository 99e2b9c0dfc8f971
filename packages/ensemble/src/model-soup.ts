/**
 * Model soups: one model whose parameters are the mean of several. It costs no more than one model, and works where the models come from one
 * beginning, such as a pretrained network tuned several times. Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models
 * improves accuracy without increasing inference time", ICML 2022.
 */

import type { Module } from '@gradus/nn';
import { ArgumentError, add, compose, defaultGenerator, div, requireOptions, scope, showValue } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';
import { requireModels } from './members.ts';

/** Options of {@link modelSoup}. */
export interface ModelSoupOptions<M extends Module> {
  /**
   * How good a model is on held-out data; higher is better. With it the soup is greedy: models are tried from the best to the worst, and one
   * stays in if the soup is not worse with it. Default: all models are in.
   */
  readonly score?: (model: M) => number | Promise<number>;
}

/** A soup and what is in it. */
export interface ModelSoup<M extends Module> {
  /** In evaluation mode. */
  readonly model: M;
  /** The places of the models that are in it, in the order they were added. */
  readonly ingredients: readonly number[];
  /** Of the soup; null without a `score`. */
  readonly score: number | null;
}

/** A state dict. */
type StateDict = Readonly<Record<string, Tensor>>;

/**
 * A model whose state is the mean of the models' states: of parameters, and of running statistics, which are better computed anew where there
 * are any. Integers, which count, are the first ingredient's. The models stay as they are.
 *
 * @param makeModel a model of the same layers, to hold the soup
 * @throws ArgumentError for no models, models with other keys, shapes or dtypes than the first, quantized ones, or a score that is no number;
 * StateDictError when what `makeModel` makes is another model
 */
export async function modelSoup<M extends Module>(
  makeModel: () => M,
  models: readonly Module[],
  options: ModelSoupOptions<M> = {},
): Promise<ModelSoup<M>> {
  requireOptions('modelSoup', options, '{ score: (model) => … }');
  const states = requireModels('modelSoup', models).map((model): StateDict => model.stateDict());
  requireAlike(states);
  const model = undrawn(makeModel).eval();

  /** Makes the model that of these places. */
  const cook = (places: readonly number[]): M => {
    scope(() => model.loadStateDict(meanOf(states.filter((_, i) => places.includes(i)))));
    return model;
  };
  const { score } = options;
  if (score === undefined) {
    const all = [...states.keys()];
    return { model: cook(all), ingredients: all, score: null };
  }
  const scoreOf = async (places: readonly number[]): Promise<number> => requireScore(await score(cook(places)), places);
  const alone: number[] = [];
  // One after the other: there is one model to hold them.
  // oxlint-disable-next-line no-await-in-loop
  for (const place of states.keys()) alone.push(await scoreOf([place]));
  const order = [...states.keys()].toSorted((a, b) => (alone[b] ?? 0) - (alone[a] ?? 0));
  let [ingredients, best]: [readonly number[], number] = [[], -Infinity];
  for (const place of order) {
    const tried = [...ingredients, place];
    // oxlint-disable-next-line no-await-in-loop
    const reached = await scoreOf(tried);
    if (reached >= best) [ingredients, best] = [tried, reached];
  }
  return { model: cook(ingredients), ingredients, score: best };
}

/** What `make` makes; the default generator is as if it had drawn nothing. */
function undrawn<T>(make: () => T): T {
  const before = defaultGenerator.state;
  try {
    return make();
  } finally {
    defaultGenerator.restore(before);
  }
}

/** The mean of floats, and of what counts the first. */
function meanOf(states: readonly StateDict[]): StateDict {
  const mean = (key: string, first: Tensor): Tensor => {
    if (states.length === 1 || !first.dtype.includes('float')) return first;
    const values = states.flatMap((state) => state[key] ?? []);
    return compose(() =>
      div(
        values.reduce((a, b) => add(a, b)),
        values.length,
      ),
    );
  };
  return Object.fromEntries(Object.entries(states[0] ?? {}).map(([key, first]) => [key, mean(key, first)]));
}

function describe(tensor: Tensor | undefined): string {
  return tensor === undefined ? 'nothing' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
}

/** @throws ArgumentError unless all have the keys, shapes and dtypes of the first, and nothing is quantized */
function requireAlike(states: readonly StateDict[]): void {
  const first = states[0] ?? {};
  const quantized = Object.entries(first).find(([, { dtype }]) => dtype === 'int8' || dtype === 'uint8');
  if (quantized !== undefined)
    throw new ArgumentError({
      op: 'modelSoup',
      expected: 'models that are not quantized',
      got: `${quantized[0]} in ${quantized[1].dtype}`,
      fix: 'make the soup first, and quantize it.',
    });
  for (const [i, state] of states.entries())
    for (const key of new Set([...Object.keys(first), ...Object.keys(state)])) {
      const [wanted, given] = [describe(first[key]), describe(state[key])];
      if (wanted === given) continue;
      throw new ArgumentError({
        op: 'modelSoup',
        expected: `models of the same layers, with ${wanted} for ${key}, as the first`,
        got: `${given} of model ${i}`,
        fix: 'models of different layers can vote: softVote(models).',
      });
    }
}

function requireScore(score: unknown, places: readonly number[]): number {
  if (typeof score === 'number' && !Number.isNaN(score)) return score;
  throw new ArgumentError({
    op: 'modelSoup',
    expected: 'a score that is a number, higher for better models',
    got: `${showValue(score)} for the soup of ${places.join(', ')}`,
    fix: 'return the number, as await accuracy.item() gives it.',
  });
}
