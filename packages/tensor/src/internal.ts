/** Our own bugs: messages that begin `internal:`. */

/** Throws an error that says this is a bug in gradus. */
export function internalError(what: string): never {
  throw new Error(`internal: ${what}. This is a bug in gradus.`);
}

/** `throw` where an expression is wanted. */
export function raise(error: Error): never {
  throw error;
}
