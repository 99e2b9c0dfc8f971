/** Mutants of what a backend says of itself, and of its blocks. */

import type { Backend, Block, Capabilities } from '@gradus/backend';
import { Wrapped } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import { replacing } from './replacing.ts';
import type { Replacements } from './replacing.ts';

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

/** `allocatedBytes` grows and never shrinks. */
export function neverDown(): Replacements {
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
    const bytes = memory.get(block) ?? inner.readSync?.(block, 0, block.byteLength) ?? new Uint8Array();
    memory.set(block, bytes);
    return bytes.subarray(offset, offset + length);
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

export function memoryMutants(): Mutant[] {
  return [...claimMutants(), ...blockMutants()];
}
