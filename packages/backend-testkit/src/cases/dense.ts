/** Builds cases of kernels with dense operands: operands, lengths, access and scalars follow from the contract's table. */

import { denseOperands, denseScalars, isFloat, operandPositions } from '@gradus/backend';
import type { DType, Kernel } from '@gradus/backend';
import { buildCase } from './build.ts';
import type { CaseSpec, OperandSpec, Placing } from './build.ts';
import type { Case } from './case.ts';
import { seedOf } from './random.ts';
import { fractions, wholeValues } from './values.ts';

/** A kernel without its operands and scalars: what kind it is, and its options. */
export type Work<K extends Kernel = Kernel> = K extends Kernel ? Omit<K, 'operands' | 'scalars'> : never;

/** A case over dense operands. */
export interface DenseSpec extends Omit<CaseSpec, 'operands' | 'scalars'> {
  readonly work: Work;
  /** The dtype of operand 0; those of the others follow, the first that the table allows. */
  readonly dtype: DType;
  /** What operands hold, by name. Default random fractions for floats, small whole numbers for integers. */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** In the order of the definition. */
  readonly scalars?: readonly number[];
}

/** A kernel with operand 0 alone: as much as the tables ask for. */
function draft(work: Work, dtype: DType): Kernel {
  return { ...work, operands: [{ dtype, access: 'read', layout: 'indexed', space: 'full' }], scalars: [] };
}

/** What a kernel's definition calls its dense operands, in order. */
export function operandNames(work: Work): readonly string[] {
  return denseOperands(draft(work, 'float32')).map(({ name }) => name);
}

/** The dense operands of a case, each with its values. */
export function denseSpecs({ name, work, dtype, sizes, values = {} }: Omit<DenseSpec, 'rule'>): OperandSpec[] {
  return denseOperands(draft(work, dtype)).map((operand, i): OperandSpec => {
    const own = operand.dtypes.includes(dtype) && i === 0 ? dtype : (operand.dtypes[0] ?? dtype);
    const length = operand.shape(Int32Array.from(sizes)).reduce((a, b) => a * b, 1);
    const seed = seedOf(name) + i;
    const usual = isFloat(own) ? fractions(own, length, seed) : wholeValues(own, length, seed);
    return { dtype: own, access: operand.access, length, values: values[operand.name] ?? usual };
  });
}

/** A case of a kernel all of whose operands are dense. */
export function denseCase(spec: DenseSpec, placing: Placing): Case {
  const kernel = draft(spec.work, spec.dtype);
  const types = denseScalars(kernel).map(({ dtype }) => dtype);
  const scalars = types.map((dtype, i) => [dtype, spec.scalars?.[i] ?? NaN] as const);
  const everywhere: readonly number[] = [];
  return buildCase({ ...spec, operands: denseSpecs(spec), scalars }, { full: everywhere, kept: everywhere }, placing, (operands) => ({
    ...kernel,
    operands,
    scalars: types,
  }));
}

/** What the oracle leaves in a dense operand. */
export function resultOf({ kernel, dims, after }: Case, name: string): number[] {
  const operand = denseOperands(kernel).findIndex((one) => one.name === name);
  const [offset = 0, length = 0] = dims.subarray(operandPositions(kernel)[operand]);
  return [...(after[operand]?.values.subarray(offset, offset + length) ?? [])];
}
