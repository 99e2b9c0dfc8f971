/**
 * Bad input for every op, made from its specification: other dtypes, ranks and sizes, no elements, disposed tensors, two devices. Each
 * gives a result that can be read or a typed error that names what was expected and what came, with nothing left behind.
 */

import { cpu } from '@gradus/backend-cpu';
import { DeviceMismatchError, GradusError, TensorDisposedError, memory, scope, setDefaultDevice, tensor } from '@gradus/tensor';
import type { DType, Device, Tensor } from '@gradus/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InputSpecification, OpSpecification } from '../src/ops/specification.spec.ts';
import { eachCase, specifications } from './specifications.ts';

/** An input, and what it becomes. */
interface Input {
  readonly dims: readonly number[];
  readonly dtype: DType;
  readonly values: ArrayLike<number>;
}

const device = cpu();
const other = cpu();
beforeAll(() => {
  setDefaultDevice(device);
});
afterAll(() => {
  device.dispose();
  other.dispose();
});

const sizeOf = (dims: readonly number[]): number => dims.reduce((n, d) => n * d, 1);

/** Shapes that differ in one thing. */
function otherDims(dims: readonly number[]): (readonly number[])[] {
  const axes = [...dims.keys()];
  const changed = (axis: number, size: number): number[] => dims.map((d, i) => (i === axis ? size : d));
  return [
    ...axes.flatMap((axis) => [changed(axis, (dims[axis] ?? 0) + 1), changed(axis, 0), changed(axis, 1)]),
    [1, ...dims],
    [...dims, 2],
    ...axes.map((axis) => dims.filter((_, i) => i !== axis)),
    [],
  ];
}

const otherDTypes = (input: InputSpecification): readonly DType[] =>
  input.whole === true ? ['float32', 'bool', 'uint8', 'int8'] : ['int32', 'uint32', 'bool', 'uint8', 'float16'];

const make = ({ dims, dtype, values }: Input, on: Device = device): Tensor =>
  tensor(
    Float64Array.from({ length: sizeOf(dims) }, (_, i) => (values.length === 0 ? 0 : (values[i % values.length] ?? 0))),
    { shape: dims, dtype, device: on },
  );

/** Runs an op and reads the result: what went wrong, if anything, must be ours to say. */
function outcomeOf(specification: OpSpecification, inputs: readonly Input[], what: string): void {
  try {
    scope(() => {
      // A specification takes one of several results, which may be fewer now.
      const result = specification.run(...inputs.map((input) => make(input))) as Tensor | undefined;
      if (result !== undefined) expect(result.dataSync(), what).toHaveLength(sizeOf(result.shape));
    });
  } catch (error) {
    if (!(error instanceof GradusError))
      throw new Error(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, { cause: error });
    for (const part of [error.code, error.op, error.expected, error.got]) expect(part, `${what}: ${error.message}`).not.toBe('');
  }
}

describe.each(specifications)('$name', (specification) => {
  const [first] = eachCase(specification);
  const inputs: readonly Input[] = (first?.inputs ?? []).map((input, i) => ({
    dims: input.dims,
    dtype: input.whole === true ? 'int32' : 'float32',
    values: first?.values[i] ?? [],
  }));
  const replaced = (i: number, input: Partial<Input>): Input[] => inputs.map((each, j) => (i === j ? { ...each, ...input } : each));

  test('other dtypes, ranks and sizes give a result or a typed error', () => {
    const before = memory().liveBytes;
    inputs.forEach((input, i) => {
      for (const dtype of otherDTypes(first?.inputs[i] ?? { dims: [] })) outcomeOf(specification, replaced(i, { dtype }), `input ${i} as ${dtype}`);
      for (const dims of otherDims(input.dims)) outcomeOf(specification, replaced(i, { dims }), `input ${i} of shape [${dims.join()}]`);
    });
    expect(memory().liveBytes).toBe(before);
  });

  test('a disposed tensor is an error that says so', () => {
    for (const i of inputs.keys()) {
      scope(() => {
        const tensors = inputs.map((input) => make(input));
        tensors[i]?.dispose();
        expect(() => specification.run(...tensors)).toThrow(TensorDisposedError);
      });
    }
  });

  test('tensors of two devices are an error that says so', () => {
    // With one input alone there is nothing to differ from: it runs where that is.
    const elsewhere = inputs.length > 1 ? [...inputs.keys()] : [];
    for (const i of elsewhere) {
      scope(() => {
        const tensors = inputs.map((input, j) => make(input, i === j ? other : device));
        expect(() => specification.run(...tensors)).toThrow(DeviceMismatchError);
      });
    }
  });
});
