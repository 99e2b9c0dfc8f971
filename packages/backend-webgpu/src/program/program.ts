/**
 * Programs: WGSL with holes for how its operands are bound.
 *
 * The body of a program calls `load3(i)` and `store3(i, value)` for element i of operand 3; the functions are written here. Usually each operand
 * has a binding of its own. WebGPU refuses a buffer that is bound twice when one of the bindings is written, so where operands share a block
 * (gradients in one arena, values in one block) they share a binding too: a **pattern** says which, and each pattern in use is compiled once.
 *
 * Elements narrower than a word are written with atomic operations on their own bits, so invocations never disturb each other's.
 */

import { bytesPerElement } from '@gradus/backend';
import type { DType, Operand } from '@gradus/backend';
import { constant, typeOf } from '../wgsl/language.ts';
import { libraryFor } from '../wgsl/library.ts';
import { elementsPerWord, pack, unpack } from '../wgsl/storage.ts';
import type { Frame } from './frame.ts';

/** An operand of a program, or memory for its own use between its passes. */
export interface Slot {
  readonly dtype: DType;
  readonly access: Operand['access'];
  /** Bound as vectors of four, read with `loadVector3(i)` for elements 4i to 4i + 3: needs offsets and strides that are multiples of 4. */
  readonly vector?: boolean;
  /** Words that many invocations write: the body calls `get3(i)`, `put3(i, bits)`, `exchange3(i, bits)` and `increase3(i, bits)`. */
  readonly atomic?: boolean;
}

/** For each slot, the binding that it has. */
export type Pattern = readonly number[];

/** A program for any pattern. */
export class Program {
  /** Shown in messages of the driver and in profiles. */
  readonly name: string;
  readonly slots: readonly Slot[];
  readonly frame: Frame;
  readonly workgroupSize: number;
  readonly #body: string;
  readonly #declarations: string;
  readonly #features: readonly string[];
  /** The places of compiled variants, by pattern: filled by `Pipelines`. */
  readonly variants: Map<string, unknown> = new Map();

  /**
   * @param body statements of the entry; they see `group` (u32, the number of the workgroup), `lane` (u32, that of the invocation in it)
   * @param declarations at module scope: workgroup memory, functions
   */
  constructor(
    name: string,
    slots: readonly Slot[],
    frame: Frame,
    body: string,
    options: { readonly declarations?: string; readonly workgroupSize?: number; readonly features?: readonly string[] } = {},
  ) {
    this.name = name;
    this.slots = slots;
    this.frame = frame;
    this.#body = body;
    this.#declarations = options.declarations ?? '';
    this.workgroupSize = options.workgroupSize ?? 256;
    this.#features = options.features ?? [];
  }

  /** Is any slot of this binding written? */
  isWritten(pattern: Pattern, binding: number): boolean {
    return this.slots.some((slot, k) => pattern[k] === binding && slot.access !== 'read');
  }

  /** The WGSL for a pattern. */
  source(pattern: Pattern): string {
    const bindings = [...new Set(pattern)];
    const elements = bindings.map((binding) => elementOf(this.slots.filter((_, k) => pattern[k] === binding)));
    const declared = bindings.map((binding, i) => {
      const mode = this.isWritten(pattern, binding) ? 'read_write' : 'read';
      return `@group(1) @binding(${i}) var<storage, ${mode}> b${binding}: array<${elements[i]}>;`;
    });
    const accessors = this.slots.map((slot, k) => {
      const binding = pattern[k] ?? 0;
      return accessor(k, slot, `b${binding}`, elements[bindings.indexOf(binding)] ?? 'u32');
    });
    const body = `${this.#declarations}
@compute @workgroup_size(${this.workgroupSize})
fn main(@builtin(workgroup_id) place: vec3u, @builtin(num_workgroups) extent: vec3u, @builtin(local_invocation_index) lane: u32${
      this.#features.includes('subgroups') ? ', @builtin(subgroup_invocation_id) sublane: u32, @builtin(subgroup_size) sublanes: u32' : ''
    }) {
let group = place.x + place.y * extent.x;
${this.#body}
}`;
    const text = `${declared.join('\n')}
@group(0) @binding(0) var<uniform> frame: array<vec4i, ${this.frame.length / 4}>;
${accessors.join('\n')}
${body}`;
    return `${this.#features.map((feature) => `enable ${feature};\n`).join('')}${libraryFor(text)}\n${text}`;
  }
}

type Element = 'f32' | 'i32' | 'u32' | 'vec4f' | 'vec4i' | 'vec4u' | 'atomic<u32>';

const isPacked = (dtype: DType): boolean => bytesPerElement(dtype) < 4;

