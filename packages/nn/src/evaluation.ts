/** Running modules in evaluation mode without changing the mode they are in. */

import type { Module } from './module.ts';

/** Runs `fn` with `module` and all below it in evaluation, then gives each the mode it had. */
export function inEvaluation<T>(module: Module, fn: () => T): T {
  const modes = [...module.modules()].map((each) => [each, each.training] as const);
  module.eval();
  try {
    return fn();
  } finally {
    for (const [each, training] of modes) each.training = training;
  }
}
