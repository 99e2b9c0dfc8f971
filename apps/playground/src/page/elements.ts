/** Elements of the page by id, each of the kind that it has to be. */

/** The element with this id. @throws TypeError where the page has none of this kind: the page and its program do not belong together */
export function element<E extends HTMLElement>(id: string, kind: abstract new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new TypeError(`internal: the page has no ${kind.name} #${id}`);
}

/** The context of a canvas that is drawn on. */
export function drawingContext(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new TypeError('internal: a canvas without a 2d context');
  return context;
}

/** Puts options into a menu. */
export function fillMenu(menu: HTMLSelectElement, options: Iterable<readonly [value: string, text: string]>): void {
  menu.replaceChildren(...[...options].map(([value, text]) => new Option(text, value)));
}
