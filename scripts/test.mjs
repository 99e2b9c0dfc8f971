// `npm test [-- vitest arguments]`: installs what is missing, checks the types, runs every test once, and closes with one
// plain line: "Tests: 12 passed, 0 failed, 1 skipped".
import { ensureInstalled } from './ensure-installed.mjs';
import { run } from './run.mjs';
import { runTests } from './run-tests.mjs';

await ensureInstalled();
const types = await run('tsc', ['-b']);
if (types !== 0) {
  console.log('\nThe type check failed, so the tests did not run; it counts as one failed test.\nTests: 0 passed, 1 failed, 0 skipped');
  process.exitCode = types;
} else {
  const { code, summary } = await runTests(process.execPath, process.argv.slice(2));
  console.log(summary);
  process.exitCode = code;
}
