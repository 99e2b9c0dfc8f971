// `npm run version-packages`: turns the changesets into new versions and changelogs, and writes the version into the core, which
// stamps it on every tensor.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './ensure-installed.mjs';
import { root, runOrExit } from './run.mjs';

await ensureInstalled();
await runOrExit('changeset', ['version']);
const { version } = JSON.parse(readFileSync(join(root, 'packages/tensor/package.json'), 'utf8'));
const file = join(root, 'packages/tensor/src/version.ts');
writeFileSync(file, readFileSync(file, 'utf8').replace(/'.*'/, `'${version}'`));
