/**
 * From source text to a function: the only place that evaluates text, and the checks on what may become text.
 *
 * Generated source is made of fixed strings and of numbers that passed {@link integer} or {@link literal}; no name that came
 * with a kernel is ever written into it. So a kernel cannot smuggle code in.
 */

import { KernelError, fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import type { Kernel, TypedArray } from '@gradus/backend';

import { erf } from '../numerics/erf.ts';
import {
  bitsOfFloat32,
  float32OfBits,
  power,
  roundBfloat16,
  roundFloat16,
  roundHalfToEven,
  saturateInt32,
  saturateInt8,
  saturateUint32,
  saturateUint8,
} from '../numerics/scalar.ts';

/** A required kernel (or an epilogue) made runnable: views in the order of operands, scalars already in their dtypes. */
export type KernelCode = (views: readonly TypedArray[], scalars: readonly number[], dims: Int32Array) => void;

/** What generated source may call, by name. */
const ENVIRONMENT = {
  fround: Math.fround,
  erf,
  power,
  roundHalfToEven,
  roundFloat16,
  roundBfloat16,
  saturateInt32,
  saturateUint32,
  saturateInt8,
  saturateUint8,
  bitsOfFloat32,
  float32OfBits,
  fromFloat16Bits,
  toFloat16Bits,
  fromBfloat16Bits,
  toBfloat16Bits,
};

/** Is code allowed to be made from text here? A content-security policy without `unsafe-eval` forbids it. */
export function canCompile(): boolean {
  try {
    return compile('return true') === true;
  } catch {
    return false;
  }
}

function compile(body: string): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- this is the one place that makes code
  return new Function(...Object.keys(ENVIRONMENT), `'use strict';\n${body}`)(...Object.values(ENVIRONMENT));
}

/** Compiles a function body's text, whose last statement returns the kernel's function. */
export function compileKernel(kernel: Kernel, body: string): KernelCode {
  const code = compile(body);
  if (typeof code !== 'function') throw new KernelError({ op: kernel.kind, expected: 'source that returns a function', got: typeof code });
  return code as KernelCode;
}

/** An index as text. */
export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new KernelError({ op: 'codegen', expected: 'an integer', got: String(value) });
  return String(value);
}

/** A number, rounded, as text that may stand anywhere an operand may: negative ones are bracketed, and -0 stays -0. */
export function literal(value: number, round: (x: number) => number = (x) => x): string {
  if (typeof value !== 'number') throw new KernelError({ op: 'codegen', expected: 'a number', got: typeof value });
  const rounded = round(value);
  if (Object.is(rounded, -0)) return '(-0)';
  return rounded < 0 ? `(${rounded})` : String(rounded);
}
