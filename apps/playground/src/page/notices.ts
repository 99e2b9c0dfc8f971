/** What the browser lacks, said plainly at the top of the page. */

import type { Lack } from '../features.ts';
import { element } from './elements.ts';

/** Shows what is missing; nothing where nothing is. */
export function showLacks(lacks: readonly Lack[]): void {
  const section = element('notices', HTMLElement);
  section.hidden = lacks.length === 0;
  section.replaceChildren(
    ...lacks.map(({ missing, advice }) => {
      const [notice, what] = [document.createElement('p'), document.createElement('strong')];
      notice.className = 'notice';
      what.textContent = missing;
      notice.append(what, ` ${advice}`);
      return notice;
    }),
  );
}
