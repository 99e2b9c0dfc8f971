// `npm start [-- arguments]`: installs what is missing, builds apps/mnist with the packages it uses, and runs it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';
import { root, runOrExit } from './run.mjs';

await ensureInstalled();
await runOrExit('tsc', ['-b', 'apps/mnist']);

// The app runs in this process, so that Ctrl-C reaches it once and its exit code is this command's.
const main = join(root, 'apps/mnist/dist/main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);
