/** Numbers as people read them. */

/** `10,000` */
export const count = (n: number): string => Math.round(n).toLocaleString('en');

/** `97.93 %` */
export const percent = (share: number, digits = 2): string => `${(100 * share).toFixed(digits)} %`;

/** `+0.02` or `-0.10`: a difference of two shares in percentage points. */
export function points(difference: number): string {
  const text = (100 * difference).toFixed(2);
  return Number(text) === 0 ? '0.00' : difference > 0 ? `+${text}` : text;
}
