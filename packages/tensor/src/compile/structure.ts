/** Nested arguments and results: tensors in arrays and plain objects, taken apart and put together again. */

import { isTensor } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';

/** The form of a nested value, with a number in each tensor's place. */
export type Structure =
  | { readonly kind: 'tensor'; readonly index: number }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'array'; readonly items: readonly Structure[] }
  | { readonly kind: 'record'; readonly entries: readonly (readonly [string, Structure])[] };

/** A nested value taken apart. */
export interface Parts {
  readonly structure: Structure;
  readonly tensors: readonly Tensor[];
}

/** Deeper nesting is a mistake: an object that contains itself. */
const MAX_DEPTH = 64;

const flat: Structure[] = [];

/** The structure of a list of `count` tensors: one object for each count, so that comparing it is quick. */
function flatStructure(count: number): Structure {
  flat[count] ??= { kind: 'array', items: Array.from({ length: count }, (_, index): Structure => ({ kind: 'tensor', index })) };
  return flat[count];
}

/** Takes arguments apart. */
export function takeArgumentsApart(args: readonly unknown[]): Parts {
  for (const arg of args) if (!isTensor(arg)) return takeApart(args);
  return { structure: flatStructure(args.length), tensors: args as readonly Tensor[] };
}

/** Takes a nested value apart. Whatever is no tensor, array or plain object is a value. */
export function takeApart(value: unknown): Parts {
  const tensors: Tensor[] = [];
  const visit = (part: unknown, depth: number): Structure => {
    if (isTensor(part)) return { kind: 'tensor', index: tensors.push(part) - 1 };
    if (depth === MAX_DEPTH) return { kind: 'value', value: part };
    if (Array.isArray(part)) return { kind: 'array', items: part.map((each) => visit(each, depth + 1)) };
    if (isRecord(part)) return { kind: 'record', entries: Object.entries(part).map(([key, each]) => [key, visit(each, depth + 1)] as const) };
    return { kind: 'value', value: part };
  };
  return { structure: visit(value, 0), tensors };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Puts a value together with these tensors. */
export function putTogether(structure: Structure, tensors: readonly unknown[]): unknown {
  switch (structure.kind) {
    case 'tensor':
      return tensors[structure.index];
    case 'value':
      return structure.value;
    case 'array':
      return structure.items.map((item) => putTogether(item, tensors));
    case 'record':
      return Object.fromEntries(structure.entries.map(([key, item]) => [key, putTogether(item, tensors)]));
    default:
      return structure satisfies never;
  }
}

/** Have two values the same form, with the same values in it? */
export function sameStructure(a: Structure, b: Structure): boolean {
  if (a === b) return true;
  if (a.kind === 'tensor') return b.kind === 'tensor';
  if (a.kind === 'value') return b.kind === 'value' && Object.is(a.value, b.value);
  if (a.kind === 'array')
    return b.kind === 'array' && a.items.length === b.items.length && a.items.every((item, i) => sameStructure(item, b.items[i] as Structure));
  return (
    b.kind === 'record' &&
    a.entries.length === b.entries.length &&
    a.entries.every(([key, item], i) => key === b.entries[i]?.[0] && sameStructure(item, b.entries[i][1]))
  );
}
