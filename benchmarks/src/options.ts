/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util';

export interface Options {
  /** Run only works whose name contains this. */
  readonly only: string | undefined;
  /** Device of gradus: `cpu`. */
  readonly device: string;
  /** Threads of the device, where it has a choice. */
  readonly threads: number;
  /** Where to write the results, besides printing them. */
  readonly json: string | undefined;
}

const DEVICES: readonly string[] = ['cpu'];

export const HELP = `Measures gradus beside other toolkits, in turns, in one process.

  npm run bench -- [--only WORK] [--device NAME] [--threads N] [--json FILE]

  --only WORK     only works whose name contains WORK; --only list names them all
  --device NAME   device of gradus: ${DEVICES.join(', ')} (default cpu)
  --threads N     threads of that device (default 1; cpu has one)
  --json FILE     write the results to FILE too
  --help          this text

A ratio above 1 means that gradus is faster. Times are medians over rounds in which every toolkit has its turn.`;

/** Reads the command line; null for `--help`. Throws for mistakes. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      device: { type: 'string', default: 'cpu' },
      threads: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const threads = Number(values.threads);
  if (!DEVICES.includes(values.device)) throw new Error(`--device: expected one of ${DEVICES.join(', ')}, got ${values.device}`);
  if (threads !== 1) throw new Error(`--threads: cpu has one thread, got ${values.threads}`);
  return { only: values.only, device: values.device, threads, json: values.json };
}
