/**
 * A launch: one kernel made ready for one set of `dims`, as dispatches in order. Between them they may use scratch memory, which all launches
 * of a device share, since dispatches that write a buffer and those that read it never overlap.
 */

import type { Program } from '../program/program.ts';

/** Where a slot of a program gets its memory: an operand of the kernel, or a piece of scratch memory. */
export type Source = { readonly operand: number } | { readonly scratch: number };

/** One dispatch of a launch. */
export interface Dispatch {
  readonly program: Program;
  /** For each slot of the program. */
  readonly sources: readonly Source[];
  /** The frame, scalars left at 0. */
  readonly words: Int32Array;
  readonly x: number;
  readonly y: number;
}

/** Dispatches, and the bytes of each piece of scratch memory. */
export interface Launch {
  readonly dispatches: readonly Dispatch[];
  readonly scratch: readonly number[];
}

/** What plans the runs of one kernel. */
export type Planner = (dims: Int32Array) => Launch;

/** Nothing to do: a run of no points. */
export const NOTHING: Launch = { dispatches: [], scratch: [] };

/** Every slot is the operand of the same number. */
export function operandSources(count: number): readonly Source[] {
  return Array.from({ length: count }, (_, operand) => ({ operand }));
}

/** Most workgroups along one axis that every adapter takes. */
const MOST_WORKGROUPS = 65_535;

/** Lays `count` workgroups out in two axes; a program has to skip those beyond the last. */
function workgroups(count: number): { readonly x: number; readonly y: number } {
  const y = Math.ceil(count / MOST_WORKGROUPS);
  return { x: Math.ceil(count / Math.max(1, y)), y };
}

/** A dispatch of `count` workgroups. */
export function dispatch(program: Program, sources: readonly Source[], dims: Int32Array, count: number): Dispatch {
  return { program, sources, words: program.frame.fill(dims), ...workgroups(count) };
}

/** The launch of one program over the kernel's operands. */
export function single(program: Program, dims: Int32Array, count: number): Launch {
  return { dispatches: [dispatch(program, operandSources(program.slots.length), dims, count)], scratch: [] };
}
