// `npm run bench [-- arguments]`: installs what is missing, the rival toolkits included, builds benchmarks/ with the packages
// it measures, and runs it.
import { ensureInstalled } from './ensure-installed.mjs';
import { run, runOrExit } from './run.mjs';

await ensureInstalled({ all: true });
// The native runtime's install script fetches libraries of graphics cards, which nothing here uses.
await runOrExit('npm', ['install', '--prefix', 'benchmarks/peers', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']);
const { compile } = await import('./bundle.mjs'); // once everything is installed
await compile('benchmarks');
process.exitCode = await run(process.execPath, ['benchmarks/dist/main.js', ...process.argv.slice(2)]);
