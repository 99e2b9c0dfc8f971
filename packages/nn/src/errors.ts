/** Errors of modules. */

import { GradusError } from '@gradus/tensor';
import type { ErrorParts } from '@gradus/tensor';

/** A state dict that does not fit the module it is loaded into. */
export class StateDictError extends GradusError {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** `key: what is here, what was given`. */
  readonly mismatched: readonly string[];

  constructor(missing: readonly string[], unexpected: readonly string[], mismatched: readonly string[]) {
    const list = (name: string, keys: readonly string[]): string => (keys.length === 0 ? '' : `${name}: ${keys.join('; ')}. `);
    super('STATE_DICT', {
      op: 'loadStateDict',
      expected: 'the keys, shapes and dtypes of stateDict()',
      got: `${list('missing', missing)}${list('unexpected', unexpected)}${list('mismatched', mismatched)}`.trim().replace(/\.$/, ''),
      fix: mismatched.length > 0 ? 'build the module with the sizes it was saved with.' : 'pass { strict: false } to load what fits.',
    });
    this.missing = missing;
    this.unexpected = unexpected;
    this.mismatched = mismatched;
  }
}

/** A functional graph that cannot be built, or that is given other inputs than it was built for. */
export class GraphError extends GradusError {
  constructor(parts: ErrorParts, options?: ErrorOptions) {
    super('GRAPH', parts, options);
  }
}
