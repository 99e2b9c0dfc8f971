// Runs all tests once under a given Node.js, and says how many passed.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

/** `summary` reads "Tests: 12 passed, 0 failed, 1 skipped"; `code` is 0 only when nothing failed. */
export async function runTests(node, vitestArguments) {
  const file = join(root, 'node_modules/.cache/test-summary.txt');
  mkdirSync(join(file, '..'), { recursive: true });
  rmSync(file, { force: true });
  // scripts/summary-reporter.ts writes the file. It is printed here, after vitest has ended, so that it is the last line.
  const code = await run(node, ['node_modules/vitest/vitest.mjs', 'run', ...vitestArguments], { GRADUS_TEST_SUMMARY: file });
  try {
    return { code, summary: readFileSync(file, 'utf8') };
  } catch {
    // vitest stopped before it ran a test: a wrong option, a filter that matches nothing, a crash.
    return { code: code || 1, summary: 'Tests: 0 passed, 1 failed, 0 skipped' };
  }
}
