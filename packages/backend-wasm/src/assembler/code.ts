/**
 * The code of one function, written statement by statement.
 *
 * ```ts
 * const sum = code.let(i32.const(0));
 * code.for(count, (i) => code.set(sum, i32.add(sum, i)));
 * ```
 */

import { Bytes } from './bytes.ts';
import { i32, v128 } from './instructions.ts';
import { TYPE_CODES, instruction } from './value.ts';
import type { Effect, I32, Type, V128, Value } from './value.ts';

/** A local variable: a value, and a place that `set` writes to. */
export interface Local<T extends Type = Type> extends Value<T> {
  readonly index: number;
}

/** A function that can be called: of this module, or imported. */
export interface Callable {
  readonly index: number;
  readonly result: Type | null;
}

const EMPTY_BLOCK = 0x40;

/** The statements of a function in the making. */
export class Code {
  readonly #parameters: readonly Type[];
  readonly #locals: Type[] = [];
  /** What stands before everything else: constants of vectors, which Node 24 would build again in each iteration. */
  readonly #prologue = new Bytes();
  readonly #body = new Bytes();
  readonly #constants = new Map<string, Local<'v128'>>();

  constructor(parameters: readonly Type[]) {
    this.#parameters = parameters;
  }

  /** Parameter number `index`. */
  parameter<T extends Type>(index: number, type: T): Local<T> {
    return this.#place(index, type);
  }

  #place<T extends Type>(index: number, type: T): Local<T> {
    return {
      index,
      type,
      write: (to) => {
        to.byte(0x20);
        to.unsigned(index);
      },
    };
  }

  /** A new local variable. It is 0 when the function begins, but not in later iterations of a loop. */
  local<T extends Type>(type: T): Local<T> {
    this.#locals.push(type);
    return this.#place(this.#parameters.length + this.#locals.length - 1, type);
  }

  /** A new local variable with a value. */
  let<T extends Type>(value: Value<T>): Local<T> {
    const local = this.local(value.type);
    this.set(local, value);
    return local;
  }

  /** `local = value`. */
  set<T extends Type>(local: Local<T>, value: Value<T>): void {
    this.#assign(this.#body, local, value);
  }

  #assign(to: Bytes, local: Local, value: Value): void {
    value.write(to);
    to.byte(0x21);
    to.unsigned(local.index);
  }

  /** A vector constant, held in a local from the start of the function. */
  constant(bytes: Uint8Array): V128 {
    const key = bytes.join();
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const local = this.local('v128');
    this.#assign(this.#prologue, local, v128.const(bytes));
    this.#constants.set(key, local);
    return local;
  }

  /** Stores and calls. */
  effect(effect: Effect): void {
    effect.write(this.#body);
  }

  /** A call for its result. */
  call<T extends Type>(callee: Callable & { readonly result: T }, args: readonly Value[]): Value<T> {
    return instruction(callee.result, 0x10, args, (to) => to.unsigned(callee.index));
  }

  /** A call of a function without a result. */
  run(callee: Callable, args: readonly Value[]): void {
    this.effect(instruction('i32', 0x10, args, (to) => to.unsigned(callee.index)));
  }

  /** `if (condition) then() else otherwise()`. */
  if(condition: I32, then: () => void, otherwise?: () => void): void {
    condition.write(this.#body);
    this.#open(0x04);
    then();
    if (otherwise !== undefined) {
      this.#body.byte(0x05);
      otherwise();
    }
    this.#body.byte(0x0b);
  }

  #open(opcode: number): void {
    this.#body.byte(opcode);
    this.#body.byte(EMPTY_BLOCK);
  }

  /** Runs `body` again and again while `condition` holds; it is tested first. */
  while(condition: I32, body: () => void): void {
    this.if(condition, () => {
      this.#open(0x03);
      body();
      condition.write(this.#body);
      // br_if to the loop's start
      this.#body.byte(0x0d);
      this.#body.unsigned(0);
      this.#body.byte(0x0b);
    });
  }

  /** `for (let i = from; i < end; i += step)`; `end` and `step` are evaluated every time. Signed. */
  for(end: I32, body: (i: Local<'i32'>) => void, from: I32 = i32.const(0), step: I32 = i32.const(1)): void {
    const i = this.let(from);
    this.while(i32.ltS(i, end), () => {
      body(i);
      this.set(i, i32.add(i, step));
    });
  }

  /** Sets the result and ends the function: the last statement. */
  result(value: Value): void {
    value.write(this.#body);
  }

  /** The function as the code section has it. */
  finish(): Bytes {
    const out = new Bytes();
    // One run for each local: runs could be joined, but locals of one type seldom follow each other.
    const runs: { type: Type; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    out.unsigned(runs.length);
    for (const { type, count } of runs) {
      out.unsigned(count);
      out.byte(TYPE_CODES[type]);
    }
    out.append(this.#prologue.view());
    out.append(this.#body.view());
    out.byte(0x0b);
    return out;
  }
}
