/** The element types of safetensors that gradus reads and writes, and what each is called here. */

import type { DType } from '@gradus/backend';

/** One element type. */
export interface FileDType {
  /** As the header spells it. */
  readonly name: string;
  /** Bytes of one element in the file. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** What it becomes. */
  readonly dtype: DType;
}

/**
 * Every type that is read. The file's data lies in this order, as the reference writer has it: widest first, so that every tensor is aligned
 * to its element (https://github.com/huggingface/safetensors, `Dtype` in safetensors/src/tensor.rs, backwards).
 *
 * I64 is only read: it becomes int32, if every value fits.
 */
export const FILE_DTYPES: readonly FileDType[] = [
  { name: 'I64', bytes: 8, dtype: 'int32' },
  { name: 'F64', bytes: 8, dtype: 'float64' },
  { name: 'F32', bytes: 4, dtype: 'float32' },
  { name: 'U32', bytes: 4, dtype: 'uint32' },
  { name: 'I32', bytes: 4, dtype: 'int32' },
  { name: 'BF16', bytes: 2, dtype: 'bfloat16' },
  { name: 'F16', bytes: 2, dtype: 'float16' },
  { name: 'I8', bytes: 1, dtype: 'int8' },
  { name: 'U8', bytes: 1, dtype: 'uint8' },
  { name: 'BOOL', bytes: 1, dtype: 'bool' },
];
