/** Numbers as the page shows them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `12,345` */
export const count = (n: number): string => whole.format(n);

/** `97.9 %` */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `9.9 MB` */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
