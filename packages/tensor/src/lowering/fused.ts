/** Kernels of their own, as a device claims them: which nodes they compute, and the launch they become. */

import { bytesPerElement, kernelKey, operandPositions } from '@gradus/backend';
import { internalError } from '../internal.ts';
import type { KernelPlan } from '../graph/op.ts';
import { denseAccess } from './express.ts';
import type { Placement, Scalar } from './express.ts';
import type { Launch, Launches } from './group.ts';
import type { Item } from './item.ts';

/** One launch in the making: a kernel, the slots it reads, and those it has been found to write. */
export interface Fused {
  readonly name: string;
  readonly key: string;
  readonly plan: KernelPlan;
  /** The slot of each operand that is read, -1 for those that are written. */
  readonly reads: readonly number[];
  readonly scalars: readonly number[];
  readonly outputs: Map<number, number>;
}

/** What has to be launched for one node. */
export function fusedOf(item: Item): Fused {
  const { lowering } = item.op;
  if (lowering.kind !== 'kernel') return internalError(`${item.op.name} has no kernel of its own`);
  const plan = lowering.plan(item.site);
  const reads = plan.operands.map((operand) => ('input' in operand ? (item.inputs[operand.input] ?? -1) : -1));
  const scalars = plan.scalars.map((input) => item.inputs[input] ?? -1);
  return {
    name: item.op.name,
    key: `${kernelKey(plan.kernel)}|${plan.sizes.join()}|${reads.join()}|${scalars.join()}`,
    plan,
    reads,
    scalars,
    outputs: new Map([[lowering.output, item.slot]]),
  };
}

/** The launch. Outputs that nobody wants go to temporary blocks. */
export function fusedLaunch({ plan, reads, scalars, outputs }: Fused, placement: Placement): Launches {
  const { kernel, sizes, operands } = plan;
  const temporaries: number[] = [];
  const places = operands.map((operand, i): { block: Launch['blocks'][number]; offset: number } => {
    if ('input' in operand) {
      const item = placement.items[reads[i] ?? -1] ?? internalError('an operand that is not there');
      const { slot, offset = 0 } = denseAccess(item, placement);
      return { block: { slot }, offset };
    }
    const slot = outputs.get(operand.output);
    if (slot !== undefined) return { block: { slot }, offset: 0 };
    const bytes = operand.size * bytesPerElement(kernel.operands[i]?.dtype ?? 'float32');
    return { block: { temporary: temporaries.push(bytes) - 1 }, offset: 0 };
  });
  const dims = Int32Array.from([...sizes, ...places.flatMap(({ offset }, i) => [offset, operands[i]?.size ?? 0])]);
  const numbers = scalars.map((slot, i): Scalar => ({ dtype: kernel.scalars[i] ?? 'float32', source: { slot } }));
  const launch: Launch = { kernel, dims, blocks: places.map((p) => p.block), scalars: numbers, offsets: operandPositions(kernel).slice(0, -1) };
  return { launches: [launch], temporaries };
}
