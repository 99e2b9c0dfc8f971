/**
 * What the page and its worker say to each other. Commands go to the worker, which takes them one at a time and in order, between two steps of
 * training; reports come back. Everything is plain data, as `postMessage` takes it.
 */

import type { DataFileName, DatasetName, DeviceName, ModelName } from './choices.ts';

/** How training goes on; may change at any time. */
export interface Pace {
  /** Of Adam. */
  readonly lr: number;
  /** Images in a step. */
  readonly batchSize: number;
}

/** What a new network begins with. */
export interface Setup extends Pace {
  readonly model: ModelName;
  readonly dataset: DatasetName;
  readonly device: DeviceName;
  /** Of the initial weights and of the order of images. */
  readonly seed: number;
}

/** Asked of the worker. */
export type Command =
  /** A new network, which waits. */
  | { readonly type: 'setup'; readonly setup: Setup }
  | { readonly type: 'train' }
  | { readonly type: 'pause' }
  | { readonly type: 'pace'; readonly pace: Pace }
  /** Takes weights and optimizer to another device; training goes on where it was. */
  | { readonly type: 'move'; readonly device: DeviceName }
  /** Classifies an image of 28 × 28 numbers from 0 to 1. */
  | { readonly type: 'classify'; readonly id: number; readonly pixels: Float32Array }
  /** An image of the test set, by number. */
  | { readonly type: 'test-image'; readonly index: number }
  /** The weights as a safetensors file. */
  | { readonly type: 'save' }
  /** Weights from a safetensors file, into a new network of the kind the file names. */
  | { readonly type: 'load'; readonly bytes: Uint8Array }
  /** A data set from the visitor's own files, gzipped or not. */
  | { readonly type: 'files'; readonly dataset: DatasetName; readonly files: Readonly<Record<DataFileName, Uint8Array>> };

/** What the worker is at. */
export type Phase = 'paused' | 'training';

/** Where a run stands. */
export interface Status {
  readonly phase: Phase;
  readonly setup: Setup;
  /** The device's own name, such as `wasm (2 threads)`. */
  readonly deviceTitle: string;
  readonly weights: number;
  /** Has it learned anything, here or before its weights were loaded? */
  readonly trained: boolean;
  /** Steps taken. */
  readonly steps: number;
  /** Images seen. */
  readonly images: number;
  /** Epochs that ran to their end. */
  readonly epochs: number;
}

/** A file that could not be read, a device that there is not: what a visitor is told. */
export interface Failure {
  readonly during: Command['type'];
  /** The code of a typed error; `UNKNOWN` for others. */
  readonly code: string;
  readonly message: string;
}

/** Means over the steps since the report before. */
export interface Progress {
  readonly steps: number;
  readonly images: number;
  readonly epochs: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
}

/** How good the network is on images it was not trained on. */
export interface Evaluation {
  readonly steps: number;
  readonly images: number;
  /** How many images were looked at. */
  readonly tested: number;
  readonly accuracy: number;
  /** Counts, `[label · 10 + prediction]`. */
  readonly confusion: Int32Array;
  /** After a whole epoch, on all test images; else on a sample of them. */
  readonly complete: boolean;
}

/** Told by the worker. */
export type Report =
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'loading'; readonly what: string; readonly received: number; readonly total: number | null }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'evaluation'; readonly evaluation: Evaluation }
  | { readonly type: 'moved'; readonly from: DeviceName; readonly to: DeviceName; readonly images: number }
  /** The device was lost, and made anew; training goes on from so many images. */
  | { readonly type: 'recovered'; readonly device: DeviceName; readonly images: number }
  | { readonly type: 'classified'; readonly id: number; readonly probabilities: Float32Array }
  | { readonly type: 'test-image'; readonly index: number; readonly label: number; readonly pixels: Float32Array }
  | { readonly type: 'saved'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The visitor's files were taken. */
  | { readonly type: 'data'; readonly dataset: DatasetName }
  | { readonly type: 'failure'; readonly failure: Failure };
