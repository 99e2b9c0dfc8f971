/** Products of quantized matrices, interpreted: whole numbers, exactly, then the epilogue. */

import type { QuantizedContractKernel } from '@gradus/backend';
import { sumOf } from './fold.ts';
import { forEachPoint } from './launch.ts';
import type { Launch } from './launch.ts';
import { hold } from './number.ts';
import { operate } from './operations.ts';

/** One of the two values of -8..7 in a byte: the low half, or the high one. */
function half(byte: number, high: boolean): number {
  const bits = high ? byte >> 4 : byte & 15;
  return bits < 8 ? bits : bits - 16;
}

export function interpretQuantizedContract(kernel: QuantizedContractKernel, launch: Launch): void {
  const [m = 0, n = 0, k = 0] = launch.dims;
  const { bBits, group } = kernel;
  const roots = kernel.outputs.map((output) => output.value);
  const a = (row: number, at: number): number => launch.view(0).get(row * k + at);
  const b = (column: number, at: number): number => {
    if (bBits === 8) return launch.view(1).get(column * k + at);
    const bytesPerRow = Math.ceil(k / 2);
    return half(launch.view(1).get(column * bytesPerRow + Math.floor(at / 2)), at % 2 === 1);
  };
  /** The int32 sum over k in `[from, to)`. */
  const sum = (row: number, column: number, from: number, to: number): number => {
    let total = 0;
    for (let at = from; at < to; at++) total = operate('add', 'int32', total, a(row, at) * b(column, at));
    return total;
  };
  forEachPoint([m, n], (point) => {
    const [row = 0, column = 0] = point;
    if (group === null) {
      launch.finish(kernel.outputs, roots, point, [sum(row, column, 0, k)]);
      return;
    }
    const groups = Math.ceil(k / group);
    const scaled = Array.from({ length: groups }, (_, i) => {
      const whole = hold('float32', sum(row, column, i * group, Math.min(k, (i + 1) * group)));
      return whole * launch.view(2).get(column * groups + i);
    });
    launch.finish(kernel.outputs, roots, point, [hold('float32', sumOf(scaled))]);
  });
}
