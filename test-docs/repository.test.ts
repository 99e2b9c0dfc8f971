// What the repository promises about its own structure: which package may know which, that published packages bring nothing
// else with them, and that the lists which name every package are complete.
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Project {
  readonly references: readonly { readonly path: string }[];
}

/** A package may use packages of lower layers only; packages of one layer do not know each other. */
const layers = [
  ['backend'],
  ['backend-cpu', 'backend-testkit', 'backend-wasm', 'backend-webgpu'],
  ['tensor'],
  ['data', 'formats', 'losses', 'nn', 'optim', 'vision-augment'],
  ['ensemble', 'quantize', 'training-testkit'],
];

/**
 * Packages from outside that a package uses where its user has installed them: optional peers, which it neither brings nor needs.
 * sharp decodes and encodes image files, for `readImage` and `writeImage` of `@gradus/vision-augment` alone.
 */
const optionalPeers: Readonly<Record<string, readonly string[]>> = { 'backend-webgpu': ['webgpu'], 'vision-augment': ['sharp'] };

const root = resolve(import.meta.dirname, '..');
const packages = readdirSync(join(root, 'packages'));
const apps = readdirSync(join(root, 'apps'));
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const readManifest = (folder: string): Manifest => readJson(`${folder}/package.json`) as Manifest;
const readReferences = (folder: string): string[] => (readJson(`${folder}/tsconfig.json`) as Project).references.map(({ path }) => path);

function runtimeDependencies(manifest: Manifest): string[] {
  const all = [manifest.dependencies, manifest.peerDependencies, manifest.optionalDependencies].flatMap((group) => Object.keys(group ?? {}));
  return all.filter((name) => !peersOf(manifest).includes(name));
}

/** The peers that a package marks as optional. */
function peersOf({ peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): string[] {
  return Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional === true);
}

function mayUse(name: string): string[] {
  // A backend implements or checks the contract, and knows nothing of its siblings or of tensors.
  const below = name.startsWith('backend-')
    ? ['backend']
    : layers
        .slice(
          0,
          layers.findIndex((layer) => layer.includes(name)),
        )
        .flat();
  return below.map((other) => `@gradus/${other}`);
}

/** The packages that a published source file imports, from its import and export statements and its import() calls. */
function importsOf(file: string): string[] {
  const statements = /^(?:import|export)\b(?:[^'"`;=]*?\bfrom)?\s*['"]([^'"]+)['"]|^(?!\s*(?:\*|\/\/)).*\bimport\(\s*['"]([^'"]+)['"]/gm;
  const specifiers = [...readFileSync(file, 'utf8').matchAll(statements)].map((match) => match[1] ?? match[2] ?? '');
  return specifiers.filter((specifier) => !/^(?:\.|node:)/.test(specifier)).map((specifier) => specifier.split('/').slice(0, 2).join('/'));
}

test('every package has a place in the layers', () => {
  expect(layers.flat().toSorted()).toEqual(packages.toSorted());
});

test('all packages have one version', () => {
  expect(new Set(packages.map((name) => readManifest(`packages/${name}`).version)).size).toBe(1);
});

test('tsconfig.json refers to every package and app, and to its tests', () => {
  const folders = [...packages.map((name) => `packages/${name}`), ...apps.map((name) => `apps/${name}`)];
  const expected = [...folders.flatMap((folder) => [folder, `${folder}/tsconfig.test.json`]), 'test-docs'];
  expect(readReferences('.').toSorted()).toEqual(expected.toSorted());
});

test('the README tests can import every package', () => {
  const { dependencies = {} } = readManifest('test-docs');
  expect(Object.keys(dependencies).toSorted()).toEqual(packages.map((name) => `@gradus/${name}`).toSorted());
});

describe.each(packages)('packages/%s', (name) => {
  const manifest = readManifest(`packages/${name}`);

  test('depends on lower layers of gradus and on nothing else', () => {
    expect(mayUse(name)).toEqual(expect.arrayContaining(runtimeDependencies(manifest)));
  });

  test('has no optional peers but those listed above', () => {
    expect(peersOf(manifest)).toEqual(optionalPeers[name] ?? []);
  });

  test('refers in tsconfig.json to its dependencies', () => {
    const expected = runtimeDependencies(manifest).map((dependency) => dependency.replace('@gradus/', '../'));
    expect(readReferences(`packages/${name}`).toSorted()).toEqual(expected.toSorted());
  });

  test('imports only its dependencies', () => {
    const source = join(root, 'packages', name, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /(?<!\.test|\.spec)\.ts$/.test(file));
    const imports = files.flatMap((file) => importsOf(join(source, file)).map((target) => ({ file, target })));
    const allowed = [...runtimeDependencies(manifest), ...peersOf(manifest)];
    expect(imports.filter(({ target }) => !allowed.includes(target))).toEqual([]);
  });
});

test.each(apps)('apps/%s uses published packages and other apps', (name) => {
  const { private: isPrivate, dependencies = {} } = readManifest(`apps/${name}`);
  expect(isPrivate).toBe(true);
  const gradus = Object.keys(dependencies).filter((dependency) => dependency.startsWith('@gradus/'));
  expect([...packages, ...apps.filter((app) => app !== name)].map((each) => `@gradus/${each}`)).toEqual(expect.arrayContaining(gradus));
});
