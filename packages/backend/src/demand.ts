/** What the verifiers complain with. */

import { KernelError } from './errors.ts';
import type { Kernel } from './kernel.ts';

/** @throws KernelError naming the kernel's kind unless `condition` holds */
export function demand(condition: boolean, kernel: Kernel, expected: string, got: string): void {
  if (!condition) throw new KernelError({ op: kernel.kind, expected, got });
}
