/** The form: what to train, on what, how; and the buttons. It shows what the worker says is so, and says what the visitor wants. */

import { BATCH_CHOICES, DATASET_CHOICES, DEVICE_CHOICES, MODEL_CHOICES, RATE_CHOICES } from '../choices.ts';
import type { DatasetName, DeviceName, ModelName } from '../choices.ts';
import type { Lack } from '../features.ts';
import type { Pace, Setup, Status } from '../protocol.ts';
import { element, fillMenu } from './elements.ts';

/** What a visitor may want. */
export interface Wishes {
  /** A new network of what is chosen. */
  readonly onRenew: () => void;
  readonly onToggle: () => void;
  readonly onPace: () => void;
  readonly onMove: (device: DeviceName) => void;
  readonly onSave: () => void;
  readonly onLoad: (file: File) => void;
  readonly onFiles: (files: readonly File[]) => void;
}

const DEFAULT_RATE = 0.001;
const DEFAULT_BATCH = 64;

/** See above. */
export class Controls {
  readonly #model = element('model', HTMLSelectElement);
  readonly #dataset = element('dataset', HTMLSelectElement);
  readonly #rate = element('rate', HTMLSelectElement);
  readonly #batch = element('batch', HTMLSelectElement);
  readonly #device = element('device', HTMLDivElement);
  readonly #deviceText = element('device-text', HTMLParagraphElement);
  readonly #toggle = element('toggle', HTMLButtonElement);
  readonly #renew = element('renew', HTMLButtonElement);
  readonly #save = element('save', HTMLButtonElement);
  readonly #choiceText = element('choice-text', HTMLParagraphElement);
  readonly #files = element('files', HTMLInputElement);
  readonly #wishes: Wishes;
  /** The data sets that are there. */
  readonly #available: Set<DatasetName>;
  #status: Status | null = null;

  constructor(wishes: Wishes, served: readonly DatasetName[]) {
    this.#wishes = wishes;
    this.#available = new Set(served);
    fillMenu(this.#model, Object.entries(MODEL_CHOICES).map(([name, { title }]) => [name, title])); // prettier-ignore
    fillMenu(this.#dataset, Object.entries(DATASET_CHOICES).map(([name, { title }]) => [name, title])); // prettier-ignore
    fillMenu(this.#rate, RATE_CHOICES.map((rate) => [String(rate), String(rate)])); // prettier-ignore
    fillMenu(this.#batch, BATCH_CHOICES.map((size) => [String(size), String(size)])); // prettier-ignore
    this.#model.value = 'mlp';
    this.#rate.value = String(DEFAULT_RATE);
    this.#batch.value = String(DEFAULT_BATCH);
    this.#listen();
    this.#showChoice();
  }

  #listen(): void {
    const { onRenew, onToggle, onPace, onSave, onLoad, onFiles } = this.#wishes;
    for (const menu of [this.#model, this.#dataset]) {
      menu.addEventListener('change', () => {
        this.#showChoice();
        // What has learned something is not thrown away by a turn of a menu.
        if (this.#status?.trained === false && this.hasData) onRenew();
      });
    }
    for (const menu of [this.#rate, this.#batch]) menu.addEventListener('change', onPace);
    element('train', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      onToggle();
    });
    this.#renew.addEventListener('click', onRenew);
    this.#save.addEventListener('click', onSave);
    const load = element('load', HTMLInputElement);
    load.addEventListener('change', () => {
      const [file] = load.files ?? [];
      if (file !== undefined) onLoad(file);
      load.value = ''; // so that the same file can be chosen again
    });
    this.#files.addEventListener('change', () => onFiles([...(this.#files.files ?? [])]));
  }

  /** The devices, the ones that are missing among them; the fastest that is there is chosen. */
  offerDevices(lacks: readonly Lack[]): void {
    const missing = new Map(lacks.flatMap(({ device, missing: text }) => (device === null ? [] : [[device, text] as const])));
    const names = Object.keys(DEVICE_CHOICES) as DeviceName[];
    const chosen: DeviceName = missing.has('wasm') ? 'cpu' : 'wasm';
    this.#device.replaceChildren(
      ...names.map((name) => {
        const [label, radio] = [document.createElement('label'), document.createElement('input')];
        Object.assign(radio, { type: 'radio', name: 'device', value: name, checked: name === chosen, disabled: missing.has(name) });
        label.append(radio, DEVICE_CHOICES[name].title);
        label.title = missing.get(name) ?? DEVICE_CHOICES[name].text;
        radio.addEventListener('change', () => this.#wishes.onMove(name));
        return label;
      }),
    );
    this.#deviceText.textContent = DEVICE_CHOICES[chosen].text;
  }

  /** What is chosen. @param seed of the new network */
  setup(seed: number): Setup {
    const device = this.#device.querySelector<HTMLInputElement>('input:checked')?.value as DeviceName | undefined;
    return { ...this.pace, model: this.#model.value as ModelName, dataset: this.dataset, device: device ?? 'cpu', seed };
  }

  get pace(): Pace {
    return { lr: Number(this.#rate.value), batchSize: Number(this.#batch.value) };
  }

  get dataset(): DatasetName {
    return this.#dataset.value as DatasetName;
  }

  /** Are the images there that are chosen? */
  get hasData(): boolean {
    return this.#available.has(this.dataset);
  }

  /** The files of a data set have come. */
  addData(dataset: DatasetName): void {
    this.#available.add(dataset);
    this.#showChoice();
  }

  /** A request is on its way: buttons wait for the answer. */
  wait(): void {
    for (const button of [this.#toggle, this.#renew, this.#save]) button.disabled = true;
  }

  /** Shows where the run stands. */
  show(status: Status): void {
    // The menus follow a new network, and are left alone while one trains.
    if (this.#status === null || this.#status.setup.seed !== status.setup.seed || this.#status.setup.model !== status.setup.model) {
      this.#model.value = status.setup.model;
      this.#dataset.value = status.setup.dataset;
    }
    this.#status = status;
    const { device } = status.setup;
    for (const radio of this.#device.querySelectorAll('input')) radio.checked = radio.value === device;
    this.#deviceText.textContent = `${DEVICE_CHOICES[device].text}${status.deviceTitle === device ? '' : ` · ${status.deviceTitle}`}`;
    this.#toggle.textContent = status.phase === 'training' ? 'Pause' : status.steps > 0 ? 'Go on' : 'Train';
    this.#save.disabled = false;
    this.#showChoice();
  }

  /** Steps were taken: nothing to show, and a change of network would throw something away now. */
  update(status: Status): void {
    this.#status = status;
  }

  #showChoice(): void {
    const [model, dataset] = [MODEL_CHOICES[this.#model.value as ModelName], DATASET_CHOICES[this.dataset]];
    element('model-text', HTMLParagraphElement).textContent = model.text;
    element('dataset-text', HTMLParagraphElement).textContent = `${dataset.text} · 60,000 to train on, 10,000 to test`;
    element('files-field', HTMLDivElement).hidden = this.hasData;
    const setup = this.#status?.setup;
    const changed = setup !== undefined && (setup.model !== this.#model.value || setup.dataset !== this.dataset);
    this.#choiceText.hidden = !changed || !this.hasData;
    this.#choiceText.textContent = `“New network” starts over with ${model.title} on ${dataset.title}.`;
    this.#renew.disabled = setup === undefined || !this.hasData;
    this.#toggle.disabled = setup === undefined;
  }
}
