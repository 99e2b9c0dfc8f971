/** Normalisations of rows, backward: gradients of x. The formulas are those of `rows.ts` in the contract. */

import { NONE, centred, inverseRoot } from './row.ts';
import type { RowFunction } from './row.ts';

export const softmaxGradient: RowFunction = (rows, columns, [y = NONE, gradient = NONE, result = NONE]) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const to = from + columns;
    let along = 0;
    for (let i = from; i < to; i++) along += (gradient[i] as number) * (y[i] as number);
    for (let i = from; i < to; i++) result[i] = (y[i] as number) * ((gradient[i] as number) - along);
  }
};

export const logSoftmaxGradient: RowFunction = (rows, columns, [y = NONE, gradient = NONE, result = NONE]) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const to = from + columns;
    let sum = 0;
    for (let i = from; i < to; i++) sum += gradient[i] as number;
    for (let i = from; i < to; i++) result[i] = (gradient[i] as number) - Math.exp(y[i] as number) * sum;
  }
};

export const logSumExpGradient: RowFunction = (rows, columns, [x = NONE, y = NONE, gradient = NONE, result = NONE]) => {
  for (let row = 0; row < rows; row++) {
    const shift = y[row] as number;
    const weight = gradient[row] as number;
    for (let i = row * columns; i < (row + 1) * columns; i++) result[i] = weight * Math.exp((x[i] as number) - shift);
  }
};

export const layerNormGradient: RowFunction = (rows, columns, [x = NONE, weight = NONE, gradient = NONE, result = NONE], eps, kept) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const r = centred(x, from, from + columns, eps, kept);
    let sum = 0;
    let along = 0;
    for (let i = 0; i < columns; i++) {
      const h = (gradient[from + i] as number) * (weight[i] as number);
      sum += h;
      along += h * (kept[i] as number);
    }
    const mean = sum / columns;
    // The centred values are to be multiplied by r twice: once in the sum, once here.
    const slope = (along / columns) * r * r;
    for (let i = 0; i < columns; i++)
      result[from + i] = r * ((gradient[from + i] as number) * (weight[i] as number) - mean - (kept[i] as number) * slope);
  }
};

export const rmsNormGradient: RowFunction = (rows, columns, [x = NONE, weight = NONE, gradient = NONE, result = NONE], eps) => {
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    const r = inverseRoot(x, from, from + columns, eps);
    let along = 0;
    for (let i = 0; i < columns; i++) along += (gradient[from + i] as number) * (weight[i] as number) * (x[from + i] as number);
    const slope = (along / columns) * r * r;
    for (let i = 0; i < columns; i++)
      result[from + i] = r * ((gradient[from + i] as number) * (weight[i] as number) - (x[from + i] as number) * slope);
  }
};
