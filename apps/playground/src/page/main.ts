/** The entry point of the page: puts its parts together, and takes what the worker says to the part that shows it. */

import { DATASET_CHOICES } from '../choices.ts';
import type { DatasetName } from '../choices.ts';
import { Curves } from '../curves.ts';
import { lacksOf, lookAround } from '../features.ts';
import type { Command, Evaluation, Failure, Progress, Report, Status } from '../protocol.ts';
import { sortFiles } from '../visitor-files.ts';
import { Bars } from './bars.ts';
import { Charts } from './charts.ts';
import { ConfusionTable } from './confusion-table.ts';
import { Controls } from './controls.ts';
import { element } from './elements.ts';
import { Loading } from './loading.ts';
import { showLacks } from './notices.ts';
import type { Move } from './moves.ts';
import { Pad } from './pad.ts';
import { count, percent } from './words.ts';
import { startWorker } from './worker-client.ts';

const TEST_IMAGES = 10_000;

/** Results of whole epochs are read out at most this often, in milliseconds: a fast device has one every second. */
const QUIET_MS = 15_000;

const announcer = element('announcer', HTMLParagraphElement);
const failureText = element('failure', HTMLParagraphElement);
const testImageButton = element('test-image', HTMLButtonElement);
const clearButton = element('clear', HTMLButtonElement);
const figures = {
  accuracy: element('test-accuracy', HTMLElement),
  speed: element('speed', HTMLElement),
  loss: element('loss', HTMLElement),
  seen: element('seen', HTMLElement),
};

const curves = new Curves();
const charts = new Charts();
const table = new ConfusionTable();
const bars = new Bars();
const loading = new Loading();
const pad = new Pad((pixels) => {
  label = null;
  clearButton.disabled = false;
  asked = true;
  classify(pixels);
});
const controls = new Controls(
  {
    onRenew: renew,
    onToggle: () => send({ type: status?.phase === 'training' ? 'pause' : 'train' }),
    onPace: () => send({ type: 'pace', pace: controls.pace }),
    onMove: (device) => send({ type: 'move', device }),
    onSave: () => send({ type: 'save' }),
    onLoad: (file) => void file.arrayBuffer().then((bytes) => send({ type: 'load', bytes: new Uint8Array(bytes) })),
    onFiles: (files) => void takeFiles(files),
  },
  import.meta.env['SERVED_DATASETS'] as readonly DatasetName[],
);
const send = startWorker(hear, (message) => fail(`The training worker failed: ${message || 'it did not start'}. Load the page again.`));

let status: Status | null = null;
let seed = 0;
let moves: Move[] = [];
/** The number of the last question to the network: answers to earlier ones come too late. */
let question = 0;
/** The class of the test image on the pad; null for a drawing. */
let label: number | null = null;
/** Is the next answer to what the visitor did, and so to be read out? */
let asked = false;
/** When a result was read out. */
let toldAt = 0;

testImageButton.addEventListener('click', () => send({ type: 'test-image', index: Math.floor(Math.random() * TEST_IMAGES) }));
clearButton.addEventListener('click', () => {
  question++;
  clearButton.disabled = true;
  testImageButton.focus(); // the focus has no place on a button that is off
  pad.clear();
  bars.clear();
});

const lacks = lacksOf(await lookAround());
showLacks(lacks);
controls.offerDevices(lacks);
renew();

/** A new network, which goes on training if the one before did. */
function renew(): void {
  const wasTraining = status?.phase === 'training';
  seed++;
  controls.wait();
  send({ type: 'setup', setup: controls.setup(seed) });
  if (wasTraining) send({ type: 'train' });
}

function classify(pixels: Float32Array): void {
  question++;
  send({ type: 'classify', id: question, pixels });
}

async function takeFiles(files: readonly File[]): Promise<void> {
  const { dataset } = controls;
  try {
    const sorted = sortFiles(files);
    const entries = Object.entries(sorted).map(async ([name, file]) => [name, new Uint8Array(await file.arrayBuffer())] as const);
    const bytes = Object.fromEntries(await Promise.all(entries)) as Extract<Command, { type: 'files' }>['files'];
    failureText.textContent = '';
    send({ type: 'files', dataset, files: bytes });
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error));
  }
}

