// `npm run build [-- turbo arguments]`: installs what is missing and compiles every package and app into its dist/. What has not
// changed since it was last built comes from turbo's cache.
import { ensureInstalled, pnpm } from './ensure-installed.mjs';
import { runOrExit } from './run.mjs';

await ensureInstalled();
// Through npx, because turbo looks for a pnpm on the path.
await runOrExit('npx', [...pnpm, 'exec', 'turbo', 'run', 'build', ...process.argv.slice(2)], { TURBO_TELEMETRY_DISABLED: '1' });
