// Counts the tests of a run into one plain line, "Tests: 12 passed, 0 failed, 1 skipped", and writes it to the file that
// GRADUS_TEST_SUMMARY names. vitest's own summary counts neither modules that fail to load nor unhandled errors as failures.
import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const file = process.env['GRADUS_TEST_SUMMARY'];
    if (file === undefined) return;
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failed = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') count.passed++;
        else if (state === 'skipped') count.skipped++;
        else failed++;
      }
      // A module that fails to load, or a suite whose hook throws, has no failed test of its own.
      count.failed += failed === 0 && module.state() === 'failed' ? 1 : failed;
    }
    writeFileSync(file, `Tests: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
