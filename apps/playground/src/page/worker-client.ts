/** The page's end of the line to the worker. */

import type { Command, Report } from '../protocol.ts';

/** Starts the worker. @param onReport is given what it says; @param onDeath is called when it cannot start, or fails beyond repair */
export function startWorker(onReport: (report: Report) => void, onDeath: (message: string) => void): (command: Command) => void {
  // Its name tells the worker where the page, and the data beside it, are.
  const worker = new Worker(new URL('../worker/main.ts', import.meta.url), { type: 'module', name: document.baseURI });
  worker.addEventListener('message', ({ data }: MessageEvent<Report>) => onReport(data));
  worker.addEventListener('error', (event) => onDeath(event.message));
  return (command) => worker.postMessage(command);
}
