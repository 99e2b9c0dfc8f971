/**
 * The fast paths whose operands are dense, as a table from kind to what prepares it: each is a module of its own that nothing else needs.
 */

import { denseOperands } from '@gradus/backend';
import type {
  ArgReduceKernel,
  AttentionKernel,
  Kernel,
  OptimizerStepKernel,
  QuantizedContractKernel,
  RowwiseKernel,
  ScanKernel,
  SortKernel,
} from '@gradus/backend';

import { prepareAttention } from '../attention/attention.ts';
import type { KernelCode } from '../codegen/compile.ts';
import type { PrepareMap } from '../lowering/epilogue.ts';
import { prepareOptimizerStep } from '../optimizer/step.ts';
import { prepareArgReduce } from '../ordered/arg-reduce.ts';
import { prepareScan } from '../ordered/scan.ts';
import { prepareSort } from '../ordered/sort.ts';
import { prepareQuantizedContract } from '../quantized/contract.ts';
import { prepareRowwise } from '../rowwise/rowwise.ts';
import type { Workspace } from '../workspace.ts';

/** The kernels of the table, by kind. */
interface DenseKernels {
  readonly rowwise: RowwiseKernel;
  readonly attention: AttentionKernel;
  readonly optimizerStep: OptimizerStepKernel;
  readonly quantizedContract: QuantizedContractKernel;
  readonly scan: ScanKernel;
  readonly sort: SortKernel;
  readonly argReduce: ArgReduceKernel;
}

/** One of them. */
export type DenseKernel = DenseKernels[keyof DenseKernels];

type Prepare<K> = (kernel: K, workspace: Workspace, prepareMap: PrepareMap) => KernelCode;

const TABLE: { readonly [Kind in keyof DenseKernels]: Prepare<DenseKernels[Kind]> } = {
  rowwise: prepareRowwise,
  attention: prepareAttention,
  optimizerStep: prepareOptimizerStep,
  quantizedContract: prepareQuantizedContract,
  scan: prepareScan,
  sort: prepareSort,
  argReduce: prepareArgReduce,
};

/** Is there an entry for this kernel? */
export function isDense(kernel: Kernel): kernel is DenseKernel {
  return Object.hasOwn(TABLE, kernel.kind);
}

/** All of them are run, over whatever dtypes the contract lets them have. */
export function supportsDense(kernel: DenseKernel): boolean {
  return denseOperands(kernel).every(({ dtypes }, i) => kernel.operands[i] !== undefined && dtypes.includes(kernel.operands[i].dtype));
}

/** Code for one of them. */
export function prepareDense<Kind extends keyof DenseKernels>(
  kernel: DenseKernels[Kind] & { readonly kind: Kind },
  workspace: Workspace,
  prepareMap: PrepareMap,
): KernelCode {
  return TABLE[kernel.kind](kernel, workspace, prepareMap);
}
