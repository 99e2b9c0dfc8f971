/** Image files, by `sharp`; a sub-path of its own, so that the rest runs where neither Node.js nor a native library is. */

export { ImageError } from '../errors.ts';
export { readImage } from './read.ts';
export type { ReadImageOptions } from './read.ts';
export { writeImage } from './write.ts';
export type { WriteImageOptions } from './write.ts';
