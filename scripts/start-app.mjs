// Installs what is missing, builds an app with the packages it uses, and runs it with this command's arguments.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureInstalled } from './ensure-installed.mjs';
import { root } from './run.mjs';

export async function startApp(name) {
  await ensureInstalled();
  // Imported when everything is installed: it uses what is.
  const { compile } = await import('./bundle.mjs');
  await compile(`apps/${name}`);

  // The app runs in this process, so that Ctrl-C reaches it once and its exit code is this command's.
  const main = join(root, 'apps', name, 'dist/main.js');
  process.argv[1] = main;
  await import(pathToFileURL(main).href);
}
