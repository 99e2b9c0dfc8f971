/** What other apps use of the trainer: the training loop, progress, Ctrl-C and command lines. */

export { UsageError, helpLines, oneOf, parseArguments, wholeNumber } from './command-line.ts';
export type { OptionTable } from './command-line.ts';
export { DEFAULT_DEVICE_TEXT, DEVICE_NAMES, openDevice } from './device.ts';
export type { DeviceName } from './device.ts';
export { INTERRUPTED, Interrupt } from './interrupt.ts';
export { exitCodeOf } from './program.ts';
export type { Surroundings } from './program.ts';
export { createProgress } from './progress.ts';
export { trainModel } from './train.ts';
export type { Epoch } from './train.ts';
