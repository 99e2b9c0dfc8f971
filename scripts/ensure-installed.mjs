// Installs what the repository's commands need, unless it is there already. Every root command runs it before its own work;
// it needs nothing but Node.js and npm. On the command line: `node scripts/ensure-installed.mjs [--all]`.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, runOrExit } from './run.mjs';

const stampFile = join(root, 'node_modules/.installed');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Runs the pinned pnpm: `npx` and these arguments before pnpm's own. Not corepack: Node.js 25 and later ship without it. */
export const pnpm = ['-y', manifest.packageManager.split('+')[0]]; // the hash after "+" is corepack's

/** `all` includes benchmarks/, whose rival toolkits take as much space as everything else together; without it they are left out. */
export async function ensureInstalled({ all = false } = {}) {
  requireNode(manifest.engines.node.replace('>=', ''));
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
  const installed = readStamp();
  if (installed.lockfile === lockfile && (installed.all || !all)) return;
  console.log(`Installing dependencies with ${pnpm.at(-1)} ...`);
  const selection = all ? [] : ['--filter=!@gradus/benchmarks'];
  await runOrExit('npx', [...pnpm, 'install', '--frozen-lockfile', '--loglevel=info', ...selection]);
  writeFileSync(stampFile, JSON.stringify({ lockfile, all }));
}

function requireNode(minimum) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = minimum.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  console.error(`gradus needs Node.js ${minimum} or newer; this is ${process.version}. See https://nodejs.org/en/download`);
  process.exit(1);
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await ensureInstalled({ all: process.argv.includes('--all') });
