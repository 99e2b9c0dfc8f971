/** Views that are read after an op was recorded on them and before it is computed: by then they lie in strides, which its kernel may not take. */

import { cpu } from '@gradus/backend-cpu';
import { withoutFastPaths } from '@gradus/backend-testkit';
import { conv2d, grad, gather, maxPool2d, quantile, scope, slice, softmax, sort, stack, takeAlongAxis, tensor } from '@gradus/tensor';
import type { Device, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';

const device = cpu();
const devices: readonly (readonly [string, Device])[] = [
  ['cpu', device],
  ['required kernels only', withoutFastPaths(cpu())],
];

/** Every second element of a row of 12 by 2 by 2, as a view of something pending. */
function viewOn(on: Device): Tensor {
  const d = tensor(
    Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * 1.9)),
    { shape: [2, 12], device: on },
  );
  return slice(stack([d, d.mul(2)], { axis: 2 }).reshape([2, -1]), [null, { step: 2 }]);
}

const indices = (x: Tensor): Tensor => x.argmax({ axis: 1, keepDims: true });

const ops: readonly (readonly [name: string, op: (x: Tensor) => Tensor])[] = [
  ['takeAlongAxis', (x) => takeAlongAxis(x, indices(x), { axis: 1 })],
  ['gather', (x) => gather(x, indices(x), { axis: 1 })],
  ['sort', (x) => sort(x, { axis: 1 }).values],
  ['quantile', (x) => quantile(x, 0.3, { axis: 1 })],
  ['softmax', (x) => softmax(x, { axis: 1 })],
  ['conv2d', (x) => conv2d(x.reshape([1, 2, 3, 4]), x.slice([null, { end: 4 }]).reshape([1, 2, 2, 2]))],
  ['maxPool2d', (x) => maxPool2d(x.reshape([1, 2, 3, 4]), { size: 2 })],
];

describe.each(devices)('on %s', (_, on) => {
  test.each(ops)('%s gives the same', (__, op) => {
    const wanted = scope(() => [...op(viewOn(on)).dataSync()]);
    const found = scope(() => {
      const x = viewOn(on);
      const y = op(x);
      x.dataSync();
      return [...y.dataSync()];
    });
    expect(found).toEqual(wanted);
  });

  test.each(ops)('%s has the same gradient', (__, op) => {
    const gradient = (read: boolean): number[] =>
      scope(() => {
        const factor = tensor(2, { device: on });
        const g = grad((f) => {
          const x = viewOn(on).mul(f);
          const view = slice(x.reshape([2, 2, 6]), [null, null, { step: 2 }])
            .permute([1, 0, 2])
            .reshape([2, 6]);
          const y = op(stack([view, view], { axis: 2 }).reshape([2, 12]));
          if (read) view.dataSync();
          return y.square().sum();
        })(factor);
        return [...g.dataSync()];
      });
    expect(gradient(true)).toEqual(gradient(false));
  });
});
