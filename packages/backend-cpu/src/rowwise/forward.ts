/** Normalisations of rows, forward. The formulas are those of `rows.ts` in the contract. */

import { NONE, centred, inverseRoot, largest, powers } from './row.ts';
import type { RowFunction } from './row.ts';

export const softmax: RowFunction = (rows, columns, [x = NONE, y = NONE], _eps, kept) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const sum = powers(x, from, from + columns, largest(x, from, from + columns), kept);
    for (let i = 0; i < columns; i++) y[from + i] = (kept[i] as number) / sum;
  }
};

export const logSoftmax: RowFunction = (rows, columns, [x = NONE, y = NONE], _eps, kept) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const top = largest(x, from, from + columns);
    const log = Math.log(powers(x, from, from + columns, top, kept));
    for (let i = from; i < from + columns; i++) y[i] = (x[i] as number) - top - log;
  }
};

export const logSumExp: RowFunction = (rows, columns, [x = NONE, y = NONE], _eps, kept) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const top = largest(x, from, from + columns);
    y[row] = Math.abs(top) === Infinity ? top : top + Math.log(powers(x, from, from + columns, top, kept));
  }
};

export const layerNorm: RowFunction = (rows, columns, [x = NONE, weight = NONE, bias = NONE, y = NONE], eps, kept) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const r = centred(x, from, from + columns, eps, kept);
    for (let i = 0; i < columns; i++) y[from + i] = (kept[i] as number) * r * (weight[i] as number) + (bias[i] as number);
  }
};

export const rmsNorm: RowFunction = (rows, columns, [x = NONE, weight = NONE, y = NONE], eps) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const r = inverseRoot(x, from, from + columns, eps);
    for (let i = 0; i < columns; i++) y[from + i] = (x[from + i] as number) * r * (weight[i] as number);
  }
};
