/** The part of the verifier that goes by the table of dense operands: what the optional kernels' definitions say of operands, scalars and sizes. */

import { demand } from './demand.ts';
import { denseOperands, denseScalars } from './dense.ts';
import { operandPositions, sizeCount } from './dims.ts';
import type { Kernel } from './kernel.ts';

/** Checks the structure of a kernel that has dense operands. @throws KernelError */
export function verifyDense(kernel: Kernel): void {
  verifyOptions(kernel);
  const dense = denseOperands(kernel);
  dense.forEach(({ name, access, dtypes }, i) => {
    const operand = kernel.operands[i];
    demand(operand !== undefined, kernel, `operand ${i} (${name})`, `${kernel.operands.length} operands`);
    if (operand === undefined) return;
    const { layout, space } = operand;
    demand(layout === 'indexed' && space === 'full', kernel, `operand ${i} (${name}) dense (indexed, full)`, `${JSON.stringify(layout)}, ${space}`);
    demand(operand.access === access, kernel, `operand ${i} (${name}) ${access}`, operand.access);
    demand(dtypes.includes(operand.dtype), kernel, `${dtypes.join(', ')} for operand ${i} (${name})`, operand.dtype);
  });
  if ('outputs' in kernel) return;
  demand(kernel.operands.length === dense.length, kernel, `${dense.length} operands`, String(kernel.operands.length));
  const scalars = denseScalars(kernel).map(({ dtype }) => dtype);
  const named = denseScalars(kernel).map(({ name, dtype }) => `${name} ${dtype}`);
  demand(kernel.scalars.join() === scalars.join(), kernel, `the scalars ${named.join(', ') || '(none)'}`, kernel.scalars.join(', ') || 'none');
}

/** What a kernel's own properties must be, beside their types. */
function verifyOptions(kernel: Kernel): void {
  switch (kernel.kind) {
    case 'quantizedContract': {
      const { aBits, bBits, group } = kernel;
      demand(aBits === 8 || aBits === 7, kernel, 'aBits of 8 or 7', String(aBits));
      demand(bBits === 8 || bBits === 4, kernel, 'bBits of 8 or 4', String(bBits));
      demand(group === null || (Number.isInteger(group) && group > 0), kernel, 'a group of at least 1, or null', String(group));
      demand(bBits === 8 || group === null || group % 2 === 0, kernel, 'an even group of 4-bit values', String(group));
      return;
    }
    case 'attention':
      demand(Number.isInteger(kernel.headDim) && kernel.headDim > 0, kernel, 'a headDim of at least 1', String(kernel.headDim));
      return;
    case 'optimizerStep': {
      const { algorithm, momentum, nesterov } = kernel;
      demand(algorithm === 'sgd' || !momentum, kernel, `no momentum option for ${algorithm}`, 'momentum: true');
      demand(momentum || !nesterov, kernel, 'nesterov only with momentum', 'nesterov: true');
      return;
    }
    default:
  }
}

/** Checks the sizes of one launch, and the lengths of its dense operands against them. @throws KernelError */
export function verifyDenseSizes(kernel: Kernel, dims: Int32Array): void {
  const sizes = dims.subarray(0, sizeCount(kernel));
  const [first = 0, second = 0, third = 0] = sizes;
  if (kernel.kind === 'attention') {
    const shared = third === 0 ? second === 0 : second % third === 0;
    demand(shared, kernel, 'heads a multiple of keyHeads', `${second} and ${third}`);
  }
  if (kernel.kind === 'argReduce') demand(first === 0 || second > 0, kernel, 'at least one column to choose from', 'none');
  const positions = operandPositions(kernel);
  denseOperands(kernel).forEach(({ name, shape }, i) => {
    const axes = shape(sizes);
    const length = dims[(positions[i] ?? 0) + 1];
    const wanted = axes.reduce((a, b) => a * b, 1);
    demand(length === wanted, kernel, `a length of ${wanted} ([${axes.join(', ')}]) for operand ${i} (${name})`, String(length));
  });
}
