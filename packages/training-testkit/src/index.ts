/** The last level of conformance: networks that train on a backend as they do on the reference. */

export { trainingConformance } from './conformance.ts';
export type { TrainingCheck } from './conformance.ts';
export { trainingReport } from './report.ts';
