import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { ArgumentError, State, TensorDisposedError, assign, memory, scope, tensor, zeros } from '@gradus/tensor';
import type { DType, Tensor } from '@gradus/tensor';
import { describe, expect, test } from 'vitest';
import { decodeSafetensors } from './decode.ts';
import { encodeSafetensors } from './encode.ts';

const reference = new Uint8Array(readFileSync(join(import.meta.dirname, '../../test/fixtures/reference.safetensors')));

function headerOf(file: Uint8Array): string {
  return new TextDecoder().decode(file.subarray(8, 8 + new DataView(file.buffer).getUint32(0, true)));
}

describe('encodeSafetensors', () => {
  test('writes the bytes of the reference implementation', async () => {
    const { tensors, metadata } = decodeSafetensors(reference);
    const shuffled = Object.fromEntries(Object.entries(tensors).toReversed());
    expect(await encodeSafetensors(shuffled, metadata)).toEqual(reference);
  });

  test('pads the header to 8 bytes', async () => {
    for (const name of ['a', 'ab', 'abc', 'ä', 'abcdefgh']) {
      const file = await encodeSafetensors({ [name]: tensor([1]) });
      expect(new DataView(file.buffer).getUint32(0, true) % 8).toBe(0);
    }
  });

  test('writes a file without tensors', async () => {
    const file = await encodeSafetensors({});
    expect(headerOf(file)).toBe('{}      ');
    expect(decodeSafetensors(file)).toEqual({ tensors: {}, metadata: {} });
  });

  test('writes views and results of ops in row-major order', async () => {
    const file = await encodeSafetensors({ t: tensor([[1, 2], [3, 4]]).transpose(), sum: tensor([1, 2]).add(1) }); // prettier-ignore
    const { tensors } = decodeSafetensors(file);
    expect(await tensors['t']?.toArray()).toEqual([[1, 3], [2, 4]]); // prettier-ignore
    expect(await tensors['sum']?.toArray()).toEqual([2, 3]);
  });

  test('takes the values at the call', async () => {
    const weight = new State(zeros([3]));
    const pending = encodeSafetensors({ weight });
    assign(weight, tensor([1, 2, 3]));
    expect(await weight.toArray()).toEqual([1, 2, 3]);
    expect(await decodeSafetensors(await pending).tensors['weight']?.toArray()).toEqual([0, 0, 0]);
  });

  test('leaves memory as it was', async () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    const write = (): Promise<void> => scope(async () => void (await encodeSafetensors({ x, t: x.transpose() })));
    await write();
    const before = memory().liveBytes;
    await write();
    expect(memory().liveBytes).toBe(before);
    x.dispose();
  });

  test('refuses what it cannot write', async () => {
    const x = tensor([1]);
    await expect(encodeSafetensors({ __metadata__: x })).rejects.toThrow(ArgumentError);
    await expect(encodeSafetensors({ x }, { epoch: 3 } as unknown as Record<string, string>)).rejects.toThrow(/strings, got number for "epoch"/);
    x.dispose();
    await expect(encodeSafetensors({ x })).rejects.toThrow(TensorDisposedError);
  });
});

describe('a round trip', () => {
  const elements: Readonly<Record<DType, fc.Arbitrary<number>>> = {
    float64: fc.double(),
    float32: fc.float(),
    float16: fc.double({ min: -65504, max: 65504, noDefaultInfinity: false }),
    bfloat16: fc.float(),
    int32: fc.integer(),
    uint32: fc.nat(2 ** 31 - 1).map((n) => 2 * n + 1),
    int8: fc.integer({ min: -128, max: 127 }),
    uint8: fc.nat(255),
    bool: fc.nat(1),
  };
  const shape = fc.array(fc.nat(3), { maxLength: 4 });

  test.each(Object.entries(elements))('of %s changes nothing', async (dtype, element) => {
    const made = shape.chain((dims) => {
      const size = dims.reduce((a, b) => a * b, 1);
      return fc.tuple(fc.constant(dims), fc.array(element, { minLength: size, maxLength: size }));
    });
    await fc.assert(
      fc.asyncProperty(made, fc.string(), async ([dims, values], name) => {
        fc.pre(name !== '__metadata__');
        using original = tensor(values, { shape: dims, dtype: dtype as DType });
        const file = await encodeSafetensors(Object.fromEntries([[name, original]]), { note: name });
        const { tensors, metadata } = decodeSafetensors(file);
        expect(metadata).toEqual({ note: name });
        expect(Object.keys(tensors)).toEqual([name]);
        const copy = Object.values(tensors)[0] as Tensor;
        expect([copy.dtype, copy.shape]).toEqual([dtype, dims]);
        expect(await copy.data()).toEqual(await original.data());
        expect(await encodeSafetensors(tensors, metadata)).toEqual(file);
        copy.dispose();
      }),
    );
  });
});
