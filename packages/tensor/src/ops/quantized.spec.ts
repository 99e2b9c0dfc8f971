/** Specifications of products of integers, by brute force. Scales are powers of two, so that float32 is exact. */

import { quantizedMatmul } from './quantized.ts';
import { array, at } from './specification.spec.ts';
import type { InputSpecification, OpSpecification, Reference } from './specification.spec.ts';
import type { Tensor } from '../tensor.ts';

/** Value k of row n of b: as it is, or a half of a byte. */
const element = (b: Reference, packed: boolean, n: number, k: number): number => {
  if (!packed) return at(b, [n, k]);
  const byte = at(b, [n, Math.floor(k / 2)]);
  const half = k % 2 === 0 ? byte % 16 : Math.floor(byte / 16);
  return half < 8 ? half : half - 16;
};

const product =
  (packed: boolean, group = Infinity): OpSpecification['reference'] =>
  (a?: Reference, b?: Reference, scales?: Reference) => {
    if (a === undefined || b === undefined) throw new Error('needs two inputs');
    return array([...a.dims.slice(0, -1), b.dims[0] ?? 0], (index) => {
      const n = index.at(-1) ?? 0;
      let sum = 0;
      for (let k = 0; k < (a.dims.at(-1) ?? 0); k++) {
        const scale = scales === undefined ? 1 : at(scales, [n, Math.floor(k / group)]);
        sum += at(a, [...index.slice(0, -1), k]) * element(b, packed, n, k) * scale;
      }
      return sum;
    });
  };

const bytes = (...dims: number[]): InputSpecification => ({ dims, low: -128, high: 128, whole: true });
const unsigned = (...dims: number[]): InputSpecification => ({ dims, low: 0, high: 256, whole: true });
const sevenBits = (...dims: number[]): InputSpecification => ({ dims, low: 0, high: 128, whole: true });
const scales = (...dims: number[]): InputSpecification => ({
  dims,
  values: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => 2 ** -(i % 5)),
});

const quantized = (
  name: string,
  run: (a: Tensor, b: Tensor, scales: Tensor) => Tensor,
  reference: OpSpecification['reference'],
  ...cases: (readonly InputSpecification[])[]
): OpSpecification => ({
  name: `quantizedMatmul ${name}`,
  run: (...[a, b, s]) => run(a as Tensor, b as Tensor, (s ?? a)?.toDType('float32') as Tensor),
  reference,
  cases,
  differentiable: false,
});

export const specifications: readonly OpSpecification[] = [
  quantized(
    'int8',
    (a, b) => quantizedMatmul(a.toDType('int8'), b.toDType('int8')),
    product(false),
    [bytes(3, 5), bytes(4, 5)],
    [bytes(2, 3, 17), bytes(2, 17)],
    [bytes(9), bytes(3, 9)],
    [bytes(2, 0), bytes(3, 0)],
  ),
  quantized('uint8 of 7 bits', (a, b) => quantizedMatmul(a.toDType('uint8'), b.toDType('int8'), { aBits: 7 }), product(false), [
    sevenBits(3, 16),
    bytes(4, 16),
  ]),
  quantized('int4', (a, b) => quantizedMatmul(a.toDType('int8'), b.toDType('uint8')), product(true), [bytes(3, 7), unsigned(4, 4)]),
  quantized(
    'int4 in groups',
    (a, b, s) => quantizedMatmul(a.toDType('int8'), b.toDType('uint8'), { scales: s, group: 4 }),
    product(true, 4),
    [bytes(3, 11), unsigned(4, 6), scales(4, 3)],
    [bytes(2, 2, 8), unsigned(3, 4), scales(3, 2)],
    [bytes(2, 0), unsigned(3, 0), scales(3, 0)],
  ),
  quantized('int8 with a scale a row', (a, b, s) => quantizedMatmul(a.toDType('uint8'), b.toDType('int8'), { scales: s }), product(false), [
    unsigned(3, 6),
    bytes(4, 6),
    scales(4, 1),
  ]),
];
