/** Running modules in training or evaluation without changing the mode they are in. */

import type { Module } from './module.ts';

/** Runs `fn` with `module` and all below it in training or evaluation, then gives each the mode it had. */
export function inMode<T>(module: Module, training: boolean, fn: () => T): T {
  const modes = [...module.modules()].map((each) => [each, each.training] as const);
  module.train(training);
  try {
    return fn();
  } finally {
    for (const [each, before] of modes) each.training = before;
  }
}
