/** Mutants of the fast paths over dense operands: those that the table generates for some kernels of every kind, and mistakes of each kind's own. */

import type { OptimizerStepKernel } from '@gradus/backend';
import { attentionMutants } from './attention.ts';
import { denseMutants } from './dense.ts';
import type { Sample } from './dense.ts';
import type { Mutant } from './mutant.ts';
import { orderedMutants } from './ordered.ts';
import { quantizedMutants } from './quantized.ts';
import { rowwiseMutants } from './rowwise.ts';
import { stepMutants } from './steps.ts';

const ROWS = ['rows', 'columns'];

function rowwiseSamples(): Sample[] {
  return (['softmax', 'logSoftmax', 'logSumExp', 'layerNorm', 'rmsNorm'] as const).flatMap((name) =>
    (['forward', 'backward'] as const).map((pass): Sample => {
      const work = { kind: 'rowwise', function: name, pass } as const;
      return {
        title: `${name} ${pass}`,
        work,
        dtype: 'float32',
        checks: [`optional / rowwise / ${name} / ${pass} / float32`],
        sizes: ROWS,
        nan: true,
      };
    }),
  );
}

function attentionSamples(): Sample[] {
  const masks = { none: 'all keys', bool: 'bool mask', additive: 'additive mask' } as const;
  return (['forward', 'backward'] as const).flatMap((pass) =>
    (['none', 'bool', 'additive'] as const).map((mask): Sample => {
      // Every headDim is meant: the names of the operands are the same.
      const work = { kind: 'attention', pass, causal: false, mask } as const;
      const checks = [`optional / attention / ${pass} / ${masks[mask]} / float32`];
      const nan = pass === 'forward' && mask === 'none';
      if (nan) checks.push('optional / attention / forward / special values / float32');
      return {
        title: `attention ${pass} with mask ${mask}`,
        work: work as Sample['work'],
        dtype: 'float32',
        checks,
        sizes: ['B', 'heads', 'keyHeads', 'T', 'S'],
        small: ['B', 'heads', 'keyHeads'],
        nan,
      };
    }),
  );
}

function stepSamples(): Sample[] {
  const sgd = { kind: 'optimizerStep', algorithm: 'sgd', momentum: false, nesterov: false } as const;
  const rules: Readonly<Record<string, Omit<OptimizerStepKernel, 'operands' | 'scalars'>>> = {
    sgd,
    'sgd with momentum': { ...sgd, momentum: true },
    'sgd with nesterov': { ...sgd, momentum: true, nesterov: true },
    adam: { ...sgd, algorithm: 'adam' },
    adamw: { ...sgd, algorithm: 'adamw' },
  };
  return Object.entries(rules).map(([title, work]): Sample => {
    return { title, work, dtype: 'float32', checks: [`optional / optimizerStep / ${title} / float32`], nan: true };
  });
}

function otherSamples(): Sample[] {
  const quantized = { kind: 'quantizedContract', aBits: 8, bBits: 8, group: null, outputs: [] } as const;
  const scan = { kind: 'scan', fold: 'sum', exclusive: false, reverse: false } as const;
  const product = { dtype: 'int8', sizes: ['M', 'N', 'K'], nan: false } as const;
  return [
    { ...product, title: 'quantized product', work: quantized, checks: ['optional / quantizedContract / int8 by 8 bits / sizes'] },
    {
      ...product,
      title: 'quantized product of 4 bits',
      work: { ...quantized, bBits: 4 },
      checks: ['optional / quantizedContract / int8 by 4 bits / sizes'],
    },
    {
      ...product,
      title: 'quantized product in groups',
      work: { ...quantized, group: 16 },
      checks: ['optional / quantizedContract / int8 by 8 bits / groups'],
    },
    { title: 'scan', work: scan, dtype: 'float32', checks: ['optional / scan / sum / float32'], sizes: ROWS, nan: true },
    {
      title: 'sort',
      work: { kind: 'sort', descending: false },
      dtype: 'float32',
      checks: ['optional / sort / ascending / float32'],
      sizes: ROWS,
      nan: true,
    },
    {
      title: 'argReduce',
      work: { kind: 'argReduce', fold: 'max' },
      dtype: 'float32',
      checks: ['optional / argReduce / max / float32'],
      sizes: ROWS,
      nan: true,
    },
  ];
}

export function fastPathMutants(): Mutant[] {
  const samples = [...rowwiseSamples(), ...attentionSamples(), ...stepSamples(), ...otherSamples()];
  return [...samples.flatMap(denseMutants), ...rowwiseMutants(), ...attentionMutants(), ...stepMutants(), ...quantizedMutants(), ...orderedMutants()];
}
