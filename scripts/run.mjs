// Runs a program in the repository's root, with this process's input and output, and waits for it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

// The tools of node_modules/.bin are found by name, also when a script is started without npm.
const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);

// A terminal sends Ctrl-C to the child too; this process outlives it to pass on how it ended.
const waitForChild = () => {};

/** The exit code of `command args`; a program ended by a signal gives 128 + the signal's number, as in a shell. */
export function run(command, args, env = {}) {
  return new Promise((done, fail) => {
    // On Windows npm's programs are .cmd files, which only a shell starts.
    const shell = process.platform === 'win32' && command !== process.execPath;
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', shell, env: { ...process.env, PATH: path, ...env } });

    const endChild = () => child.kill('SIGTERM');
    process.on('SIGINT', waitForChild);
    process.on('SIGTERM', endChild);

    child.on('error', fail);
    child.on('exit', (code, signal) => {
      process.off('SIGINT', waitForChild);
      process.off('SIGTERM', endChild);
      done(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** Runs `command args`, and ends this process with its exit code when that is not 0. */
export async function runOrExit(command, args, env) {
  const code = await run(command, args, env);
  if (code !== 0) process.exit(code);
}
