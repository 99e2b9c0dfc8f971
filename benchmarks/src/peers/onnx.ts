/** onnxruntime, in the browser's build (WebAssembly, one thread) and the native one, multiplying matrices. */

import type { Contender } from '../measure.ts';
import { importPeer } from './installed.ts';

interface Session {
  run(feeds: Readonly<Record<string, unknown>>): Promise<unknown>;
}

interface Runtime {
  readonly env: { readonly wasm?: { numThreads: number } };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

/** A protobuf field of bytes, or of a number. */
function field(number: number, value: readonly number[] | number): number[] {
  return typeof value === 'number' ? [number << 3, value] : [(number << 3) | 2, ...length(value.length), ...value];
}

function length(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...length(value >>> 7)];
}

const text = (value: string): number[] => [...new TextEncoder().encode(value)];

/** An ONNX model (opset 13) whose graph is `c = a · b`. */
function matmulModel(): Uint8Array {
  const floats = field(1, 1);
  const value = (name: string): number[] => [...field(1, text(name)), ...field(2, field(1, floats))];
  const node = [...field(1, text('a')), ...field(1, text('b')), ...field(2, text('c')), ...field(4, text('MatMul'))];
  const graph = [...field(1, node), ...field(2, text('product')), ...field(11, value('a')), ...field(11, value('b')), ...field(12, value('c'))];
  return Uint8Array.from([...field(1, 8), ...field(7, graph), ...field(8, field(2, 13))]);
}

async function session(name: 'onnxruntime-web' | 'onnxruntime-node'): Promise<{ readonly runtime: Runtime; readonly session: Session }> {
  const module = (await importPeer(name)) as { readonly default?: Runtime } & Runtime;
  const runtime = module.default ?? module;
  if (runtime.env.wasm !== undefined) runtime.env.wasm.numThreads = 1;
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, ...(name === 'onnxruntime-web' && { executionProviders: ['wasm'] }) };
  return { runtime, session: await runtime.InferenceSession.create(matmulModel(), options) };
}

/** `a · b` of an m by k and a k by n matrix. */
export function onnxContender(
  name: 'onnxruntime-web' | 'onnxruntime-node',
  a: Float32Array,
  b: Float32Array,
  [m, k, n]: readonly [number, number, number],
): Contender {
  let ready: Promise<{ readonly session: Session; readonly feeds: Readonly<Record<string, unknown>> }> | null = null;
  const prepare = async (): Promise<NonNullable<Awaited<typeof ready>>> => {
    const { runtime, session: made } = await session(name);
    return { session: made, feeds: { a: new runtime.Tensor('float32', a, [m, k]), b: new runtime.Tensor('float32', b, [k, n]) } };
  };
  return {
    name: `${name}, 1 thread`,
    run: async () => {
      ready ??= prepare();
      const { session: made, feeds } = await ready;
      await made.run(feeds);
    },
  };
}
