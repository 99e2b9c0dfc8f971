/** What a confusion matrix says in one sentence. */

import { CLASSES } from './choices.ts';
import type { ClassName } from './choices.ts';

/** The most frequent mistake; the first of equals. Null without any. @param confusion counts, `[label · 10 + prediction]` */
export function worstMistake(confusion: Int32Array): { readonly label: number; readonly prediction: number; readonly count: number } | null {
  let worst: { readonly label: number; readonly prediction: number; readonly count: number } | null = null;
  for (const [cell, count] of confusion.entries()) {
    const [label, prediction] = [Math.floor(cell / CLASSES), cell % CLASSES];
    if (label !== prediction && count > (worst?.count ?? 0)) worst = { label, prediction, count };
  }
  return worst;
}

/** `Most often 4 is taken for 9: 12 of 98.` */
export function describeMistakes(confusion: Int32Array, classes: readonly ClassName[]): string {
  const worst = worstMistake(confusion);
  if (worst === null) return 'No mistakes.';
  const { label, prediction, count } = worst;
  const all = confusion.subarray(label * CLASSES, (label + 1) * CLASSES).reduce((a, b) => a + b, 0);
  return `Most often ${classes[label]?.name ?? label} is taken for ${classes[prediction]?.name ?? prediction}: ${count} of ${all}.`;
}
