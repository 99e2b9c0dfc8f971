// What is published of each package of packages/: its declarations, by tsc, and one file of JavaScript for each of its entries, by
// esbuild. A hundred modules take Node.js five times as long to load as one does. Names stay as they are, and the sources are beside
// them. On the command line: in a package's folder, bundles that package alone.
import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'acorn';
import { base, full } from 'acorn-walk';
import { build, transform } from 'esbuild';
import { root, runOrExit } from './run.mjs';

/** Checks the types of `projects` (all, without any), writes their declarations, and bundles every package. */
export async function compile(...projects) {
  await runOrExit('tsc', ['-b', ...projects]);
  await Promise.all(readdirSync(join(root, 'packages')).map((name) => bundle(join(root, 'packages', name))));
}

/** Bundles the package in `folder`. Other packages stay imports. */
async function bundle(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  await build({
    absWorkingDir: folder,
    entryPoints: Object.values(exports).flatMap((entry) => entry['@gradus/source'] ?? []),
    outbase: 'src',
    outdir: 'dist',
    bundle: true,
    splitting: true, // what two entries share is there once, and its state with it
    packages: 'external',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [withoutSideEffects],
  });
}

/**
 * Says of each value that a module makes when it is loaded that nothing else happens then. The packages say so of their modules
 * ("sideEffects": false); in one file, bundlers need it said of each call, or whoever imports one function pays for all.
 */
const withoutSideEffects = {
  name: 'without-side-effects',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const { code } = await transform(source, { loader: 'ts', target: 'es2022', sourcefile: path, sourcemap: 'inline' });
      return { contents: annotated(code), loader: 'js' };
    });
  },
};

function annotated(code) {
  const starts = new Set();
  for (const statement of parse(code, { ecmaVersion: 2022, sourceType: 'module' }).body) {
    const declaration = statement.declaration ?? statement;
    if (declaration.type !== 'VariableDeclaration' && declaration.type !== 'ClassDeclaration') continue;
    full(
      declaration,
      ({ type, start }) => {
        if (type === 'CallExpression' || type === 'NewExpression') starts.add(start);
      },
      onLoading,
    );
  }
  return [...starts].sort((a, b) => b - a).reduce((text, at) => `${text.slice(0, at)}/* @__PURE__ */ ${text.slice(at)}`, code);
}

/** Walks over what runs when a module is loaded: not into functions, nor into what objects of a class begin with. */
const onLoading = {
  ...base,
  Function: () => {},
  PropertyDefinition: (node, state, visit) => {
    if (node.static) base.PropertyDefinition(node, state, visit);
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle(process.cwd());
