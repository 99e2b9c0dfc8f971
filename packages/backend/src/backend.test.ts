/** The contract's version, the errors, and the table of dtypes. */

import { expect, test } from 'vitest';
import { CONTRACT_VERSION, assertContract } from './backend.ts';
import type { Backend } from './backend.ts';
import { ALL_DTYPES, DTYPES, bytesPerElement, holds, isDType, isFloat, isInteger } from './dtype.ts';
import { BackendDisposedError, BlockError, ContractVersionError, GradusError, KernelError, OutOfMemoryError, UnsupportedError } from './errors.ts';

const backend = (contract: unknown): Backend => ({ contract, name: 'mine' }) as unknown as Backend;

test('a backend of this contract is accepted', () => {
  expect(() => assertContract(backend(CONTRACT_VERSION))).not.toThrow();
});

test('a backend of another contract is refused by name', () => {
  expect(() => assertContract(backend(2))).toThrow(ContractVersionError);
  expect(() => assertContract(backend(2))).toThrow('[backend mine] expected contract version 1, got version 2.');
  expect(() => assertContract(backend(undefined))).toThrow('got an object without a contract version');
  expect(() => assertContract(backend('1'))).toThrow(ContractVersionError);
});

test('errors have a code, a name and four parts', () => {
  const error = new KernelError({ op: 'map', expected: 'a rank', got: 'none', fix: 'give one.' });
  expect(error).toBeInstanceOf(GradusError);
  expect(error.message).toBe('[map] expected a rank, got none. Fix: give one.');
  expect(error).toMatchObject({ code: 'INVALID_KERNEL', op: 'map', expected: 'a rank', got: 'none', fix: 'give one.' });
  expect(error.name).toBe('KernelError');
  const parts = { op: 'x', expected: 'a', got: 'b' };
  const codes = [UnsupportedError, ContractVersionError, BlockError, OutOfMemoryError, BackendDisposedError].map((Class) => new Class(parts).code);
  expect(codes).toEqual(['UNSUPPORTED', 'CONTRACT_VERSION', 'INVALID_BLOCK', 'OUT_OF_MEMORY', 'BACKEND_DISPOSED']);
  const cause = new Error('inner');
  expect(new OutOfMemoryError(parts, { cause }).cause).toBe(cause);
});

test('every dtype states the truth about its typed array', () => {
  expect(Object.keys(DTYPES).toSorted()).toEqual(ALL_DTYPES.toSorted());
  for (const dtype of ALL_DTYPES) {
    const { view, bytes, kind, min, max } = DTYPES[dtype];
    expect(view(new ArrayBuffer(16)).BYTES_PER_ELEMENT, dtype).toBe(bytes);
    expect(view(new ArrayBuffer(16), 8, 1).length, dtype).toBe(1);
    expect(bytesPerElement(dtype)).toBe(bytes);
    expect([isFloat(dtype), isInteger(dtype)]).toEqual([kind === 'float', kind === 'int' || kind === 'uint']);
    // Extremes survive storage, what lies past them does not (16-bit floats are stored as bits).
    if (bytes === 2 || dtype === 'bool') continue;
    const elements = view(new ArrayBuffer(16));
    for (const extreme of [min, max]) {
      elements[0] = extreme;
      expect(elements[0], dtype).toBe(extreme);
    }
    elements[0] = kind === 'float' ? max * 1.01 : max + 1;
    expect(elements[0], dtype).not.toBe(max + 1);
  }
});

test('epsilon is the gap above 1', () => {
  expect(Math.fround(1 + DTYPES.float32.epsilon)).toBeGreaterThan(1);
  expect(Math.fround(1 + DTYPES.float32.epsilon / 2)).toBe(1);
  expect(DTYPES.float64.epsilon).toBe(Number.EPSILON);
});

test('holds: any number for floats, whole numbers in range for the rest', () => {
  expect([
    holds('float16', 1e9),
    holds('float32', NaN),
    holds('int8', 127),
    holds('int8', 128),
    holds('int8', 0.5),
    holds('bool', 1),
    holds('bool', 2),
  ]).toEqual([true, true, true, false, false, true, false]);
});

test('isDType knows the names', () => {
  expect(['float32', 'int64', 'toString'].map(isDType)).toEqual([true, false, false]);
});
