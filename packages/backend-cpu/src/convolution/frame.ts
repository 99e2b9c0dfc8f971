/** Copies the channels of one image into a frame of zeros. */

import { denseStrides, grid } from '../contract/offsets.ts';
import type { Elements } from '../contract/strips.ts';
import type { Frame } from './geometry.ts';

/** Fills `target`, `channels` planes of zeros, from dense channels of the given sizes; cells past the frame are left out. */
export class Framer {
  readonly #frame: Frame;
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #width: number;
  readonly #channel: number;

  constructor(frame: Frame, sizes: readonly number[]) {
    const { lead, extent, strides } = frame;
    const copied = sizes.map((size, axis) => Math.max(0, Math.min(size, (extent[axis] ?? 0) - (lead[axis] ?? 0))));
    const dense = denseStrides(sizes);
    const first = lead.reduce((sum, cells, axis) => sum + cells * (strides[axis] ?? 0), 0);
    this.#frame = frame;
    this.#width = copied.at(-1) ?? 0;
    this.#channel = (dense[0] ?? 0) * (sizes[0] ?? 0);
    this.#from = grid(copied.slice(0, -1), dense);
    this.#to = grid(copied.slice(0, -1), strides).map((offset) => offset + first);
  }

  copy(target: Float64Array, source: Elements, base: number, channels: number): void {
    for (let channel = 0; channel < channels; channel++) {
      for (let row = 0; row < this.#from.length; row++) {
        const from = base + channel * this.#channel + (this.#from[row] ?? 0);
        const to = channel * this.#frame.plane + (this.#to[row] ?? 0);
        for (let i = 0; i < this.#width; i++) target[to + i] = source[from + i] as number;
      }
    }
  }
}
