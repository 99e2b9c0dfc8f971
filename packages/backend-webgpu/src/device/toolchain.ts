/** What code is made for: the limits and features of one adapter. */

import type { TunedTiles } from '../product/tiles.ts';

/** Limits and features that the text of programs depends on. */
export interface Toolchain {
  /** Most storage buffers of one program. */
  readonly maxStorageBuffers: number;
  /** Bytes of memory that the invocations of a workgroup share. */
  readonly workgroupBytes: number;
  /** Operations across the invocations of a subgroup, and the fewest invocations that one has; 0 where there are none. */
  readonly minSubgroupSize: number;
  /** Tiles of products that were measured on this adapter. */
  readonly tuned?: TunedTiles;
}