/** Takes a report to where it is shown. */
function hear(report: Report): void {
  switch (report.type) {
    case 'status':
      return showStatus(report.status);
    case 'loading':
      return loading.show(report);
    case 'progress':
      return showProgress(report.progress);
    case 'evaluation':
      return showEvaluation(report.evaluation);
    case 'moved':
      moves = [...moves, { images: report.images, to: report.to }];
      return announce(`Goes on on ${report.to}`);
    case 'recovered':
      curves.rewind(report.images);
      moves = moves.filter(({ images }) => images <= report.images);
      return fail(`${report.device} was lost and opened again: training goes on from ${count(report.images)} images.`);
    case 'classified':
      return showAnswer(report.id, report.probabilities);
    case 'test-image':
      label = report.label;
      clearButton.disabled = false;
      pad.show(
        report.pixels,
        `Test image ${count(report.index)}: ${DATASET_CHOICES[status?.setup.dataset ?? 'mnist'].classes[label]?.name ?? label}`,
      );
      asked = true;
      return classify(report.pixels);
    case 'saved':
      return download(report.name, report.bytes);
    case 'data':
      controls.addData(report.dataset);
      return renew();
    case 'failure':
      return showFailure(report.failure);
    default:
      report satisfies never;
  }
}

function showStatus(next: Status): void {
  const before = status;
  status = next;
  const isNew = before?.setup.seed !== next.setup.seed || before.setup.model !== next.setup.model || (next.steps === 0 && before.steps > 0);
  if (isNew) begin(next);
  if (next.phase !== (before?.phase ?? 'paused')) {
    loading.hide();
    if (next.phase === 'training') failureText.textContent = '';
    else figures.speed.textContent = '–';
    announce(next.phase === 'training' ? `Training on ${next.deviceTitle}` : `Paused after ${count(next.images)} images`);
  }
  controls.show(next);
  testImageButton.disabled = !controls.hasData;
  figures.seen.textContent = count(next.images);
  document.body.dataset['phase'] = next.phase;
}

/** A new network: nothing that was shown is of it. */
function begin({ setup, weights }: Status): void {
  const { classes, title } = DATASET_CHOICES[setup.dataset];
  curves.clear();
  moves = [];
  charts.show(curves.rows, moves);
  charts.describe(curves.rows);
  table.begin(classes);
  bars.begin(classes);
  for (const figure of Object.values(figures)) figure.textContent = '–';
  figures.seen.textContent = '0';
  announce(`New network with ${count(weights)} weights for ${title}`);
  if (pad.pixels !== null) classify(pad.pixels);
}

function showProgress(progress: Progress): void {
  if (status === null) return;
  status = { ...status, ...progress, trained: true };
  controls.update(status);
  loading.hide();
  curves.addProgress(progress);
  charts.show(curves.rows, moves);
  figures.speed.textContent = count(progress.imagesPerSecond);
  figures.loss.textContent = progress.loss.toFixed(3);
  figures.seen.textContent = count(progress.images);
}

function showEvaluation(evaluation: Evaluation): void {
  curves.addEvaluation(evaluation);
  charts.show(curves.rows, moves);
  charts.describe(curves.rows);
  table.show(evaluation);
  figures.accuracy.textContent = percent(evaluation.accuracy);
  if (evaluation.complete && performance.now() - toldAt > QUIET_MS) {
    toldAt = performance.now();
    announce(`${percent(evaluation.accuracy)} of all test images right after ${count(evaluation.images)}`);
  }
  if (pad.pixels !== null) classify(pad.pixels);
}

function showAnswer(id: number, probabilities: Float32Array): void {
  if (id !== question) return;
  const sentence = bars.show(probabilities, label, status?.trained === true);
  if (asked) announce(sentence);
  asked = false;
}

function showFailure({ message, during }: Failure): void {
  loading.hide();
  fail(during === 'move' ? `The device stays as it is. ${message}` : message);
}

/** Told at once to those who listen, and shown until the next start. */
function fail(message: string): void {
  failureText.textContent = message;
}

/** Said when there is time: milestones alone, so that training does not chatter. */
function announce(text: string): void {
  announcer.textContent = text;
}

function download(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url));
  announce(`Saved ${name}`);
}
