/** The entry point of `npm run tour`: six steps through the toolkit, on MNIST. */

import { Interrupt } from '@gradus/mnist';
import { run } from './run.ts';

using interrupt = new Interrupt(process, (code) => process.exit(code));
process.exitCode = await run(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  signal: interrupt.signal,
  now: () => performance.now(),
});
