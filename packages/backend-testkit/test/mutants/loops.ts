/** Mutants of generated loops: ends and beginnings of index spaces, bounds of gathers and scatters, order of loads and stores, folds. */

import type { FoldKind, Kernel, ScatterKernel } from '@gradus/backend';
import { accumulator, operandPositions } from '@gradus/backend';
import { redimensioning, reexpressing, rewriting, transformed } from './mutant.ts';
import type { Mutant } from './mutant.ts';

/** Changes the source of one kind of kernel. */
function inSource(kind: Kernel['kind'], name: string, checks: readonly string[], pattern: RegExp, replacement: string): Mutant {
  return transformed(name, checks, (source, kernel) => (kernel.kind === kind ? source.replace(pattern, replacement) : source));
}

/** The head of a loop over a whole axis: `for (let x0 = 0, …; x0 < n0; …`. */
const LOOP = /x(\d+) < n\1;/g;
const CHECKS = {
  map: ['map / tails / int32', 'map / layout / contiguous / int32', 'map / layout / transposed / int32'],
  reduce: ['reduce / sum / int32', 'reduce / max / float32', 'reduce / layout / contiguous', 'reduce / layout / transposed', 'reduce / long'],
  scatter: ['scatter / set / int32', 'scatter / add / float32', 'scatter / expressions'],
} as const;

function loopMutants(kind: 'map' | 'reduce' | 'scatter'): Mutant[] {
  const checks = CHECKS[kind];
  const innermost = (name: string, change: (id: string) => string): Mutant =>
    transformed(`${kind} ${name}`, checks, (source, kernel) => {
      const last = [...source.matchAll(LOOP)].at(-1);
      if (kernel.kind !== kind || last === undefined) return source;
      return source.slice(0, last.index) + change(last[1] ?? '') + source.slice(last.index + last[0].length);
    });
  return [
    inSource(kind, `${kind} skips the last of every axis`, checks, LOOP, 'x$1 < n$1 - 1;'),
    inSource(kind, `${kind} goes one too far along every axis`, checks, LOOP, 'x$1 <= n$1;'),
    innermost('skips the last of the innermost loop', (id) => `x${id} < n${id} - 1;`),
    innermost('skips the tail of its vectors of 4', (id) => `x${id} < n${id} - n${id} % 4;`),
    innermost('skips the tail of its vectors of 32', (id) => `x${id} < n${id} - n${id} % 32;`),
    innermost('always fills its vectors of 4', (id) => `x${id} < (n${id} + 3 & -4);`),
    innermost('stops after 64', (id) => `x${id} < Math.min(n${id}, 64);`),
    innermost('stops after 1000', (id) => `x${id} < Math.min(n${id}, 1000);`),
    inSource(kind, `${kind} skips the first of every axis`, checks, /x(\d+) = 0, ((?:p\d+_\1 = [\w ]+(?:, )?)*);/g, 'x$1 = 1, $2;'),
    inSource(kind, `${kind} moves its pointers by one`, checks, /(p(\d+)_(\d+)) \+ s\2_\3 \|/g, '$1 + 1 |'),
  ];
}

function boundMutants(): Mutant[] {
  const gathers = ['map / gather / int32', 'map / gather / uint8', 'map / gather / float16'];
  const scatters = CHECKS.scatter;
  const bound = />>> 0 < l(\d+)/g;
  return [
    inSource('map', 'gather reads one past the end', gathers, bound, '>>> 0 <= l$1'),
    inSource('map', 'gather reads before the beginning', gathers, bound, '< l$1'),
    inSource('map', 'gather skips the last element', gathers, bound, '>>> 0 < l$1 - 1'),
    inSource('map', 'gather skips the first element', gathers, /(\w+) >>> 0 < l(\d+)/g, '$1 - 1 >>> 0 < l$2 - 1'),
    inSource('map', 'gather knows no bounds', gathers, bound, '< Infinity'),
    inSource('map', 'gather is bound by its block', gathers, bound, '>>> 0 < v$1.length'),
    inSource('map', 'gather ignores the offset', gathers, /\[o\d+ \+ (\w+)\](\)?) :/g, '[$1]$2 :'),
    inSource('scatter', 'scatter writes one past the end', scatters, bound, '>>> 0 <= l$1'),
    inSource('scatter', 'scatter writes before the beginning', scatters, bound, '< l$1'),
    inSource('scatter', 'scatter skips the last element', scatters, bound, '>>> 0 < l$1 - 1'),
    inSource('scatter', 'scatter skips the first element', scatters, /(\w+) >>> 0 < l(\d+)/g, '$1 - 1 >>> 0 < l$2 - 1'),
    inSource(
      'scatter',
      'scatter clamps positions',
      scatters,
      /if \(\w+ >>> 0 < l(\d+)\) \{\n(\s*const at = o\d+ \+ )(\w+);/g,
      '{\n$2Math.max(0, Math.min($3, l$1 - 1));',
    ),
  ];
}

