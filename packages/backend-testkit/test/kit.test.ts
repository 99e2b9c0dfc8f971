/** What an author of a plug-in meets: names, messages, options, the description. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { cpu } from '@gradus/backend-cpu';
import type { Backend, Kernel } from '@gradus/backend';
import { ConformanceError, LEVELS, TOLERANCES, conformance, describeBackend } from '@gradus/backend-testkit';
import type { Check, ConformanceOptions } from '@gradus/backend-testkit';
import { minimalBackend } from './minimal-backend.ts';
import { Wrapped, reexpressing, replaced } from './mutants/mutant.ts';
import { LANGUAGE } from '../../backend-cpu/src/codegen/language.ts';

const ALL = conformance(() => cpu());

function named(checks: readonly Check[], name: string): Check {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check is called ${name}`);
  return check;
}

/** The error of one check of a backend. */
async function failure(create: () => Backend, name: string, options?: ConformanceOptions): Promise<ConformanceError> {
  const error: unknown = await named(conformance(create, options), name)
    .run()
    .catch((caught: unknown) => caught);
  if (error instanceof ConformanceError) return error;
  throw new Error(`${name} gave ${String(error)}`);
}

const planted = (): void => undefined;

test('names are distinct and begin with their level; there are hundreds', () => {
  const names = ALL.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, level } of ALL) expect(name.startsWith(`${level} / `), name).toBe(true);
  const counts = Object.fromEntries(LEVELS.map((level) => [level, ALL.filter((check) => check.level === level).length]));
  expect(counts).toEqual({ storage: 25, map: 418, reduce: 56, scatter: 26, optional: 257 });
});

test('names do not change from one list to the next', () => {
  expect(conformance(() => minimalBackend()).map(({ name }) => name)).toEqual(ALL.map(({ name }) => name));
});

test('levels can be chosen', () => {
  expect(new Set(conformance(() => cpu(), { level: 'map' }).map(({ level }) => level))).toEqual(new Set(['map']));
  expect(new Set(conformance(() => cpu(), { level: ['storage', 'scatter'] }).map(({ level }) => level))).toEqual(new Set(['storage', 'scatter']));
});

test('a failure names check, case, element, point, values, bits, inputs, kernel and rule', async () => {
  const wrong = replaced('', [], { operators: { ...LANGUAGE.operators, subtract: '$1 - $0' } });
  const error = await failure(() => wrong.create(planted), 'map / subtract / int32');
  expect(error.code).toBe('CONFORMANCE');
  expect(error.rule).toBe('an operation rounds its result to its dtype; float arithmetic is IEEE 754, integers wrap to their width');
  expect(error.message).toMatchInlineSnapshot(`
    "[map / subtract / int32 / edge values / 3025] expected -1 (0xffffffff) in element 1 of operand 2 (point [1]), got 1 (0x00000001); 2962 of 3030 elements differ.
      inputs: operand 0 = 0, operand 1 = 1
      kernel: map 2 = subtract(load(0), load(1)) [0: read int32 contiguous, 1: read int32 contiguous, 2: write int32 contiguous]; dims 3025,0,1,0,1,0,1
      rule: an operation rounds its result to its dtype; float arithmetic is IEEE 754, integers wrap to their width"
  `);
});

test('the README shows that failure', async () => {
  const wrong = replaced('', [], { operators: { ...LANGUAGE.operators, subtract: '$1 - $0' } });
  const { message } = await failure(() => wrong.create(planted), 'map / subtract / int32');
  expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8')).toContain(message);
});

test('what a reduce read is listed along its folded axes', async () => {
  const wrong = reexpressing('', [], (e) => (e.op === 'accumulator' ? { op: 'constant', dtype: e.dtype, value: 77 } : e));
  const error = await failure(() => wrong.create(planted), 'reduce / sum / int32');
  expect(error.message).toContain('inputs: operand 0 = ');
});

test('an element that should have been left alone is called that', async () => {
  class Clearing extends Wrapped {
    override run(...[executable, args, dims]: Parameters<Backend['run']>): void {
      super.run(executable, args, dims);
      const last = args.at(-1);
      if (typeof last === 'object') this.inner.write(last, new Uint8Array(1), last.byteLength - 1);
    }
  }
  const error = await failure(() => new Clearing(), 'map / layout / contiguous / uint8');
  expect(error.message).toContain('as it was (the kernel does not write this element), got 0 (0x00)');
  expect(error.rule).toBe('a kernel writes the elements of its written operands and nothing else');
});

