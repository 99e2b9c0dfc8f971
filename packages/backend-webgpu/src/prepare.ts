/** From a kernel to what plans its runs. */

import { UnsupportedError, operandPositions } from '@gradus/backend';
import type { Kernel } from '@gradus/backend';
import { prepareConvolution } from './convolution/convolution.ts';
import { prepareAttention } from './attention/attention.ts';
import type { Toolchain } from './device/toolchain.ts';
import { prepareMap } from './kernels/map.ts';
import { prepareReduce } from './kernels/reduce.ts';
import { prepareScatter } from './kernels/scatter.ts';
import type { Planner } from './launch/launch.ts';
import { prepareContract } from './product/contract.ts';
import { prepareOptimizerStep } from './optimizer/step.ts';
import { prepareArgReduce } from './rows/arg-reduce.ts';
import { prepareRowwise } from './rows/rowwise.ts';
import { prepareQuantizedContract } from './quantized/quantized.ts';
import { prepareScan } from './order/scan.ts';
import { prepareSort } from './order/sort.ts';
import { preparePool } from './pool/pool.ts';

/** Plans runs of any kernel that `supports` accepts. */
export function prepareKernel(kernel: Kernel, toolchain: Toolchain): Planner {
  switch (kernel.kind) {
    case 'map':
      return prepareMap(kernel);
    case 'reduce':
      return prepareReduce(kernel, toolchain);
    case 'scatter':
      return prepareScatter(kernel, operandPositions(kernel));
    case 'contract':
      return prepareContract(kernel, toolchain);
    case 'rowwise':
      return prepareRowwise(kernel);
    case 'attention':
      return prepareAttention(kernel, toolchain);
    case 'optimizerStep':
      return prepareOptimizerStep(kernel);
    case 'argReduce':
      return prepareArgReduce(kernel);
    case 'convolution':
      return prepareConvolution(kernel, toolchain);
    case 'quantizedContract':
      return prepareQuantizedContract(kernel, toolchain);
    case 'pool':
      return preparePool(kernel);
    case 'scan':
      return prepareScan(kernel);
    case 'sort':
      return prepareSort(kernel);
    default:
      throw new UnsupportedError({ op: 'webgpu.prepare', expected: 'a kernel with an implementation', got: kernel.kind });
  }
}
