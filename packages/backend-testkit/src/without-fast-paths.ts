/** A backend seen without its fast paths: what a plug-in with the three required kernels looks like to whoever uses it. */

import { isRequired } from '@gradus/backend';
import type { Backend } from '@gradus/backend';

/**
 * The same device, claiming none of the optional kernels, so that everything is decomposed into map, reduce and scatter.
 * Run beside the whole device, it tells whether a fast path computes what it replaces.
 *
 * @param changes other properties to replace: `{ readSync: undefined }` makes a device that can only be read asynchronously
 */
export function withoutFastPaths(device: Backend, changes: Partial<Record<keyof Backend, unknown>> = {}): Backend {
  return withChanges(device, { supports: (kernel: Parameters<Backend['supports']>[0]) => isRequired(kernel) && device.supports(kernel), ...changes });
}

/** A device with some of its properties replaced, for tests of what a user does with an unusual one. */
export function withChanges(device: Backend, changes: Partial<Record<keyof Backend, unknown>>): Backend {
  const seen = Object.create(device) as Backend;
  for (const key of methodNames(device)) {
    const value: unknown = Reflect.get(device, key, device);
    if (typeof value === 'function')
      Object.defineProperty(seen, key, { value: (...args: unknown[]): unknown => Reflect.apply(value, device, args), configurable: true });
    else Object.defineProperty(seen, key, { get: (): unknown => Reflect.get(device, key, device), configurable: true });
  }
  for (const [key, value] of Object.entries(changes)) Object.defineProperty(seen, key, { value });
  return seen;
}

/** Names of all properties, inherited ones included: methods must be called on the device itself, which may have private state. */
function methodNames(device: object): string[] {
  const names = new Set<string>();
  for (let level: object | null = device; level !== null && level !== Object.prototype; level = Object.getPrototypeOf(level) as object | null)
    for (const name of Object.getOwnPropertyNames(level)) if (name !== 'constructor') names.add(name);
  return [...names];
}
