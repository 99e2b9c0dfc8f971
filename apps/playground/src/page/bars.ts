/** The answer to a drawing: a bar for each class, and a sentence. */

import type { ClassName } from '../choices.ts';
import { element } from './elements.ts';
import { percent } from './words.ts';

/** See above. */
export class Bars {
  readonly #list = element('bars', HTMLOListElement);
  readonly #sentence = element('recognised', HTMLParagraphElement);
  #classes: readonly ClassName[] = [];

  /** Empty bars for these classes. */
  begin(classes: readonly ClassName[]): void {
    this.#classes = classes;
    this.#list.replaceChildren(
      ...classes.map(({ name }) => {
        const [item, label, bar, value] = [document.createElement('li'), part('label'), part('bar'), part('value')];
        label.textContent = name;
        bar.append(document.createElement('i'));
        item.append(label, bar, value);
        return item;
      }),
    );
    this.clear();
  }

  /** Nothing was asked. */
  clear(): void {
    this.#sentence.textContent = 'Nothing to recognise yet.';
    for (const item of this.#list.children) fill(item, null, false);
  }

  /** Shows probabilities. @param label what it is, for an image of the test set; @param trained has the network learned anything? @returns the sentence */
  show(probabilities: Float32Array, label: number | null, trained: boolean): string {
    const best = probabilities.indexOf(Math.max(...probabilities));
    for (const [i, item] of [...this.#list.children].entries()) fill(item, probabilities[i] ?? 0, i === best);
    const answer = `${this.#classes[best]?.name ?? best}, ${percent(probabilities[best] ?? 0)} sure`;
    const truth = label === null ? '' : label === best ? ' – right' : ` – in truth ${this.#classes[label]?.name ?? label}`;
    this.#sentence.textContent = trained ? `${answer}${truth}` : `${answer} – a guess: it has not learned anything yet`;
    return this.#sentence.textContent;
  }
}

function part(className: string): HTMLSpanElement {
  const made = document.createElement('span');
  made.className = className;
  return made;
}

function fill(item: Element, probability: number | null, best: boolean): void {
  const [bar, value] = [item.querySelector<HTMLElement>('i'), item.querySelector('.value')];
  item.classList.toggle('best', best);
  bar?.style.setProperty('inline-size', `${100 * (probability ?? 0)}%`);
  if (value !== null) value.textContent = probability === null ? '' : percent(probability);
}
