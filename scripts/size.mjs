// `npm run size`: what users of a bundler pay for a package, against the limits in .size-limit.json.
import { compile } from './bundle.mjs';
import { run } from './run.mjs';

await compile();
process.exitCode = await run('size-limit', []);
