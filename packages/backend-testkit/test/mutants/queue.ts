/** Mutants of the queue: order, caches, errors, the end of life, recordings. */

import { BackendDisposedError, UnsupportedError, kernelKey } from '@gradus/backend';
import type { Arg, Backend, Executable, Kernel, Recording, Run } from '@gradus/backend';
import { Lazy } from './lazy.ts';
import { neverDown } from './memory.ts';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { replacing, whole } from './replacing.ts';
import type { Replacements } from './replacing.ts';

function orderMutants(): Mutant[] {
  return [
    whole('keeps args', 'args and dims are copied', () => new Lazy({ args: true })),
    whole('keeps dims', 'args and dims are copied', () => new Lazy({ dims: true })),
    whole('keeps written bytes', 'bytes are copied', () => new Lazy({ bytes: true })),
    whole('frees at once', 'free in queue order', () => new Lazy({ freeNow: true })),
    whole('writes at once', 'queue order', () => new Lazy({ writeNow: true })),
    whole('runs backwards', ['storage / queue order', 'storage / dependent runs'], () => new Lazy({ backwards: true })),
    whole('reads before it runs', 'queue order', () => new Lazy({ readNow: true })),
    whole('reads late', 'queue order', () => new Lazy({ readLate: true })),
    whole('readSync does not wait', 'queue order', () => new Lazy({ readSyncNow: true })),
    whole('forgets its queue on flush', 'many runs', () => new Lazy({ flushForgets: true })),
    whole('runs its queue twice after synchronize', 'many runs', () => new Lazy({ twice: true })),
    replacing('drops every tenth run', 'many runs', {
      run: (inner) => {
        let count = 0;
        return (executable, args, dims) => {
          if (++count % 10 !== 0) inner.run(executable, args, dims);
        };
      },
    }),
  ];
}

/** Prepares under a key of its own: kernels that share it share code. */
function keyed(key: (kernel: Kernel) => string): Replacements {
  const known = new Map<string, Executable>();
  return {
    prepare: (inner) => (kernel, hint) => {
      const found = known.get(key(kernel)) ?? inner.prepare(kernel, hint);
      known.set(key(kernel), found);
      return found;
    },
  };
}

