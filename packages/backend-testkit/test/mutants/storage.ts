/** Mutants of storage and of the queue: blocks, order, caches, errors, the end of life. */

import { BackendDisposedError, UnsupportedError, kernelKey } from '@gradus/backend';
import type { Arg, Backend, Block, Capabilities, Executable, Kernel, Recording, Run } from '@gradus/backend';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { Lazy } from './lazy.ts';

/** A mutant that is a class of its own. */
function whole(name: string, check: string | readonly string[], create: () => Backend): Mutant {
  const checks = typeof check === 'string' ? [`storage / ${check}`] : check;
  return {
    name,
    checks,
    create: (planted) => {
      planted();
      return create();
    },
  };
}

/** A wrapped backend with some methods replaced: the functions get the right backend. */
type Replacements = { readonly [Name in keyof Backend]?: (inner: Backend) => Backend[Name] };

function replacing(name: string, check: string | readonly string[], replacements: Replacements): Mutant {
  return whole(name, check, () => {
    const wrapped = new Wrapped();
    for (const [key, make] of Object.entries(replacements)) {
      // A getter over the live value, since allocatedBytes changes.
      const isMethod = typeof Reflect.get(wrapped, key) === 'function' || key === 'record' || key === 'replay' || key === 'prewarm';
      const made: unknown = isMethod ? make(wrapped.inner) : undefined;
      Object.defineProperty(wrapped, key, { get: () => (isMethod ? made : make(wrapped.inner)), configurable: true });
    }
    return wrapped;
  });
}

const capabilities = (change: Partial<Capabilities>): Replacements => ({ capabilities: (inner) => ({ ...inner.capabilities, ...change }) });

function claimMutants(): Mutant[] {
  const { dtypes } = new Wrapped().capabilities;
  return [
    replacing('says it was built for contract 2', 'contract version', { contract: () => 2 as never }),
    replacing('has no name', 'contract version', { name: () => undefined as never }),
    replacing('binds three operands', 'capabilities', capabilities({ maxBindings: 3 })),
    replacing('denies readSync', 'capabilities', capabilities({ synchronousRead: false })),
    replacing('has no threads', 'capabilities', capabilities({ threads: 0 })),
    replacing('aligns to half a byte', 'capabilities', capabilities({ bindingAlignment: 0.5 })),
    replacing(
      'does not compute in float32',
      'capabilities',
      capabilities({ dtypes: { ...dtypes, float32: { store: true, compute: false, accumulate: false } } }),
    ),
    replacing('does not know bfloat16', 'capabilities', capabilities({ dtypes: { ...dtypes, bfloat16: undefined as never } })),
    replacing('says nothing of denormals', 'capabilities', capabilities({ denormals: undefined as never })),
    replacing('changes its mind', 'capabilities', {
      capabilities: (inner) => ({ ...inner.capabilities, maxBindings: 8 + Math.floor(performance.now() * 1000) }),
    }),
    replacing('supports nothing', ['map / add / float32'], { supports: () => () => false }),
    replacing('supports everything', 'unsupported kernels', { supports: () => () => true }),
  ];
}

