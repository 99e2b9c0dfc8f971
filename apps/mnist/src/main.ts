/** The entry point of `npm start`: trains a digit classifier on MNIST. */

import { Interrupt } from './interrupt.ts';
import { run } from './run.ts';

using interrupt = new Interrupt(process, (code) => process.exit(code));
process.exitCode = await run(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  signal: interrupt.signal,
  now: () => performance.now(),
});
