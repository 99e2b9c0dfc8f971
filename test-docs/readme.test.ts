// Checks the types of every ```ts block in the root README and in the READMEs of packages and apps, and runs each as a module of its own
// in the repository's root, so that what a reader copies works. An error names the README and the line. To leave a block out, say why just
// above it: <!-- not run: it downloads 2 GB -->
// What a block prints is checked where a comment says so: `console.log(x); // → [0.999, 1.998]`. Numbers are compared to the decimals shown.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatWithOptions } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { useSwiftShader } from '../scripts/swiftshader.mjs';

interface Block {
  readonly readme: string;
  /** The line of the README that holds the first line of code, counted from 1. */
  readonly line: number;
  readonly code: string;
  /** The reason that stands above a block that is left out; undefined for one that is not. */
  readonly omitted: string | undefined;
}

/** A line that says what it prints. */
const PRINTS = /\/\/ → (.*)$/gm;
const NUMBER = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

const root = resolve(import.meta.dirname, '..');
// Blocks are written to files inside test-docs, because from here every package resolves by its published name.
const written = join(import.meta.dirname, '.readme');

function blocksOf(readme: string): Block[] {
  const lines = readFileSync(join(root, readme), 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (!/^```ts\b/.test(lines[i] ?? '')) continue;
    const above = lines.slice(0, i).findLast((line) => line.trim() !== '');
    const end = lines.indexOf('```', i);
    if (end === -1) throw new Error(`${readme}:${i + 1}: this block does not end`);
    blocks.push({ readme, line: i + 2, code: lines.slice(i + 1, end).join('\n'), omitted: above?.match(/^<!-- not run:(.*)-->$/)?.[1]?.trim() });
    i = end;
  }
  return blocks;
}

const fileOf = ({ readme, line }: Block): string => join(written, `${readme.replaceAll('/', '-')}-${line}.ts`);

/** What was printed, with numbers rounded to as many decimals as the comment has at their place, and without the spaces that Node.js puts in brackets. */
function asShown(printed: string, comment: string): string {
  const decimals = [...comment.matchAll(NUMBER)].map(([text]) => text.split('.')[1]?.length ?? 0);
  let place = 0;
  const rounded = printed.replaceAll(NUMBER, (text) => {
    const digits = decimals[place++] ?? 0;
    return digits === 0 ? text : Number(text).toFixed(digits);
  });
  return rounded.replaceAll('[ ', '[').replaceAll(' ]', ']');
}

const readmes = [
  'README.md',
  ...['packages', 'apps'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}/README.md`)),
];
const blocks = readmes.filter((readme) => existsSync(join(root, readme))).flatMap((readme) => blocksOf(readme));
const used = blocks.filter(({ omitted }) => omitted === undefined);

rmSync(written, { recursive: true, force: true });
mkdirSync(written, { recursive: true });
// With its lines where the README has them, the line numbers in the errors of a block are the README's.
for (const block of used) writeFileSync(fileOf(block), '\n'.repeat(block.line - 1) + block.code + '\n');

/** What a block gave to console.log, call by call. */
let logged: unknown[][] = [];

beforeEach(() => {
  process.chdir(root);
  logged = [];
  for (const method of ['debug', 'error', 'info', 'table', 'warn'] as const) vi.spyOn(console, method).mockReturnValue();
  vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => void logged.push(values));
});
afterEach(() => {
  vi.restoreAllMocks();
});

test.each(readmes)('%s exists', (readme) => {
  expect(existsSync(join(root, readme))).toBe(true);
});

test('what is left out has a reason', () => {
  expect(blocks.filter(({ omitted }) => omitted === '').map(({ readme, line }) => `${readme}:${line}`)).toEqual([]);
});

test.runIf(used.length > 0)('the types are right', () => {
  // The sources of packages are checked with the blocks, as those of the webgpu backend are.
  const types = ['node', '@webgpu/types'];
  const compilerOptions = { composite: false, declaration: false, declarationMap: false, moduleDetection: 'force', types };
  writeFileSync(join(written, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.test.base.json', compilerOptions, include: ['*.ts'] }));
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', '.', '--pretty', 'false'], {
    cwd: written,
    encoding: 'utf8',
  });
  const errors = used.reduce(
    (text, block) => text.replaceAll(`${fileOf(block).slice(written.length + 1)}(`, `${block.readme}(`),
    tsc.stdout + tsc.stderr,
  );
  expect(errors).toBe('');
});

/** Blocks that compute on a graphics card have one in software, where there is a driver. */
const graphics = useSwiftShader();

describe.each(used)('$readme', (block) => {
  const lacking = !graphics && block.code.includes('webgpu()') ? ` (skipped: no software driver for ${process.platform} ${process.arch})` : '';
  test.skipIf(lacking !== '')(`line ${block.line} runs${lacking}`, async () => {
    const file = fileOf(block);
    const prints = [...block.code.matchAll(PRINTS)].map((match) => match[1] ?? '');
    try {
      await import(/* @vite-ignore */ file);
      if (prints.length > 0) {
        const printed = logged.map((values) => formatWithOptions({ breakLength: Infinity }, ...values));
        expect(printed.map((text, i) => asShown(text, prints[i] ?? ''))).toEqual(prints);
      }
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const line = error.stack?.split(file)[1]?.match(/^:(\d+)/)?.[1] ?? block.line;
      throw new Error(`${block.readme}:${line}: ${error.message}`, { cause });
    }
  });
});
