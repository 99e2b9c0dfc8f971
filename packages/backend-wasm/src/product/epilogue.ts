/** Epilogues of fast paths: finished accumulators lie in a matrix, and a map over the kept space reads them as one more operand. */

import { cast, load, rewrite } from '@gradus/backend';
import type { ContractKernel, ConvolutionKernel, DType, Expression, MapKernel, Operand, PoolKernel, QuantizedContractKernel } from '@gradus/backend';
import type { Toolchain } from '../engine/toolchain.ts';
import { mapPlanner } from '../kernels/prepare-map.ts';
import type { MapPlanner } from '../kernels/prepare-map.ts';

/** The fast paths with an epilogue. */
export type FastKernel = ContractKernel | ConvolutionKernel | PoolKernel | QuantizedContractKernel;

/** An operand of the fast path as one of the map. What only the fast path reads is not looked at any more. */
function ofMap(operand: Operand): Operand {
  if (operand.layout === 'indexed' || operand.space === 'full') return { ...operand, layout: 'indexed', space: 'full' };
  return { ...operand, space: 'full', layout: 'strided' };
}

/** The map that applies the epilogue of `kernel` over `rank` kept axes; its last operand are accumulators of `dtype`, held as `stored`. */
export function epilogueMap(kernel: FastKernel, rank: number, dtype: DType, stored: DType = dtype): MapKernel {
  const matrix = kernel.operands.length;
  const values = rewrite(
    kernel.outputs.map((output) => output.value),
    (e): Expression | null => (e.op === 'accumulator' ? cast(load(stored, matrix), dtype) : null),
  );
  return {
    kind: 'map',
    rank,
    operands: [...kernel.operands.map(ofMap), { dtype: stored, access: 'read', layout: 'strided', space: 'full' }],
    scalars: kernel.scalars,
    outputs: kernel.outputs.map((output, i) => ({ ...output, value: values[i] ?? output.value })),
  };
}

/** Plans the epilogue of `kernel`. */
export function epiloguePlanner(kernel: FastKernel, rank: number, dtype: DType, toolchain: Toolchain, stored: DType = dtype): MapPlanner {
  return mapPlanner(epilogueMap(kernel, rank, dtype, stored), toolchain);
}

/** Is the only output the accumulator as it is? Then it may be computed in place. */
export function isPlain(kernel: FastKernel, dtype: DType): boolean {
  const [output, ...more] = kernel.outputs;
  return output !== undefined && more.length === 0 && output.value.op === 'accumulator' && kernel.operands[output.operand]?.dtype === dtype;
}
