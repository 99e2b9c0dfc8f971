// `npm run playground [-- --fashion-mnist FOLDER]`: serves the page that trains in the browser, apps/playground, from the sources of all packages.
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureInstalled } from './ensure-installed.mjs';
import { root } from './run.mjs';

const options = { 'fashion-mnist': { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } };
const HELP = `npm run playground -- [options]
  --fashion-mnist FOLDER  serve Fashion-MNIST too, from the folder with its four files
  --port N                (default 5173, or the next one that is free)`;

/** What was asked for; null with a message on the standard error where it makes no sense. */
function read() {
  try {
    const { values } = parseArgs({ options });
    const port = Number(values.port ?? 5173);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new TypeError(`--port must be from 0 to 65535, got ${values.port}`);
    return { ...values, port };
  } catch (error) {
    console.error(`${error.message}\n${HELP}`);
    return null;
  }
}

const wanted = read();
if (wanted === null) process.exitCode = 2;
else if (wanted.help) console.log(HELP);
else {
  await ensureInstalled();
  const app = join(root, 'apps/playground');
  // Relative to where the command was given, which is not where npm runs it.
  const folder = wanted['fashion-mnist'];
  if (folder !== undefined) process.env.FASHION_MNIST_FOLDER = resolve(process.env.INIT_CWD ?? '.', folder);
  const { createServer } = await import(pathToFileURL(createRequire(join(app, 'package.json')).resolve('vite')).href);
  try {
    const server = await createServer({ root: app, configFile: join(app, 'vite.config.ts'), server: { port: wanted.port } });
    await server.listen();
    console.log('The playground is at');
    server.printUrls();
  } catch (error) {
    if (error.code !== 'DATA_NOT_FOUND') throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