/** The element type of a binding that these slots share. */
function elementOf(slots: readonly Slot[]): Element {
  if (slots.some((slot) => slot.atomic === true || (isPacked(slot.dtype) && slot.access !== 'read'))) return 'atomic<u32>';
  const [first] = slots;
  if (first === undefined) return 'u32';
  const scalar = scalarElement(first.dtype);
  if (first.vector === true && !isPacked(first.dtype) && slots.length === 1) return scalar === 'f32' ? 'vec4f' : scalar === 'i32' ? 'vec4i' : 'vec4u';
  return slots.every((slot) => scalarElement(slot.dtype) === scalar) ? scalar : 'u32';
}

/** The type of one element as it lies in memory. */
function scalarElement(dtype: DType): 'f32' | 'i32' | 'u32' {
  if (isPacked(dtype)) return 'u32';
  const type = typeOf(dtype);
  return type === 'bool' ? 'u32' : type;
}

/** The functions `load`, `store` and `loadVector` of a slot. */
function accessor(k: number, slot: Slot, name: string, element: Element): string {
  if (slot.atomic === true) return atomicAccessor(k, name);
  const { dtype, access } = slot;
  const type = typeOf(dtype);
  const own = scalarElement(dtype);
  const per = elementsPerWord(dtype);
  const word = (index: string): string => {
    if (element === 'atomic<u32>') return `atomicLoad(&${name}[${index}])`;
    if (element.startsWith('vec4')) return `${name}[(${index}) / 4u][(${index}) % 4u]`;
    return `${name}[${index}]`;
  };
  const stored = element === 'vec4f' ? 'f32' : element === 'vec4i' ? 'i32' : element === 'vec4u' || element === 'atomic<u32>' ? 'u32' : element;
  const lines: string[] = [];
  if (access !== 'write') {
    const value = per === 1 ? convertWord(word('u32(i)'), stored, own) : unpack(word(`u32(i) / ${per}u`), 'u32(i)', dtype);
    lines.push(`fn load${k}(i: i32) -> ${type} { return ${value}; }`);
    if (slot.vector === true && per > 1) {
      const part = (c: number): string => unpack(word(`u32(i) * ${4 / per}u + ${Math.floor(c / per)}u`), `${c}u`, dtype);
      lines.push(`fn loadVector${k}(i: i32) -> vec4<${type}> { return vec4<${type}>(${[0, 1, 2, 3].map(part).join(', ')}); }`);
    } else if (slot.vector === true) {
      const vector = `vec4<${own}>`;
      const whole = element.startsWith('vec4')
        ? `${name}[u32(i)]`
        : `${vector}(${[0, 1, 2, 3].map((c) => convertWord(word(`u32(i) * 4u + ${c}u`), stored, own)).join(', ')})`;
      lines.push(`fn loadVector${k}(i: i32) -> ${vector} { return ${whole}; }`);
    }
  }
  if (access !== 'read') lines.push(`fn store${k}(i: i32, value: ${type}) { ${store(name, element, dtype)} }`);
  return lines.join('\n');
}

function atomicAccessor(k: number, name: string): string {
  const operation = (text: string, builtin: string): string =>
    `fn ${text}${k}(i: i32, bits: u32) -> u32 { return ${builtin}(&${name}[u32(i)], bits); }`;
  return [
    `fn get${k}(i: i32) -> u32 { return atomicLoad(&${name}[u32(i)]); }`,
    `fn put${k}(i: i32, bits: u32) { atomicStore(&${name}[u32(i)], bits); }`,
    operation('exchange', 'atomicExchange'),
    operation('increase', 'atomicAdd'),
  ].join('\n');
}

/** A word of type `from` read as one of type `to`. */
function convertWord(text: string, from: string, to: string): string {
  return from === to ? text : `bitcast<${to}>(${text})`;
}

function store(name: string, element: Element, dtype: DType): string {
  const per = elementsPerWord(dtype);
  if (per === 1) {
    if (element === 'atomic<u32>') return `atomicStore(&${name}[u32(i)], ${pack('value', dtype)});`;
    return `${name}[u32(i)] = ${element === scalarElement(dtype) ? 'value' : `bitcast<${element}>(value)`};`;
  }
  const width = 32 / per;
  const mask = `${constant(2 ** width - 1, 'uint32')} << shift`;
  return (
    `let at = u32(i) / ${per}u; let shift = (u32(i) % ${per}u) * ${width}u; let bits = ${pack('value', dtype)} << shift; ` +
    // Those of the old bits that have to go, then those of the new ones that are missing: nobody else touches either.
    `atomicAnd(&${name}[at], ~(${mask}) | bits); atomicOr(&${name}[at], bits);`
  );
}
