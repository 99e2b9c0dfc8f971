/** Elements into device memory, from the host and from one device to another. */

import type { DType } from '@gradus/backend';
import { requireStorable } from './dtype-names.ts';
import { NO_ATTRIBUTE, Node, attachStorage } from './graph/node.ts';
import { DATA, scalarNode } from './graph/record.ts';
import type { Shape } from './graph/shape.ts';
import { encode, roundTo } from './memory/elements.ts';
import { apartFrom } from './ops/own-handles.ts';
import { data } from './read.ts';
import { runtimeOf } from './runtime.ts';
import type { Device, Runtime } from './runtime.ts';
import { Tensor, nodeOf } from './tensor.ts';

/** A node with these elements, in row-major order. @throws DTypeError for a dtype the device cannot store */
export function fromElements(op: string, values: ArrayLike<number>, shape: Shape, dtype: DType, runtime: Runtime): Node {
  requireStorable(op, dtype, runtime.backend);
  if (shape.rank === 0) return scalarNode(roundTo(values[0] ?? NaN, dtype), dtype, runtime);
  const bytes = encode(values, dtype);
  const block = runtime.pool.allocate(bytes.byteLength);
  try {
    runtime.backend.write(block, bytes);
  } catch (error) {
    runtime.pool.release(block);
    throw error;
  }
  const node = new Node(DATA, [], NO_ATTRIBUTE, shape, dtype, runtime, 0);
  const storage = { block, runtime, refs: 0, isState: false };
  attachStorage(node, storage, 0, null);
  return node;
}

/**
 * A copy of `x` on another device; another handle on the same memory when it is there. The only way across.
 *
 * @throws DTypeError for a dtype that device cannot store
 */
export async function to(x: Tensor, device: Device): Promise<Tensor> {
  const { shape, dtype, runtime } = nodeOf(x, 'to');
  const target = runtimeOf(device);
  if (runtime === target) return apartFrom(x, x);
  return new Tensor(fromElements('to', await data(x), shape, dtype, target));
}
