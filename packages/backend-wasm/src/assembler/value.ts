/**
 * Values: typed expressions of WebAssembly, which become instructions when a statement uses them.
 *
 * A value is written each time it is used. What is used twice belongs in a local (`code.ts`, `let`).
 */

import type { Bytes } from './bytes.ts';

/** The types of values. */
export type Type = 'i32' | 'f32' | 'f64' | 'v128';

/** Their codes in the binary format. */
export const TYPE_CODES: { readonly [T in Type]: number } = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** An expression of type T. */
export interface Value<T extends Type = Type> {
  readonly type: T;
  /** Appends the instructions that leave it on the stack. */
  readonly write: (to: Bytes) => void;
}

export type I32 = Value<'i32'>;
export type F32 = Value<'f32'>;
export type F64 = Value<'f64'>;
export type V128 = Value<'v128'>;

/** An instruction: one byte, or a prefix and a number. */
export type Opcode = number | readonly [prefix: number, code: number];

function writeOpcode(to: Bytes, opcode: Opcode): void {
  if (typeof opcode === 'number') {
    to.byte(opcode);
    return;
  }
  to.byte(opcode[0]);
  to.unsigned(opcode[1]);
}

/** An instruction applied to arguments, with immediates behind its opcode. */
export function instruction<T extends Type>(type: T, opcode: Opcode, args: readonly Value[], immediates?: (to: Bytes) => void): Value<T> {
  return {
    type,
    write: (to) => {
      for (const arg of args) arg.write(to);
      writeOpcode(to, opcode);
      immediates?.(to);
    },
  };
}

/** An instruction with one argument. */
export function unary<A extends Type, T extends Type>(_argument: A, type: T, opcode: Opcode): (a: Value<A>) => Value<T> {
  return (a) => instruction(type, opcode, [a]);
}

/** An instruction with two arguments of one type. */
export function binary<A extends Type, T extends Type>(_argument: A, type: T, opcode: Opcode): (a: Value<A>, b: Value<A>) => Value<T> {
  return (a, b) => instruction(type, opcode, [a, b]);
}

/** Alignment (as a power of two: none is promised) and offset of a memory access. */
function memoryArgument(offset: number): (to: Bytes) => void {
  return (to) => {
    to.unsigned(0);
    to.unsigned(offset);
  };
}

/** A load from `address + offset` bytes. */
export function loading<T extends Type>(type: T, opcode: Opcode): (address: I32, offset?: number) => Value<T> {
  return (address, offset = 0) => instruction(type, opcode, [address], memoryArgument(offset));
}

/** A load of one lane into a vector. */
export function laneLoading(opcode: Opcode): (address: I32, vector: V128, lane: number, offset?: number) => V128 {
  return (address, vector, lane, offset = 0) =>
    instruction('v128', opcode, [address, vector], (to) => {
      memoryArgument(offset)(to);
      to.byte(lane);
    });
}

/** A store: an effect, so a statement (`code.ts`, `effect`). */
export interface Effect {
  readonly write: (to: Bytes) => void;
}

/** A store to `address + offset` bytes. */
export function storing<T extends Type>(_type: T, opcode: Opcode): (address: I32, value: Value<T>, offset?: number) => Effect {
  return (address, value, offset = 0) => instruction('i32', opcode, [address, value], memoryArgument(offset));
}

/** A store of one lane of a vector. */
export function laneStoring(opcode: Opcode): (address: I32, vector: V128, lane: number, offset?: number) => Effect {
  return (address, vector, lane, offset = 0) =>
    instruction('i32', opcode, [address, vector], (to) => {
      memoryArgument(offset)(to);
      to.byte(lane);
    });
}
