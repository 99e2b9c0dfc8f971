/**
 * Fast paths: ops that a device may have a kernel of its own for.
 *
 * Such an op has two forms that mean the same: a node whose lowering is the kernel, where the device claims it, and a composition of other
 * ops elsewhere. Which one is taken is decided at the call, by the device alone, so that it is the same compiled or not. The gradient of
 * the kernel's node is a fast path again; gradients of gradients go through the composition.
 */

import type { DType, Kernel, Operand } from '@gradus/backend';
import { vjp } from '../autograd/backward.ts';
import type { GradientRule } from '../graph/op.ts';
import { nodeOf } from '../tensor.ts';
import type { Tensor } from '../tensor.ts';
import type { Runtime } from '../runtime.ts';

/** A dense operand of a kernel. */
export function dense(dtype: DType, access: Operand['access'] = 'read'): Operand {
  return { dtype, access, layout: 'indexed', space: 'full' };
}

const kernels = new Map<string, Kernel>();

/** The one kernel of this name, which must say everything that `make` depends on. */
export function kernelNamed(name: string, make: () => Kernel): Kernel {
  let kernel = kernels.get(name);
  if (kernel === undefined) {
    kernel = make();
    kernels.set(name, kernel);
  }
  return kernel;
}

const claims = new WeakMap<Runtime, Map<Kernel, boolean>>();

/** Does the device of `like` run this kernel (one of {@link kernelNamed})? Asked once. */
export function isClaimed(like: Tensor, kernel: Kernel): boolean {
  const { runtime } = nodeOf(like, kernel.kind);
  const known = claims.get(runtime) ?? new Map<Kernel, boolean>();
  let claimed = known.get(kernel);
  if (claimed === undefined) {
    claimed = runtime.backend.supports(kernel);
    claims.set(runtime, known.set(kernel, claimed));
  }
  return claimed;
}

/** The gradient of a node that a kernel computes, through what its first `count` inputs are composed into. */
export function throughComposition(count: number, compose: (...inputs: Tensor[]) => Tensor): GradientRule {
  return (g, { inputs }) => [...vjp(compose, inputs.slice(0, count), g).gradients, ...inputs.slice(count).map(() => null)];
}
