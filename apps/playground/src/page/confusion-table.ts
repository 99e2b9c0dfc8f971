/** The confusion matrix as a table: a row for each class, a column for each answer. */

import { CLASSES } from '../choices.ts';
import type { ClassName } from '../choices.ts';
import { describeMistakes } from '../mistakes.ts';
import type { Evaluation } from '../protocol.ts';
import { element } from './elements.ts';
import { count, percent } from './words.ts';

/** Cells darker than this have light letters. */
const STRONG = 0.5;

/** See above. */
export class ConfusionTable {
  readonly #table = element('confusion-table', HTMLTableElement);
  readonly #text = element('confusion-text', HTMLParagraphElement);
  #classes: readonly ClassName[] = [];

  /** An empty table for these classes. */
  begin(classes: readonly ClassName[]): void {
    this.#classes = classes;
    this.#text.textContent = 'After the first steps: which images are taken for which.';
    this.#table.replaceChildren();
    const head = this.#table.createTHead().insertRow();
    head.append(document.createElement('td'), ...classes.map((each) => heading(each, 'col')));
    const body = this.#table.createTBody();
    for (const each of classes) {
      const row = body.insertRow();
      row.append(heading(each, 'row'));
      for (let i = 0; i < CLASSES; i++) row.insertCell();
    }
  }

  /** Fills it in. */
  show({ confusion, tested, accuracy, complete, images }: Evaluation): void {
    const sample = complete ? `all ${count(tested)} test images` : `a sample of ${count(tested)} test images`;
    this.#text.textContent = `${percent(accuracy)} of ${sample} right after ${count(images)} images. ${describeMistakes(confusion, this.#classes)}`;
    for (const [label, row] of [...(this.#table.tBodies[0]?.rows ?? [])].entries()) {
      const counts = confusion.subarray(label * CLASSES, (label + 1) * CLASSES);
      const all = counts.reduce((a, b) => a + b, 0);
      for (const [prediction, cell] of [...row.cells].slice(1).entries()) {
        const here = counts[prediction] ?? 0;
        // The root lets rare mistakes be seen beside what is right.
        const share = all === 0 ? 0 : here / all;
        const shade = label === prediction ? share * 0.9 : Math.sqrt(share);
        cell.textContent = here === 0 ? '' : String(here);
        cell.className = label === prediction ? 'right' : 'wrong';
        cell.classList.toggle('strong', shade > STRONG);
        cell.style.setProperty('--shade', `${Math.round(100 * shade)}%`);
      }
    }
  }
}

function heading({ name, short }: ClassName, scope: 'row' | 'col'): HTMLTableCellElement {
  const cell = document.createElement('th');
  cell.scope = scope;
  if (name === short) cell.textContent = name;
  else {
    const abbreviation = document.createElement('abbr');
    abbreviation.title = name;
    abbreviation.textContent = short;
    cell.append(abbreviation);
  }
  return cell;
}
