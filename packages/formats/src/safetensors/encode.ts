/** Writing safetensors: tensors to bytes. */

import { toBfloat16Bits, toFloat16Bits } from '@gradus/backend';
import { ArgumentError, data } from '@gradus/tensor';
import type { ElementArray, Tensor } from '@gradus/tensor';
import { FILE_DTYPES } from './dtypes.ts';
import type { FileDType } from './dtypes.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY } from './header.ts';

/** The header's end, and so the data's beginning, is a multiple of this many bytes. */
const HEADER_ALIGNMENT = 8;

interface Part {
  readonly name: string;
  readonly tensor: Tensor;
  readonly type: FileDType;
  readonly begin: number;
  readonly end: number;
}

/**
 * The bytes of a safetensors file (https://github.com/huggingface/safetensors#format): the same bytes as the reference writer's.
 *
 * Tensors keep their dtype. They are taken as they are at the call, whatever is assigned to them while the device is read.
 * @param metadata free text by key, default none
 * @throws ArgumentError for a tensor named `__metadata__`, metadata that are not strings, or names too long for one header; TensorDisposedError
 */
export async function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  checkMetadata(metadata);
  const parts = layOut(tensors);
  const header = encodeHeader(parts, metadata);
  const reads = parts.map(async (part) => ({ ...part, elements: await data(part.tensor) }));
  const dataStart = LENGTH_BYTES + header.length;
  const file = new Uint8Array(dataStart + (parts.at(-1)?.end ?? 0));
  new DataView(file.buffer).setUint32(0, header.length, true); // the upper half stays 0: a header is short
  file.set(header, LENGTH_BYTES);
  for (const { elements, type, begin } of await Promise.all(reads)) file.set(bytesOf(elements, type), dataStart + begin);
  return file;
}

function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  const odd = Object.entries(metadata).find(([, text]) => typeof text !== 'string');
  if (odd !== undefined) throw refusal('metadata that are strings', `${typeof odd[1]} for ${JSON.stringify(odd[0])}`);
}

/** Gives each tensor its place: widest elements first, then by name. */
function layOut(tensors: Readonly<Record<string, Tensor>>): Part[] {
  if (Object.hasOwn(tensors, METADATA_KEY)) throw refusal(`no tensor named ${METADATA_KEY}`, 'one', 'rename it.');
  const order = Object.entries(tensors).map(([name, tensor]) => {
    const rank = FILE_DTYPES.findIndex(({ name: fileName, dtype }) => fileName !== 'I64' && dtype === tensor.dtype);
    const type = FILE_DTYPES[rank];
    if (type === undefined) throw refusal('a dtype that the format has', tensor.dtype);
    return { name, tensor, type, rank };
  });
  order.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1));
  let at = 0;
  return order.map(({ name, tensor, type }) => {
    const begin = at;
    at += tensor.size * type.bytes;
    return { name, tensor, type, begin, end: at };
  });
}

function encodeHeader(parts: readonly Part[], metadata: Readonly<Record<string, string>>): Uint8Array {
  // Joined by hand, because an object would put names that look like numbers first.
  const fields = parts.map(
    ({ name, tensor, type, begin, end }) =>
      `${JSON.stringify(name)}:${JSON.stringify({ dtype: type.name, shape: tensor.shape, data_offsets: [begin, end] })}`,
  );
  if (Object.keys(metadata).length > 0) fields.unshift(`"${METADATA_KEY}":${JSON.stringify(metadata)}`);
  const text = new TextEncoder().encode(`{${fields.join(',')}}`);
  const header = new Uint8Array(Math.ceil(text.length / HEADER_ALIGNMENT) * HEADER_ALIGNMENT).fill(' '.charCodeAt(0));
  if (header.length > MAX_HEADER_BYTES) throw refusal(`names and metadata of at most ${MAX_HEADER_BYTES} bytes`, String(header.length));
  header.set(text);
  return header;
}

/** Elements as the file has them. */
function bytesOf(elements: ElementArray, { dtype }: FileDType): Uint8Array {
  const bits = dtype === 'float16' ? toFloat16Bits : dtype === 'bfloat16' ? toBfloat16Bits : null;
  const { buffer, byteOffset, byteLength } = bits === null ? elements : Uint16Array.from(elements, bits);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function refusal(expected: string, got: string, fix?: string): ArgumentError {
  return new ArgumentError({ op: 'encodeSafetensors', expected, got, ...(fix === undefined ? {} : { fix }) });
}
