/**
 * Element types: their names, sizes and the typed arrays that hold them.
 *
 * `float16` and `bfloat16` are stored as 16-bit words (see `float16.ts`), `bool` as one byte holding 0 or 1.
 * `float64` is for backends that have it (cpu); nothing requires it.
 */

/** The name of an element type. */
export type DType = 'float64' | 'float32' | 'float16' | 'bfloat16' | 'int32' | 'uint32' | 'int8' | 'uint8' | 'bool';

/** The typed arrays that elements are exchanged in; 16-bit floats travel as their bits. */
export type TypedArray = Float64Array | Float32Array | Uint16Array | Int32Array | Uint32Array | Int8Array | Uint8Array;

/** What kind of number a dtype holds: decides which opcodes apply to it. */
export type DTypeKind = 'float' | 'int' | 'uint' | 'bool';

/** The facts about one dtype. */
export interface DTypeInfo {
  readonly kind: DTypeKind;
  /** Bytes of one element. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** Smallest and largest finite value. */
  readonly min: number;
  readonly max: number;
  /** Machine epsilon for floats, 0 otherwise. */
  readonly epsilon: number;
  /** A typed array over raw bytes. */
  readonly view: (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;
}

const FLOAT32_MAX = 3.4028234663852886e38;
const BFLOAT16_MAX = 3.3895313892515355e38;

/** Every dtype with its facts. Iterate over it with `Object.keys(DTYPES)`, or use {@link ALL_DTYPES}. */
export const DTYPES: { readonly [D in DType]: DTypeInfo } = {
  float64: {
    kind: 'float',
    bytes: 8,
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    epsilon: 2 ** -52,
    view: (b, o, n) => new Float64Array(b, o, n),
  },
  float32: { kind: 'float', bytes: 4, min: -FLOAT32_MAX, max: FLOAT32_MAX, epsilon: 2 ** -23, view: (b, o, n) => new Float32Array(b, o, n) },
  float16: { kind: 'float', bytes: 2, min: -65504, max: 65504, epsilon: 2 ** -10, view: (b, o, n) => new Uint16Array(b, o, n) },
  bfloat16: { kind: 'float', bytes: 2, min: -BFLOAT16_MAX, max: BFLOAT16_MAX, epsilon: 2 ** -7, view: (b, o, n) => new Uint16Array(b, o, n) },
  int32: { kind: 'int', bytes: 4, min: -(2 ** 31), max: 2 ** 31 - 1, epsilon: 0, view: (b, o, n) => new Int32Array(b, o, n) },
  uint32: { kind: 'uint', bytes: 4, min: 0, max: 2 ** 32 - 1, epsilon: 0, view: (b, o, n) => new Uint32Array(b, o, n) },
  int8: { kind: 'int', bytes: 1, min: -128, max: 127, epsilon: 0, view: (b, o, n) => new Int8Array(b, o, n) },
  uint8: { kind: 'uint', bytes: 1, min: 0, max: 255, epsilon: 0, view: (b, o, n) => new Uint8Array(b, o, n) },
  bool: { kind: 'bool', bytes: 1, min: 0, max: 1, epsilon: 0, view: (b, o, n) => new Uint8Array(b, o, n) },
};

/** All dtypes, widest floats first. */
export const ALL_DTYPES: readonly DType[] = ['float64', 'float32', 'float16', 'bfloat16', 'int32', 'uint32', 'int8', 'uint8', 'bool'];

/** Is this string the name of a dtype? */
export function isDType(name: string): name is DType {
  return Object.hasOwn(DTYPES, name);
}

/** Bytes of one element of `dtype`. */
export function bytesPerElement(dtype: DType): number {
  return DTYPES[dtype].bytes;
}

/** Can `dtype` hold `value`, up to rounding where it is a float? */
export function holds(dtype: DType, value: number): boolean {
  const { kind, min, max } = DTYPES[dtype];
  return kind === 'float' || (Number.isInteger(value) && value >= min && value <= max);
}

/** Is `dtype` one of the floating-point types? */
export function isFloat(dtype: DType): boolean {
  return DTYPES[dtype].kind === 'float';
}

/** Is `dtype` a signed or unsigned integer type (bool is not)? */
export function isInteger(dtype: DType): boolean {
  const { kind } = DTYPES[dtype];
  return kind === 'int' || kind === 'uint';
}

/** What fast paths calculate a float dtype in, at least: float64 for itself, float32 for the others. */
export function wideFloat(dtype: DType): DType {
  return dtype === 'float64' ? 'float64' : 'float32';
}
