/** Readers and writers of tensor files. */

export { FormatError } from './errors.ts';
export { decodeSafetensors } from './safetensors/decode.ts';
export type { DecodeOptions, SafetensorsFile } from './safetensors/decode.ts';
export { encodeSafetensors } from './safetensors/encode.ts';
export { loadSafetensors, saveSafetensors } from './safetensors/files.ts';
