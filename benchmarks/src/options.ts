/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util';

export interface Options {
  /** Run only works whose name contains this. */
  readonly only: string | undefined;
  readonly device: DeviceName;
  /** Threads of the device, where it has a choice. */
  readonly threads: number;
  /** Which vectors wasm uses; undefined for the most that the engine has. */
  readonly simd: 'plain' | 'relaxed' | 'off' | undefined;
  /** Compute webgpu in software, where there is no graphics card. */
  readonly software: boolean;
  /** Where to write the results, besides printing them. */
  readonly json: string | undefined;
}

type DeviceName = 'wasm' | 'cpu' | 'webgpu';

const DEVICES: readonly DeviceName[] = ['wasm', 'cpu', 'webgpu'];
const SIMD = ['relaxed', 'plain', 'off'] as const;

export const HELP = `Measures gradus beside other toolkits, in turns, in one process.

  npm run bench -- [--only WORK] [--device NAME] [--threads N] [--simd KIND] [--json FILE]

  --only WORK     only works whose name contains WORK; --only list names them all
  --device NAME   device of gradus: ${DEVICES.join(', ')} (default wasm); webgpu is measured in Chromium, works of its own
  --threads N     threads of that device (default 1; cpu has one)
  --simd KIND     ${SIMD.join(', ')}: vectors of wasm (default: the most that the engine has;
                  Node 20 has relaxed ones behind a flag:
                  node --experimental-wasm-relaxed-simd benchmarks/dist/main.js)
  --software      webgpu on a graphics card in software: counts and comparisons, no speeds
  --json FILE     write the results to FILE too
  --help          this text

A ratio above 1 means that gradus is faster. Times are medians over rounds in which every toolkit has its turn.`;

/** Reads the command line; null for `--help`. Throws for mistakes. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      device: { type: 'string', default: 'wasm' },
      simd: { type: 'string' },
      threads: { type: 'string', default: '1' },
      software: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const threads = Number(values.threads);
  const device = DEVICES.find((name) => name === values.device);
  if (device === undefined) throw new Error(`--device: expected one of ${DEVICES.join(', ')}, got ${values.device}`);
  if (!Number.isInteger(threads) || threads < 1) throw new Error(`--threads: expected a whole number from 1, got ${values.threads}`);
  if (device !== 'wasm' && threads !== 1) throw new Error(`--threads: ${device} has no threads to choose, got ${values.threads}`);
  const simd = SIMD.find((kind) => kind === values.simd);
  if (values.simd !== undefined && simd === undefined) throw new Error(`--simd: expected one of ${SIMD.join(', ')}, got ${values.simd}`);
  return { only: values.only, device, threads, simd, software: values.software, json: values.json };
}
