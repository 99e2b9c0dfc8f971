/** The images: fetched from where the page came from, or from the visitor's own files. Kept as bytes, a data set at a time. */

import { DataNotFoundError, labelledImages, readIdx } from '@gradus/data';
import type { IdxArray, LabelledImages } from '@gradus/data';
import { DATA_FILES } from '../choices.ts';
import type { DataFileName, DatasetName } from '../choices.ts';

/** Which images: to train on, to test with all of them, or with a sample. */
export type Part = 'train' | 'test' | 'sample';

/** The sample is every so many-th test image: the first half of MNIST's are easier than the second. */
const SAMPLE_EVERY = 10;

/** Gets the bytes of a file. */
export type Fetcher = (dataset: DatasetName, file: DataFileName) => Promise<Uint8Array>;

/** Reads data sets when they are first asked for. */
export class Images {
  readonly #fetch: Fetcher;
  /** What is read, or being read, by its name. */
  readonly #arrays = new Map<string, Promise<IdxArray>>();

  constructor(fetch: Fetcher) {
    this.#fetch = fetch;
  }

  /** Labelled images as rows, `[N, 784]`, or as images, `[N, 1, 28, 28]`. @throws DataNotFoundError, DataFormatError */
  async get(dataset: DatasetName, part: Part, flatten: boolean): Promise<LabelledImages> {
    const names = part === 'train' ? DATA_FILES.slice(0, 2) : DATA_FILES.slice(2);
    const [images, labels] = await Promise.all(names.map((name) => this.#array(dataset, name)));
    if (images === undefined || labels === undefined) throw new TypeError('internal: a part is two files');
    const all = labelledImages(images, labels, { flatten });
    return part === 'sample' ? every(all, SAMPLE_EVERY) : all;
  }

  /** Takes a data set from files. @throws DataFormatError for what is none; nothing has changed then */
  async put(dataset: DatasetName, files: Readonly<Record<DataFileName, Uint8Array>>): Promise<void> {
    const arrays = await Promise.all(DATA_FILES.map(async (name) => [`${dataset}/${name}`, await readIdx(files[name])] as const));
    const [trainImages, trainLabels, testImages, testLabels] = arrays.map(([, array]) => array);
    if (trainImages === undefined || trainLabels === undefined || testImages === undefined || testLabels === undefined)
      throw new TypeError('internal: a data set is four files');
    labelledImages(trainImages, trainLabels);
    labelledImages(testImages, testLabels);
    for (const [key, array] of arrays) this.#arrays.set(key, Promise.resolve(array));
  }

  /** A file that could not be had is asked for again the next time. */
  #array(dataset: DatasetName, file: DataFileName): Promise<IdxArray> {
    const key = `${dataset}/${file}`;
    const known = this.#arrays.get(key);
    if (known !== undefined) return known;
    const reading = this.#fetch(dataset, file).then(readIdx);
    this.#arrays.set(key, reading);
    reading.catch(() => this.#arrays.delete(key));
    return reading;
  }
}

/** Every n-th image. */
function every(images: LabelledImages, n: number): LabelledImages {
  return {
    length: Math.floor(images.length / n),
    batch: (indices, reuse) =>
      images.batch(
        indices.map((i) => i * n),
        reuse,
      ),
  };
}

/** Gets files that are served beside the page. @param onBytes is told how many bytes of how many are there; null where the server does not say */
export function fetcher(base: URL, onBytes: (file: DataFileName, received: number, total: number | null) => void): Fetcher {
  return async (dataset, file) => {
    const url = new URL(`data/${dataset}/${file}.gz`, base);
    const response = await fetch(url);
    // A server for single-page applications answers with the page for files it lacks.
    const isPage = response.headers.get('Content-Type')?.startsWith('text/html') === true;
    if (!response.ok || isPage || response.body === null)
      throw new DataNotFoundError({
        op: 'images',
        expected: `${url.pathname} where the page came from`,
        got: isPage ? 'a page' : `status ${response.status}`,
        fix: 'choose the four files of the data set from your disk.',
      });
    const length = Number(response.headers.get('Content-Length'));
    // A server that inflates the file on the way gives the length of what it sends, not of what arrives.
    const total = length > 0 && response.headers.get('Content-Encoding') === null ? length : null;
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let received = 0;
    for (const reader = response.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      received += value.length;
      onBytes(file, received, total);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  };
}