test('an exception of the backend is the cause of the failure', async () => {
  const cause = new TypeError('not today');
  class Throwing extends Wrapped {
    override run(): void {
      throw cause;
    }
  }
  const error = await failure(() => new Throwing(), 'map / add / float32');
  expect(error.message).toContain('expected the kernel to run, got TypeError: not today');
  expect(error.cause).toBe(cause);
});

test('blocks that a check leaves behind are a failure, and the backend is disposed either way', async () => {
  const disposed: string[] = [];
  class Leaking extends Wrapped {
    override prepare(kernel: Kernel): ReturnType<Backend['prepare']> {
      this.allocate(32);
      return super.prepare(kernel);
    }
    override dispose(): void {
      disposed.push('leaking');
      super.dispose();
    }
  }
  const error = await failure(() => new Leaking(), 'map / shared sub-expressions');
  expect(error.message).toContain('expected allocatedBytes when every block is freed: 0, got 64');
  await named(ALL, 'map / shared sub-expressions').run();
  expect(disposed).toEqual(['leaking']);
});

test('an author may state other tolerances', async () => {
  // 1e-6 off: eight units in the last place of a float32, more or less.
  const coarse = replaced('', [], { operators: { ...LANGUAGE.operators, exp: { float32: 'Math.exp($0) * (1 + 1e-6)', default: 'Math.exp($0)' } } });
  const error = await failure(() => coarse.create(planted), 'map / exp / float32');
  expect(error.rule).toContain('within 4 units in the last place');
  const tolerant = conformance(() => coarse.create(planted), { tolerances: { exp: { float32: { ulps: 20 } } } });
  await named(tolerant, 'map / exp / float32').run();
});

test('the table of tolerances names only functions that are not exact', () => {
  expect(Object.keys(TOLERANCES).toSorted()).toEqual(['atan', 'cos', 'erf', 'exp', 'log', 'pow', 'sin', 'tanh']);
});

test('checks of what a backend does not claim pass without running a kernel', async () => {
  class Idle extends Wrapped {
    override run(): void {
      throw new Error('a kernel ran');
    }
  }
  const create = (): Backend => Object.assign(new Idle(minimalBackend()), { readSync: undefined });
  for (const name of [
    'map / add / float64',
    'map / cast / int8 to float16',
    'optional / contract / float32 by float32 / sizes',
    'optional / pool / max / forward / float32',
    'optional / attention / forward / causal / float32',
    'optional / quantizedContract / int8 by 8 bits / sizes',
  ])
    await named(conformance(create), name).run();
});

test('a backend that cannot be made fails with its own error', async () => {
  const create = async (): Promise<Backend> => {
    throw new Error('no adapter');
  };
  await expect(named(conformance(create), 'storage / capabilities').run()).rejects.toThrow('no adapter');
});

test('a description of a backend', () => {
  expect(describeBackend(minimalBackend())).toMatchInlineSnapshot(`
    "minimal (contract 1)
      maxBindings 16, maxBlockBytes 1073741824, bindingAlignment 1, threads 1
      simd -, subgroups -, subBufferAliasing yes, deterministic yes, denormals yes
      optional methods: none

      dtype     store   compute   accumulate
      float64   -       -         -
      float32   yes     yes       yes
      float16   -       -         -
      bfloat16  -       -         -
      int32     yes     yes       yes
      uint32    yes     yes       yes
      int8      -       -         -
      uint8     -       -         -
      bool      yes     yes       yes

      optional kernel             claimed for
      contract                    -
      convolution forward         -
      convolution inputGradient   -
      convolution filterGradient  -
      pool max forward            -
      pool max backward           -
      pool average forward        -
      pool average backward       -
      rowwise softmax             -
      rowwise layerNorm           -
      attention                   -
      optimizerStep adam          -
      quantizedContract           -
      scan                        -
      sort                        -
      argReduce                   -
      fft                         -"
  `);
  expect(describeBackend(cpu())).toMatch(/contract +float64, float32, float16, bfloat16, int32/);
});
