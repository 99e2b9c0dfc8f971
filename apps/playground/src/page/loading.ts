/** How much of the images has arrived. */

import type { Report } from '../protocol.ts';
import { element } from './elements.ts';
import { megabytes } from './words.ts';

/** Files of less are there at once. */
const LARGE = 1e6;

/** See above. */
export class Loading {
  readonly #box = element('loading', HTMLDivElement);
  readonly #bar = element('loading-bar', HTMLProgressElement);
  readonly #text = element('loading-text', HTMLLabelElement);

  show({ received, total }: Extract<Report, { type: 'loading' }>): void {
    if ((total ?? received) < LARGE) return;
    this.#box.hidden = received === total;
    if (total === null) this.#bar.removeAttribute('value');
    else this.#bar.value = received / total;
    this.#text.textContent = `Loading images: ${megabytes(received)}${total === null ? '' : ` of ${megabytes(total)}`}`;
  }

  hide(): void {
    this.#box.hidden = true;
  }
}
