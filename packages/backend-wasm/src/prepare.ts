/** From a kernel to what plans its runs. */

import { UnsupportedError } from '@gradus/backend';
import type { Kernel } from '@gradus/backend';
import { prepareAttention } from './attention/attention.ts';
import type { Toolchain } from './engine/toolchain.ts';
import { prepareMap } from './kernels/prepare-map.ts';
import type { Planner } from './kernels/prepare-map.ts';
import { prepareReduce } from './kernels/prepare-reduce.ts';
import { prepareScatter } from './kernels/scatter.ts';
import { prepareConvolution } from './convolution/convolution.ts';
import { prepareContract } from './product/contract.ts';
import { prepareQuantized } from './quantized/quantized.ts';
import { prepareOptimizerStep } from './optimizer/step.ts';
import { preparePool } from './pool/pool.ts';
import { prepareArgReduce } from './rows/arg-reduce.ts';
import { prepareRowwise } from './rows/rowwise.ts';
import { prepareScan } from './rows/scan.ts';
import { prepareSort } from './rows/sort.ts';

/** Plans runs of any kernel that `supports` accepts. */
export function prepareKernel(kernel: Kernel, toolchain: Toolchain): Planner {
  switch (kernel.kind) {
    case 'map':
      return prepareMap(kernel, toolchain);
    case 'reduce':
      return prepareReduce(kernel, toolchain);
    case 'scatter':
      return prepareScatter(kernel, toolchain);
    case 'contract':
      return prepareContract(kernel, toolchain);
    case 'convolution':
      return prepareConvolution(kernel, toolchain);
    case 'attention':
      return prepareAttention(kernel, toolchain);
    case 'quantizedContract':
      return prepareQuantized(kernel, toolchain);
    case 'rowwise':
      return prepareRowwise(kernel, toolchain);
    case 'optimizerStep':
      return prepareOptimizerStep(kernel, toolchain);
    case 'pool':
      return preparePool(kernel, toolchain);
    case 'argReduce':
      return prepareArgReduce(kernel, toolchain);
    case 'scan':
      return prepareScan(kernel, toolchain);
    case 'sort':
      return prepareSort(kernel, toolchain);
    default:
      throw new UnsupportedError({ op: 'wasm.prepare', expected: 'a kernel with an implementation', got: kernel.kind });
  }
}