function cacheMutants(): Mutant[] {
  const firstScalars = new WeakMap<Executable, readonly Arg[]>();
  return [
    replacing('caches nothing', 'prepare', { prepare: (inner) => (kernel, hint) => ({ ...inner.prepare(kernel, hint) }) }),
    replacing(
      'its key has no dtypes',
      'prepare',
      keyed((kernel) => kernelKey(kernel).replace(/float32|int32/g, '')),
    ),
    replacing(
      'its key has no constants',
      ['map / constant / float32'],
      keyed((kernel) => kernelKey(kernel).replace(/constant:(\w+):[^;]*/g, '$1')),
    ),
    replacing(
      'its key has no fills',
      ['map / gather / int32'],
      keyed((kernel) => kernelKey(kernel).replace(/gather:(\w+):(\d+):[^:]*/g, '$1:$2')),
    ),
    replacing(
      'its key has no layouts',
      ['map / layout / transposed / int32', 'map / layout / contiguous / int32', 'map / where / int32'],
      keyed((kernel) => kernelKey(kernel).replace(/\/(c|s|b[01]*)\//g, '//')),
    ),
    replacing(
      'its key has no operations',
      ['map / several outputs', 'map / shared', 'map / rounding / int32'],
      keyed((kernel) => kernelKey(kernel).replace(/add|subtract|multiply|divide/g, 'op')),
    ),
    replacing(
      'its key has no folds',
      ['reduce / layout / contiguous'],
      keyed((kernel) => kernelKey(kernel).replace(/"fold":"\w+"/g, '')),
    ),
    replacing('scalars become part of the code', ['map / scalar / float32'], {
      run: (inner) => (executable, args, dims) => {
        const count = executable.kernel.operands.length;
        const scalars = firstScalars.get(executable) ?? args.slice(count);
        firstScalars.set(executable, scalars);
        inner.run(executable, [...args.slice(0, count), ...scalars], dims);
      },
    }),
    replacing('the hint is a promise', ['storage / prepare'], hintBinds()),
    replacing('the first dims are for ever', ['storage / prepare', 'map / tails / int32'], firstDimsBind()),
    replacing('prewarm fails', 'prewarm', {
      prewarm: () => () => Promise.reject(new UnsupportedError({ op: 'prewarm', expected: 'nothing', got: 'something' })),
    }),
  ];
}

function hintBinds(): Replacements {
  const hints = new Map<Executable, Int32Array>();
  return {
    prepare: (inner) => (kernel, hint) => {
      const executable = inner.prepare(kernel, hint);
      if (hint !== undefined) hints.set(executable, hint.slice());
      return executable;
    },
    run: (inner) => (executable, args, dims) => inner.run(executable, args, hints.get(executable) ?? dims),
  };
}

function firstDimsBind(): Replacements {
  const seen = new Map<Executable, Int32Array>();
  return {
    run: (inner) => (executable, args, dims) => {
      const first = seen.get(executable) ?? dims.slice();
      seen.set(executable, first);
      inner.run(executable, args, first);
    },
  };
}

function errorMutants(): Mutant[] {
  return [
    replacing('a refused run writes first', 'refused runs', {
      run: (inner) => (executable, args, dims) => {
        const written = args.findLast((arg) => typeof arg === 'object');
        if (args.some((arg) => typeof arg === 'object' && !('view' in arg)) && written !== undefined) inner.write(written, new Uint8Array(4));
        inner.run(executable, args, dims);
      },
    }),
    replacing('a refused run is ignored', 'refused runs', {
      run: (inner) => (executable, args, dims) => {
        try {
          inner.run(executable, args, dims);
        } catch {
          // swallowed
        }
      },
    }),
    replacing('prepare throws a plain Error', 'unsupported kernels', {
      prepare: (inner) => (kernel, hint) => {
        if (!inner.supports(kernel)) throw new Error('cannot');
        return inner.prepare(kernel, hint);
      },
    }),
    replacing('prepare accepts everything', 'unsupported kernels', {
      prepare: (inner) => (kernel, hint) => (inner.supports(kernel) ? inner.prepare(kernel, hint) : { kernel }),
    }),
    replacing('is used after dispose', 'dispose', { dispose: () => () => undefined }),
    replacing('may be flushed after dispose', 'dispose', { flush: () => () => undefined }),
    replacing('may be synchronized after dispose', 'dispose', { synchronize: () => async () => undefined }),
    replacing('may prepare after dispose', 'dispose', preparedBefore()),
    replacing('keeps its bytes after dispose', 'dispose', neverDown()),
    replacing('is disposed once', 'dispose', disposedOnce()),
  ];
}

function preparedBefore(): Replacements {
  const known = new Map<string, Executable>();
  return {
    prepare: (inner) => (kernel, hint) => {
      const executable = known.get(kernelKey(kernel)) ?? inner.prepare(kernel, hint);
      known.set(kernelKey(kernel), executable);
      return executable;
    },
  };
}

function disposedOnce(): Replacements {
  let disposed = false;
  return {
    dispose: (inner) => () => {
      if (disposed) throw new BackendDisposedError({ op: 'dispose', expected: 'a backend in use', got: 'none' });
      disposed = true;
      inner.dispose();
    },
  };
}

interface Recorded extends Recording {
  readonly runs: readonly Run[];
}

/** Recordings over a backend that has none, with or without a mistake. */
export function recording(
  mistake: 'none' | 'runs at once' | 'keeps the arguments' | 'mixes the arguments' | 'backwards' | 'forgets the first',
): Backend {
  const wrapped = new Wrapped();
  const replay = (runs: readonly Run[], args: readonly Arg[]): void => {
    let at = 0;
    const order = runs.map((run) => ({ run, args: mistake === 'keeps the arguments' ? run.args : args.slice(at, (at += run.args.length)) }));
    if (mistake === 'mixes the arguments') for (const each of order) each.args = args.slice(0, each.args.length);
    if (mistake === 'backwards') order.reverse();
    if (mistake === 'forgets the first') order.shift();
    for (const { run, args: own } of order) wrapped.run(run.executable, own, run.dims);
  };
  return Object.assign(wrapped, {
    record(runs: readonly Run[]): Recorded {
      const kept = runs.map((run) => ({ ...run, args: [...run.args], dims: run.dims.slice() }));
      if (mistake === 'runs at once')
        replay(
          kept,
          kept.flatMap((run) => run.args),
        );
      return { length: kept.length, runs: kept };
    },
    replay(recorded: Recording, args: readonly Arg[]): void {
      replay((recorded as Recorded).runs, args);
    },
  });
}

function recordingMutants(): Mutant[] {
  return (['runs at once', 'keeps the arguments', 'mixes the arguments', 'backwards', 'forgets the first'] as const).map((mistake) =>
    whole(`a recording ${mistake}`, 'record and replay', () => recording(mistake)),
  );
}

export function queueMutants(): Mutant[] {
  return [...orderMutants(), ...cacheMutants(), ...errorMutants(), ...recordingMutants()];
}