function blockMutants(): Mutant[] {
  const round = (bytes: number): number => Math.ceil(bytes / 4) * 4;
  return [
    replacing('blocks are whole words', 'write and read', { allocate: (inner) => (bytes) => inner.allocate(round(bytes)) }),
    replacing('blocks of 0 bytes are refused', 'zero bytes', {
      allocate: (inner) => (bytes) => {
        if (bytes === 0) throw new RangeError('no bytes');
        return inner.allocate(bytes);
      },
    }),
    replacing('all blocks are one', 'write and read', {
      allocate: (inner) => {
        const shared = inner.allocate(4096);
        return () => shared;
      },
      free: () => () => undefined,
    }),
    replacing('block objects are used again', 'blocks are distinct', pooled()),
    replacing('too large a block gives a RangeError', 'too large a block', {
      allocate: (inner) => (bytes) => {
        if (bytes > 2 ** 32 - 8) throw new RangeError('Array buffer allocation failed');
        return inner.allocate(bytes);
      },
    }),
    replacing('counts blocks in words', 'allocatedBytes', { allocatedBytes: (inner) => inner.allocatedBytes >> 2 }),
    replacing('counts nothing', 'allocatedBytes', { allocatedBytes: () => 0 }),
    replacing('never counts down', 'allocatedBytes', neverDown()),
    replacing('leaks 16 bytes a run', ['map / add / float32'], {
      run: (inner) => (executable, args, dims) => {
        inner.allocate(16);
        inner.run(executable, args, dims);
      },
    }),
    replacing('leaks 16 bytes a prepared kernel', ['map / add / float32'], {
      prepare: (inner) => (kernel, hint) => {
        inner.allocate(16);
        return inner.prepare(kernel, hint);
      },
    }),
    replacing('writes at 0', 'byte offsets', { write: (inner) => (block, bytes) => inner.write(block, bytes) }),
    replacing('writes whole words', 'byte offsets', {
      write:
        (inner) =>
        (block, bytes, offset = 0) => {
          const start = offset & -4;
          const padded = new Uint8Array(Math.min(block.byteLength - start, round(bytes.length + offset - start)));
          padded.set(bytes.subarray(0, padded.length - (offset - start)), offset - start);
          inner.write(block, padded, start);
        },
    }),
    replacing('writes the whole buffer of a view', 'byte offsets', {
      write: (inner) => (block, bytes, offset) => inner.write(block, new Uint8Array(bytes.buffer, 0, bytes.length), offset),
    }),
    replacing('reads from 0', 'byte offsets', { read: (inner) => (block, _, length) => inner.read(block, 0, length) }),
    replacing('reads to the end', 'byte offsets', { read: (inner) => (block, offset) => inner.read(block, offset, block.byteLength - offset) }),
    replacing('readSync reads from 0', 'readSync', {
      readSync: (inner) => (block, _, length) => inner.readSync?.(block, 0, length) ?? new Uint8Array(),
    }),
    replacing('gives out its memory', ['storage / bytes are copied', 'storage / readSync'], live()),
    replacing('ignores a second free', 'double free', quietFree()),
    replacing('ignores foreign blocks', 'foreign block', { free: (inner) => (block) => ('view' in block ? inner.free(block) : undefined) }),
    replacing('throws a TypeError for freed blocks', 'freed block', {
      write: (inner) => (block, bytes, offset) => {
        try {
          inner.write(block, bytes, offset);
        } catch {
          throw new TypeError("Cannot read properties of undefined (reading 'bytes')");
        }
      },
    }),
    replacing('reads zeros of a freed block', 'freed block', {
      read: (inner) => (block, offset, length) => inner.read(block, offset, length).catch(() => new Uint8Array(length)),
    }),
    replacing('cuts writes at the end of a block', 'outside a block', {
      write:
        (inner) =>
        (block, bytes, offset = 0) =>
          inner.write(block, bytes.subarray(0, Math.max(0, block.byteLength - offset)), offset),
    }),
    replacing('cuts reads at the end of a block', 'outside a block', {
      read: (inner) => (block, offset, length) => inner.read(block, offset, Math.min(length, block.byteLength - offset)),
    }),
  ];
}

function pooled(): Replacements {
  const pool: Block[] = [];
  return {
    allocate: (inner) => (bytes) => {
      const at = pool.findIndex((block) => block.byteLength === bytes);
      return at < 0 ? inner.allocate(bytes) : (pool.splice(at, 1)[0] as Block);
    },
    free: () => (block) => void pool.push(block),
    allocatedBytes: (inner) => inner.allocatedBytes - pool.reduce((sum, block) => sum + block.byteLength, 0),
  };
}

function neverDown(): Replacements {
  let total = 0;
  return {
    allocate: (inner) => (bytes) => {
      total += bytes;
      return inner.allocate(bytes);
    },
    allocatedBytes: () => total,
  };
}

/** Reads give one array a block, again and again: it changes with the next read. */
function live(): Replacements {
  const memory = new Map<Block, Uint8Array>();
  const view = (inner: Backend, block: Block, offset: number, length: number): Uint8Array => {
    const whole = memory.get(block) ?? inner.readSync?.(block, 0, block.byteLength) ?? new Uint8Array();
    memory.set(block, whole);
    return whole.subarray(offset, offset + length);
  };
  return {
    read: (inner) => async (block, offset, length) => view(inner, block, offset, length),
    readSync: (inner) => (block, offset, length) => view(inner, block, offset, length),
    write: (inner) => (block, bytes, offset) => {
      memory.delete(block);
      inner.write(block, bytes, offset);
    },
  };
}

function quietFree(): Replacements {
  const freed = new Set<Block>();
  return {
    free: (inner) => (block) => {
      if (!freed.has(block)) inner.free(block);
      freed.add(block);
    },
  };
}

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

export function storageMutants(): Mutant[] {
  return [...claimMutants(), ...blockMutants(), ...orderMutants(), ...cacheMutants(), ...errorMutants(), ...recordingMutants()];
}
