/** Datasets in memory: columns that are typed arrays, kept as small as they come and converted a batch at a time. */

import { ArgumentError, IndexError, ShapeError, data } from '@gradus/tensor';
import type { DType, ElementArray, Tensor } from '@gradus/tensor';
import type { Column, Dataset } from './dataset.ts';

/** The samples of one column. */
export interface ArrayColumn {
  /** All samples, row-major. Not copied: the dataset keeps it. */
  readonly data: ElementArray | Int16Array | Uint8ClampedArray;
  /** Sizes of one sample, such as `[28, 28]`. Default `[]`: one number each. */
  readonly shape?: readonly number[];
  /** What a batch has. Default: as `data` is (int32 for Int16Array, uint8 for Uint8ClampedArray). Fractions are cut off for integer dtypes. */
  readonly dtype?: DType;
  /** For bytes: what each of the 256 stands for, such as the brightness of a pixel. Batches have `table[byte]`. Default: the elements themselves. */
  readonly table?: Float32Array;
}

/** The batch columns of some array columns: as many of them. */
export type ColumnsOf<C extends readonly unknown[]> = { readonly [K in keyof C]: Column };

/** The arrays that batches of each dtype come in. */
const BATCH_ARRAYS: { readonly [D in DType]: new (length: number) => ElementArray } = {
  float64: Float64Array,
  float32: Float32Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** The values a byte can have. */
const BYTES = 256;

/**
 * Samples from typed arrays: `new ArrayDataset([{ data: pixels, shape: [784] }, { data: labels }])`.
 *
 * A batch has one column for each, of shape `[samples, ...shape]`.
 */
export class ArrayDataset<const C extends readonly ArrayColumn[]> implements Dataset<ColumnsOf<C>> {
  readonly length: number;
  readonly #columns: readonly InMemoryColumn[];

  /** @throws ShapeError for arrays that are not whole samples, or columns of different length; ArgumentError for no column, or a table without bytes or 256 values */
  constructor(columns: C) {
    this.#columns = columns.map((column) => new InMemoryColumn(column));
    const lengths = this.#columns.map((column) => column.length);
    const [length] = lengths;
    if (length === undefined) throw new ArgumentError({ op: 'ArrayDataset', expected: 'at least one column', got: 'none' });
    if (lengths.some((each) => each !== length))
      throw new ShapeError({ op: 'ArrayDataset', expected: 'columns of the same length', got: lengths.join(' and ') });
    this.length = length;
  }

  /** @throws IndexError for a number that no sample has */
  batch(indices: Int32Array, reuse?: ColumnsOf<C>): ColumnsOf<C> {
    for (const index of indices) {
      if (index < 0 || index >= this.length)
        throw new IndexError({ op: 'ArrayDataset', expected: `samples from 0 to ${this.length - 1}`, got: String(index) });
    }
    const old: readonly Column[] | undefined = reuse;
    return this.#columns.map((column, i) => column.gather(indices, old?.[i]?.data)) as ColumnsOf<C>;
  }
}

class InMemoryColumn {
  readonly length: number;
  readonly #data: ArrayColumn['data'];
  readonly #shape: readonly number[];
  /** Elements of one sample. */
  readonly #size: number;
  readonly #dtype: DType;
  readonly #table: Float32Array | null;

  constructor({ data: elements, shape = [], dtype, table }: ArrayColumn) {
    this.#data = elements;
    this.#shape = shape;
    this.#size = shape.reduce((product, size) => product * size, 1);
    this.#table = table ?? null;
    this.#dtype = dtype ?? (table === undefined ? dtypeOf(elements) : 'float32');
    this.length = elements.length / this.#size;
    if (!Number.isInteger(this.length)) {
      throw new ShapeError({ op: 'ArrayDataset', expected: `whole samples of shape [${shape.join(', ')}]`, got: `${elements.length} elements` });
    }
    if (table !== undefined && !(dtypeOf(elements) === 'uint8' && table.length === BYTES)) {
      throw new ArgumentError({
        op: 'ArrayDataset',
        expected: `a table of ${BYTES} values, for bytes`,
        got: `${table.length} values, for ${dtypeOf(elements)}`,
      });
    }
  }

  /** The rows with these numbers, in `reuse` if it fits. */
  gather(rows: Int32Array, reuse: ElementArray | undefined): Column {
    const length = rows.length * this.#size;
    const target = reuse?.length === length ? reuse : new BATCH_ARRAYS[this.#dtype](length);
    this.#copy(rows, target);
    return { data: target, shape: [rows.length, ...this.#shape], dtype: this.#dtype };
  }

  #copy(rows: Int32Array, target: ElementArray): void {
    const size = this.#size;
    const source = this.#data;
    const table = this.#table;
    let at = 0;
    for (const row of rows) {
      const end = (row + 1) * size;
      if (table === null) for (let from = row * size; from < end; from++) target[at++] = source[from] as number;
      else for (let from = row * size; from < end; from++) target[at++] = table[source[from] as number] as number;
    }
  }
}

function dtypeOf(elements: ArrayColumn['data']): DType {
  if (elements instanceof Float32Array) return 'float32';
  if (elements instanceof Float64Array) return 'float64';
  if (elements instanceof Int32Array || elements instanceof Int16Array) return 'int32';
  if (elements instanceof Uint32Array) return 'uint32';
  if (elements instanceof Int8Array) return 'int8';
  return 'uint8';
}

/**
 * Samples from tensors whose first axis counts them: `tensorDataset(images, labels)`. A batch has their rows, in their dtypes.
 *
 * Their elements are copied to the host once, as they are at the call; the tensors are not needed afterwards.
 * @throws ArgumentError for no tensors; ShapeError for a tensor without axes, or different lengths
 */
export function tensorDataset<const T extends readonly Tensor[]>(...tensors: T): Dataset<ColumnsOf<T>> {
  const lengths = tensors.map(({ shape }) => shape[0]);
  const [length] = lengths;
  if (tensors.length === 0) throw new ArgumentError({ op: 'tensorDataset', expected: 'at least one tensor', got: 'none' });
  if (length === undefined || lengths.some((each) => each !== length)) {
    const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`);
    throw new ShapeError({ op: 'tensorDataset', expected: 'tensors whose first axes are equal: they count samples', got: shapes.join(' and ') });
  }
  const columns = tensors.map(async (each) => ({ shape: each.shape.slice(1), dtype: each.dtype, data: await data(each) }));
  const read = Promise.all(columns).then((made) => new ArrayDataset(made));
  read.catch(() => undefined); // a failure is thrown when a batch is asked for
  const dataset: Dataset = { length, batch: async (indices, reuse) => (await read).batch(indices, reuse) };
  return dataset as Dataset<ColumnsOf<T>>;
}
