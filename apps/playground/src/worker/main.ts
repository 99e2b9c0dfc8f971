/** The entry point of the worker: a conductor, and messages. */

import './symbol-dispose.ts';
import type { Command, Report } from '../protocol.ts';
import { Conductor } from './conductor.ts';
import { openDevice } from './devices.ts';
import { Images, fetcher } from './images.ts';

/** The part of a worker's global scope that is used; the DOM's types describe a window. */
interface WorkerScope {
  readonly name: string;
  postMessage(report: Report, transfer: readonly Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Command>) => void): void;
}

const worker = globalThis as unknown as WorkerScope;

function post(report: Report): void {
  worker.postMessage(report, report.type === 'saved' ? [report.bytes.buffer] : []);
}

// The page names its own address, which the data lie beside; the worker's is that of a file somewhere below.
const images = new Images(fetcher(new URL(worker.name), (what, received, total) => post({ type: 'loading', what, received, total })));
const conductor = new Conductor({ post, open: openDevice, images, now: () => performance.now() });
worker.addEventListener('message', ({ data }) => conductor.receive(data));
void conductor.run();
