/** From programs to pipelines, each pattern compiled once; layouts and bind groups, each made once. */

import type { Device } from '../device/device.ts';
import type { Memory } from '../memory/blocks.ts';
import type { Pattern, Program } from './program.ts';

/** Bytes of a frame are bound in one of these sizes: powers of two from the alignment of dynamic offsets on. */
export const FRAME_ALIGNMENT = 256;

/** A compiled program for one pattern. */
export interface Variant {
  readonly pipeline: GPUComputePipeline;
  readonly layout: BindingLayout;
  /** For each binding, the first slot that has it. */
  readonly firsts: readonly number[];
  /** Slots that are written, by binding. */
  readonly name: string;
}

/** The layout of storage bindings, with the number that bind groups are found by. */
interface BindingLayout {
  readonly id: number;
  readonly layout: GPUBindGroupLayout;
}

/** All pipelines of a device. */
export class Pipelines {
  readonly #device: Device;
  readonly #layouts = new Map<string, BindingLayout>();
  readonly #frameLayout: GPUBindGroupLayout;
  readonly #groups = new Map<string, GPUBindGroup>();
  /** The keys of a buffer's bind groups, by its number. */
  readonly #keys = new Map<number, Set<string>>();
  #compiled = 0;

  constructor(device: Device) {
    this.#device = device;
    this.#frameLayout = device.gpu.createBindGroupLayout({
      entries: [{ binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } }],
    });
  }

  /** Shaders compiled so far. */
  get compiled(): number {
    return this.#compiled;
  }

  get bindGroups(): number {
    return this.#groups.size;
  }

  /** A group that binds frames of `byteLength` bytes in `buffer`. */
  frameGroup(buffer: GPUBuffer, byteLength: number): GPUBindGroup {
    return this.#device.gpu.createBindGroup({ layout: this.#frameLayout, entries: [{ binding: 0, resource: { buffer, size: byteLength } }] });
  }

  /** The pipeline of a program for a pattern. */
  variant(program: Program, pattern: Pattern): Variant {
    const key = pattern.join();
    const known = program.variants.get(key) as Variant | undefined;
    if (known !== undefined) return known;
    const made = this.#compile(program, pattern);
    program.variants.set(key, made);
    return made;
  }

  #compile(program: Program, pattern: Pattern): Variant {
    const bindings = [...new Set(pattern)];
    const layout = this.#layout(bindings.map((binding) => program.isWritten(pattern, binding)));
    const code = program.source(pattern);
    const { gpu } = this.#device;
    this.#compiled++;
    const pipeline = this.#device.guard(
      ['validation', 'internal'],
      program.name,
      () =>
        gpu.createComputePipeline({
          label: program.name,
          layout: gpu.createPipelineLayout({ bindGroupLayouts: [this.#frameLayout, layout.layout] }),
          compute: { module: gpu.createShaderModule({ label: program.name, code }), entryPoint: 'main' },
        }),
      (error) => this.#device.fail(error),
    );
    return { pipeline, layout, firsts: bindings.map((binding) => pattern.indexOf(binding)), name: program.name };
  }

  #layout(written: readonly boolean[]): BindingLayout {
    const key = written.map(Number).join('');
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const layout = this.#device.gpu.createBindGroupLayout({
      entries: written.map((isWritten, binding) => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: isWritten ? 'storage' : 'read-only-storage' },
      })),
    });
    const made = { id: this.#layouts.size, layout };
    this.#layouts.set(key, made);
    return made;
  }

  /** The bind group of these buffers, one for each binding. */
  group({ layout, name }: Variant, memories: readonly Memory[]): GPUBindGroup {
    let key = String(layout.id);
    for (const memory of memories) key += `,${memory.id}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = this.#device.gpu.createBindGroup({
      label: name,
      layout: layout.layout,
      entries: memories.map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
    });
    this.#groups.set(key, group);
    for (const { id } of memories) {
      const keys = this.#keys.get(id);
      if (keys === undefined) this.#keys.set(id, new Set([key]));
      else keys.add(key);
    }
    return group;
  }

  /** Forgets the bind groups of a buffer that is gone. */
  forget({ id }: Memory): void {
    for (const key of this.#keys.get(id) ?? []) this.#groups.delete(key);
    this.#keys.delete(id);
  }

  dispose(): void {
    this.#groups.clear();
    this.#keys.clear();
  }
}
