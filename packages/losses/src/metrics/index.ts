/** Metrics: how good, as people count it. */

export { accuracy } from './accuracy.ts';
