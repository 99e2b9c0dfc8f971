// `npm run test:matrix [-- vitest arguments]`: runs the tests under the other Node.js versions that gradus supports, and says
// in one line for each how they went. npm has every Node.js as a package, about 185 MB; it is kept in node_modules/.cache.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './ensure-installed.mjs';
import { root, runOrExit } from './run.mjs';
import { runTests } from './run-tests.mjs';

const versions = [22, 24];

async function installNode(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const folder = join(root, `node_modules/.cache/node-${version}`);
  const name = `node-${platform}-${process.arch}`;
  const binary = join(folder, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n'); // keeps npm from walking up to the repository
    await runOrExit('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--no-package-lock', `${name}@${version}`]);
  }
  return binary;
}

await ensureInstalled();
const lines = [];
for (const version of versions) {
  const { code, summary } = await runTests(await installNode(version), process.argv.slice(2));
  lines.push(`Node.js ${version}: ${code === 0 ? 'ok' : 'FAILED'}. ${summary}`);
  if (code !== 0) process.exitCode = 1;
}
console.log(`\n${lines.join('\n')}`);
