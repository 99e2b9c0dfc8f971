// `npm run check:publish`: packs each package as it would be published, and has publint and Are The Types Wrong look at the
// tarball. It is pnpm that packs, because only pnpm turns `workspace:^` into a version.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, pnpm } from './ensure-installed.mjs';
import { root } from './run.mjs';

await ensureInstalled();
const packages = readdirSync(join(root, 'packages'));
// The output of a deleted source stays in place, and would be packed.
for (const name of packages) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
const { compile } = await import('./bundle.mjs'); // once everything is installed
await compile();

/** Runs a program; gives what it printed when it found a fault, and undefined otherwise. */
function faults(program, ...args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  return status === 0 ? undefined : `${program} ${args.join(' ')}\n${error?.message ?? stdout + stderr}`;
}

function report(subject, found) {
  console.log(`${subject}: ${found === undefined ? 'ok' : `FAILED\n${found}`}`);
  if (found !== undefined) process.exitCode = 1;
}

const tarballs = join(root, 'node_modules/.cache/tarballs');
rmSync(tarballs, { recursive: true, force: true });
report('pack', faults('npx', ...pnpm, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', tarballs));

const tool = (name) => join(root, 'node_modules/.bin', name);
for (const file of existsSync(tarballs) ? readdirSync(tarballs) : []) {
  const tarball = join(tarballs, file);
  report(
    file,
    faults(tool('publint'), 'run', tarball, '--strict') ?? faults(tool('attw'), tarball, '--profile', 'esm-only', '--format', 'table-flipped'),
  );
}
