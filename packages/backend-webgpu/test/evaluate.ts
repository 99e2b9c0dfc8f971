/** Scalar expressions evaluated on a device, many arguments in one dispatch: what tests of the generated WGSL compare with. */

import { DTYPES, emit } from '@gradus/backend';
import type { Dialect, DType, Expression } from '@gradus/backend';
import { OPERATORS, WRAP, bitcast, cast, constant, typeOf, whereText } from '../src/wgsl/language.ts';
import { libraryFor } from '../src/wgsl/library.ts';
import { elementsPerWord, pack, unpack } from '../src/wgsl/storage.ts';
import { dawn } from './dawn.ts';

const WORKGROUP = 64;
const WORD = 4;

/** Elements in memory, as their dtype's typed array has them; 16-bit floats are bits. */
export interface Column {
  readonly dtype: DType;
  readonly bytes: Uint8Array;
}

/** Numbers (or, of 16-bit floats, bits) as elements. */
export function column(dtype: DType, values: ArrayLike<number>): Column {
  const bytes = new Uint8Array(values.length * DTYPES[dtype].bytes);
  DTYPES[dtype].view(bytes.buffer).set(values);
  return { dtype, bytes };
}

/** The language as these kernels have it: no scalars, axes or gathers. */
function dialect(): Dialect {
  const none = (): string => {
    throw new TypeError('internal: no such source in this kernel');
  };
  return {
    declare: (name, dtype, value) => `let ${name} : ${typeOf(dtype)} = ${value};`,
    load: (operand, dtype) => unpack(`source${operand}[element / ${elementsPerWord(dtype)}u]`, 'element', dtype),
    constant,
    cast,
    bitcast,
    where: whereText,
    operators: OPERATORS,
    ...(WRAP === undefined ? {} : { wrap: WRAP }),
    scalar: none,
    axis: none,
    gather: none,
    accumulator: none,
  };
}

function kernelText(value: Expression, inputs: number): string {
  const { statements, values } = emit([value], dialect());
  const perWord = elementsPerWord(value.dtype);
  const sources = Array.from({ length: inputs }, (_, i) => `@group(0) @binding(${i}) var<storage, read> source${i} : array<u32>;`);
  const text = `${sources.join('\n')}
@group(0) @binding(${inputs}) var<storage, read_write> result : array<u32>;
fn valueAt(element : u32) -> ${typeOf(value.dtype)} {
  ${statements.join('\n  ')}
  return ${values[0] ?? ''};
}
@compute @workgroup_size(${WORKGROUP}) fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  if (id.x >= arrayLength(&result)) {
    return;
  }
  var word = 0u;
  for (var place = 0u; place < ${perWord}u; place++) {
    word |= ${pack(`valueAt(id.x * ${perWord}u + place)`, value.dtype)} << (place * ${32 / perWord}u);
  }
  result[id.x] = word;
}`;
  return `${libraryFor(text)}\n${text}`;
}

/** A device that evaluates expressions. */
export class Evaluator {
  /** Dawn ends the process when its entry is collected while devices are in use. */
  readonly #gpu: GPU;
  readonly #device: GPUDevice;

  private constructor(gpu: GPU, device: GPUDevice) {
    this.#gpu = gpu;
    this.#device = device;
  }

  static async create(): Promise<Evaluator> {
    const gpu = await dawn();
    const adapter = await gpu.requestAdapter();
    if (adapter === null) throw new Error('no adapter');
    return new Evaluator(gpu, await adapter.requestDevice());
  }

  /** The bytes of `value` for every element of the columns, its `load`s. */
  async bytes(value: Expression, columns: readonly Column[], count: number): Promise<Uint8Array> {
    const device = this.#device;
    device.pushErrorScope('validation');
    const words = Math.ceil(count / elementsPerWord(value.dtype));
    const size = words * WORD;
    const sources = columns.map(({ bytes }) => {
      const buffer = device.createBuffer({ size: Math.ceil(bytes.length / WORD) * WORD, usage: GPUBufferUsage.STORAGE, mappedAtCreation: true });
      new Uint8Array(buffer.getMappedRange()).set(bytes);
      buffer.unmap();
      return buffer;
    });
    const result = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const module = device.createShaderModule({ code: kernelText(value, columns.length) });
    const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
    // Operands that the expression does not read have no binding.
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [...sources, result].map((buffer, binding) => ({ binding, resource: { buffer } })),
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(words / WORKGROUP));
    pass.end();
    encoder.copyBufferToBuffer(result, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    const error = await device.popErrorScope();
    if (error !== null) throw new Error(error.message);
    await staging.mapAsync(GPUMapMode.READ);
    const bytes = new Uint8Array(staging.getMappedRange().slice(0, count * DTYPES[value.dtype].bytes));
    for (const buffer of [...sources, result, staging]) buffer.destroy();
    return bytes;
  }

  /** The same as numbers; 16-bit floats as bits. */
  async numbers(value: Expression, columns: readonly Column[], count: number): Promise<Float64Array> {
    const bytes = await this.bytes(value, columns, count);
    return Float64Array.from(DTYPES[value.dtype].view(bytes.buffer, 0, count));
  }

  dispose(): void {
    this.#device.destroy();
    void this.#gpu;
  }
}
