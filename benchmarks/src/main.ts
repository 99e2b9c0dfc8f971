/** Measures gradus beside other toolkits: the entry point of `npm run bench`. */

import { writeFileSync } from 'node:fs';
import { cpu } from '@gradus/backend-cpu';
import { wasm } from '@gradus/backend-wasm';
import type { WasmOptions } from '@gradus/backend-wasm';
import { setDefaultDevice } from '@gradus/tensor';
import { benchInBrowser } from './browser/run.ts';
import { measure } from './measure.ts';
import type { Work } from './measure.ts';
import { HELP, readOptions } from './options.ts';
import type { Options } from './options.ts';
import { describe, toResult } from './report.ts';
import type { Result } from './report.ts';
import { endTorch } from './peers/torch.ts';
import { elementwiseWorks } from './works/elementwise.ts';
import { matmulWorks } from './works/matmul.ts';
import { overheadWorks } from './works/overhead.ts';
import { startUpWorks } from './works/start-up.ts';
import { trainingWorks } from './works/training.ts';

const works: readonly Work[] = [...startUpWorks, ...overheadWorks, ...matmulWorks, ...elementwiseWorks, ...trainingWorks];

function wasmOptions({ threads, simd }: Options): WasmOptions {
  return { threads, ...(simd !== undefined && { simd }) };
}

async function run(options: Options): Promise<number> {
  if (options.device === 'webgpu') {
    write(options, await benchInBrowser(options.only, options.software));
    return 0;
  }
  const chosen = works.filter((work) => options.only === undefined || work.name.includes(options.only));
  if (chosen.length === 0) {
    console.log(`works: ${works.map((work) => work.name).join(', ')}`);
    return options.only === 'list' ? 0 : 2;
  }
  setDefaultDevice(options.device === 'cpu' ? cpu() : await wasm(wasmOptions(options)));
  const results: Result[] = [];
  for (const work of chosen) {
    const result = toResult(work.name, options.device, options.threads, await measure(work));
    results.push(result);
    console.log(describe(result));
  }
  await endTorch();
  write(options, results);
  return 0;
}

function write({ json }: Options, results: readonly Result[]): void {
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) console.log(HELP);
  else process.exitCode = await run(options);
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
  process.exitCode = 2;
}
