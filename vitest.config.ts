// Every folder of packages/ and apps/ is a test project of its own, and test-docs is one more: `npm test -- --project nn`.
// The tests import packages by their published names, which the source condition leads to src/, so nothing is built first.
import { readdirSync } from 'node:fs';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

const conditions = ['@gradus/source', 'module', 'node', 'development|production'];

function project(folder: string, include: string[]): TestProjectInlineConfiguration {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: {
      name: folder.split('/').at(-1) ?? folder,
      root: folder,
      include,
      environment: 'node',
      pool: 'forks',
      testTimeout: 60_000, // a slow machine is not a failure
      hookTimeout: 60_000,
      execArgv: ['--expose-gc'], // the leak tests collect garbage
    },
  };
}

const workspaces = ['packages', 'apps'].flatMap((parent) => readdirSync(parent).map((name) => `${parent}/${name}`));

export default defineConfig({
  test: {
    projects: [...workspaces.map((folder) => project(folder, ['src/**/*.test.ts', 'test/**/*.test.ts'])), project('test-docs', ['*.test.ts'])],
    reporters: ['default', './scripts/summary-reporter.ts'],
  },
});
