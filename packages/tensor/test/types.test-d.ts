/** What the types promise; checked by `tsc`, never run. */

import { matmul, ones, randn, tensor, zeros } from '@gradus/tensor';
import type { Tensor } from '@gradus/tensor';

const known: Tensor<readonly [2, 3]> = zeros([2, 3]);
const pair: readonly [2, 3] = known.shape;
const kept: Tensor<readonly [2, 3]> = known.neg().exp().relu().detach();
const given: Tensor<readonly [4]> = tensor([1, 2, 3, 4], { shape: [4] });
const drawn: Tensor<readonly [8, 1]> = randn([8, 1], { seed: 0 });
// A shape that is not known is a list of numbers, and every tensor is one of those.
const open: Tensor = matmul(known, ones([3, 2]));
const sizes: readonly number[] = open.shape;
const anyTensor: Tensor[] = [known, given, drawn, kept];

// @ts-expect-error: 3 is not 4
const wrong: Tensor<readonly [4]> = zeros([3]);
// @ts-expect-error: an option that does not exist
known.sum({ axes: 1 });
// @ts-expect-error: text is no operand
known.add('1');

export { anyTensor, pair, sizes, wrong };