/** Each store moved up to where its value is known, before loads that come later. */
function storesEarly(source: string): string {
  const lines = source.split('\n');
  const stores = lines.flatMap((line) => {
    const found = /^\s*v\d+\[.*\] = (?:toFloat16Bits\(|toBfloat16Bits\()?(t\w+)\)?;$/.exec(line);
    return found?.[1] === undefined ? [] : [{ line, value: found[1] }];
  });
  const rest = lines.filter((line) => !stores.some((store) => store.line === line));
  return rest.flatMap((line) => [line, ...stores.filter(({ value }) => line.includes(`const ${value} =`)).map((store) => store.line)]).join('\n');
}

function accessMutants(): Mutant[] {
  const outputs = ['map / several outputs'];
  return [
    transformed('map stores before it has loaded all', outputs, (source, kernel) => (kernel.kind === 'map' ? storesEarly(source) : source)),
    inSource('map', 'map adds to what is there', ['map / layout / contiguous / int32'], /^(\s*v\d+\[[^\]]*\]) = /gm, '$1 += '),
    inSource('map', 'map stores its first output only', outputs, /^(\s*v\d+\[.*\n)(?:\s*v\d+\[.*\n)+/gm, '$1'),
    inSource('map', 'map stores its last output only', outputs, /^(?:\s*v\d+\[.*\n)+(\s*v\d+\[.*\n)/gm, '$1'),
    inSource('map', 'float16 is stored by truncation', ['map / cast / float32 to float16'], /toFloat16Bits\((\w+)\)/g, 'toFloat16Bits($1 - $1 % 2)'),
    inSource('map', 'a bool is stored as 255', ['map / less / int32'], /\? 1 : 0/g, '? 255 : 0'),
    inSource('reduce', 'reduce adds to what is there', ['reduce / layout / contiguous'], /^(\s*v\d+\[[^\]]*\]) = /gm, '$1 += '),
    inSource('reduce', 'reduce stores its first output only', ['reduce / several folds'], /^(\s*v\d+\[.*\n)(?:\s*v\d+\[.*\n)+/gm, '$1'),
  ];
}

const IDENTITY = /let a(\d+) = (.+);/g;

function foldMutants(): Mutant[] {
  const folds = [
    'reduce / sum / int32',
    'reduce / sum / float32',
    'reduce / prod / float32',
    'reduce / min / float32',
    'reduce / max / float32',
    'reduce / max / int32',
    'reduce / min / int8',
  ];
  const refold = (name: string, from: FoldKind, to: FoldKind): Mutant =>
    rewriting(name, folds, (kernel) =>
      kernel.kind === 'reduce' && kernel.folds.some(({ fold }) => fold === from)
        ? { ...kernel, folds: kernel.folds.map((f) => (f.fold === from ? { ...f, fold: to } : f)) }
        : kernel,
    );
  const identity = (name: string, checks: readonly string[], from: string, to: string): Mutant =>
    transformed(name, checks, (source) =>
      source.replace(IDENTITY, (whole, index: string, value: string) => (value === from ? `let a${index} = ${to};` : whole)),
    );
  const several = ['reduce / several folds'];
  return [
    refold('a fold by sum is a product', 'sum', 'prod'),
    refold('a fold by prod is a sum', 'prod', 'sum'),
    refold('a fold by min is max', 'min', 'max'),
    refold('a fold by max is min', 'max', 'min'),
    refold('a fold by min is a sum', 'min', 'sum'),
    identity('a sum begins at 1', folds, '0', '1'),
    identity('a sum begins at -0', folds, '0', '(-0)'),
    identity('a product begins at 0', folds, '1', '0'),
    identity('a float maximum begins at 0', folds, '(-Infinity)', '0'),
    identity('a float maximum begins at the least number', folds, '(-Infinity)', '(-3.4028234663852886e38)'),
    identity('a float minimum begins at the largest number', folds, 'Infinity', '3.4028234663852886e38'),
    identity('an int32 maximum begins at 0', folds, '(-2147483648)', '0'),
    identity('an int8 minimum begins at 0', folds, '127', '0'),
    identity('an int8 minimum begins at that of int32', folds, '127', '2147483647'),
    inSource('reduce', 'a fold keeps the last value', folds, /const (t\w+) = \(?(?:t\w+ \+ (t\w+)\)?)/g, 'const $1 = ($2)'),
    inSource('reduce', 'a maximum ignores NaN', folds, /Math\.max\((t\w+), (t\w+)\)/g, '($2 > $1 ? $2 : $1)'),
    inSource('reduce', 'a minimum ignores NaN', folds, /Math\.min\((t\w+), (t\w+)\)/g, '($2 < $1 ? $2 : $1)'),
    inSource('reduce', 'a maximum is forgotten after NaN', folds, /Math\.max\((t\w+), (t\w+)\)/g, '($1 >= $2 ? $1 : $2)'),
    inSource('reduce', 'a float sum is rounded every time', ['reduce / long'], /^(\s*)(a\d+) = (t\w+);/gm, '$1$2 = fround($3);'),
    inSource('reduce', 'a sum is kept in bfloat16', ['reduce / sum / float32'], /^(\s*)(a\d+) = (t\w+);/gm, '$1$2 = roundBfloat16($3);'),
    inSource(
      'reduce',
      'accumulators are not rounded before the epilogue',
      ['reduce / accumulator / float32'],
      /const (r\d+) = fround\((a\d+)\);/g,
      'const $1 = $2;',
    ),
    inSource(
      'reduce',
      'an accumulator is kept between results',
      ['reduce / layout / contiguous'],
      /let (a\d+) = (.+);/g,
      'var $1 = typeof $1 === "number" ? $1 : $2;',
    ),
    inSource(
      'reduce',
      'rows end after the first block',
      ['reduce / layout / transposed'],
      /for \(let from = 0; from < (n\d+);/g,
      'for (let from = 0; from < Math.min(1, $1);',
    ),
    inSource('reduce', 'a block of rows is not cleared', ['reduce / layout / transposed'], /^\s*row\d+\.fill.*$/gm, ''),
    reexpressing('every accumulator is the first', several, (e, kernel) =>
      e.op === 'accumulator' && e.index > 0 && kernel.kind === 'reduce' && kernel.folds[0]?.value.dtype === e.dtype ? accumulator(e.dtype) : e,
    ),
    rewriting('the epilogue is skipped', ['reduce / epilogue'], (kernel) =>
      kernel.kind === 'reduce'
        ? {
            ...kernel,
            outputs: kernel.outputs.map((o) => (o.value.dtype === kernel.folds[0]?.value.dtype ? { ...o, value: accumulator(o.value.dtype) } : o)),
          }
        : kernel,
    ),
    reexpressing('the epilogue reads zeros', ['reduce / epilogue'], (e, kernel) =>
      e.op === 'load' && kernel.kind === 'reduce' && kernel.operands[e.operand]?.space === 'kept' ? { op: 'constant', dtype: e.dtype, value: 0 } : e,
    ),
    redimensioning('the first value is folded twice', folds, (kernel, dims) => {
      // Reads one element too early, for one more value.
      if (kernel.kind !== 'reduce' || kernel.rank !== 1) return;
      const [at = 0] = operandPositions(kernel);
      dims[0] = (dims[0] ?? 0) + 1;
      dims[at] = Math.max(0, (dims[at] ?? 0) - 1);
    }),
  ];
}

function scatterMutants(): Mutant[] {
  const checks = CHECKS.scatter;
  const remode = (name: string, from: ScatterKernel['mode'], to: ScatterKernel['mode']): Mutant =>
    rewriting(name, [...checks, 'scatter / max / float32'], (kernel) =>
      kernel.kind === 'scatter' && kernel.mode === from && kernel.value.dtype !== 'bool' ? { ...kernel, mode: to } : kernel,
    );
  const backwards = (kernel: Kernel, dims: Int32Array): void => {
    if (kernel.kind !== 'scatter') return;
    const positions = operandPositions(kernel);
    kernel.operands.forEach((operand, i) => {
      if (operand.layout !== 'strided') return;
      const at = positions[i] ?? 0;
      for (let axis = 0; axis < kernel.rank; axis++) {
        const stride = dims[at + 1 + axis] ?? 0;
        dims[at] = (dims[at] ?? 0) + ((dims[axis] ?? 1) - 1) * stride;
        dims[at + 1 + axis] = -stride;
      }
    });
  };
  return [
    remode('scatter add sets', 'add', 'set'),
    remode('scatter set adds', 'set', 'add'),
    remode('scatter max sets', 'max', 'set'),
    remode('scatter max adds', 'max', 'add'),
    redimensioning('scatter goes through its source backwards', checks, backwards),
    inSource('scatter', 'scatter max ignores NaN', ['scatter / max / float32'], /Math\.max\(([^,]+), ([^)]+)\)/g, '($2 > $1 ? $2 : $1)'),
    inSource(
      'scatter',
      'scatter adds once an element',
      ['scatter / add / int32'],
      /^(\s*)const at = (.+);/gm,
      '$1const at = $2; if (dims["seen" + at]) continue; dims["seen" + at] = 1;',
    ),
    inSource('scatter', 'scatter add does not wrap', ['scatter / add / uint8'], /& 255/g, '> 255 ? 255 : 7'),
  ];
}

export function sourceMutants(): Mutant[] {
  return [
    ...(['map', 'reduce', 'scatter'] as const).flatMap(loopMutants),
    ...boundMutants(),
    ...accessMutants(),
    ...foldMutants(),
    ...scatterMutants(),
  ];
}
