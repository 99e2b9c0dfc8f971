/** One device for many checks: a shader is compiled once for all of them, and that is most of what a check takes in software. */

import type { WebGpuDevice } from '../src/index.ts';

/** The device, but for `dispose`, which does nothing: whoever lends it disposes it. */
export function lent(device: WebGpuDevice): WebGpuDevice {
  return new Proxy(device, {
    get(target, name) {
      if (name === 'dispose') return () => {};
      const value: unknown = Reflect.get(target, name, target);
      // A method goes on working with private members.
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
