/** What a program on the command line touches of the outside, and how it ends. */

import { GradusError } from '@gradus/tensor';
import { UsageError } from './command-line.ts';
import type { ProgressStream } from './progress.ts';

/** What the program touches of the outside. */
export interface Surroundings {
  /** Results. */
  readonly out: NodeJS.WritableStream;
  /** Progress and complaints. */
  readonly err: ProgressStream;
  /** Asks to stop. */
  readonly signal: AbortSignal;
  /** A clock, in milliseconds. */
  readonly now: () => number;
}

/** The exit code that `program` gives; 2 for a wrong command line, 1 for anything else that it throws, each with a message on `err`. */
export async function exitCodeOf(program: () => Promise<number>, err: NodeJS.WritableStream): Promise<number> {
  try {
    return await program();
  } catch (error) {
    if (error instanceof UsageError) {
      err.write(`${error.message}\n--help lists every option.\n`);
      return 2;
    }
    err.write(`${isExpected(error) ? `error: ${error.message}` : describeBug(error)}\n`);
    return 1;
  }
}

/** Errors that say by themselves what is wrong: the toolkit's and the system's. */
function isExpected(error: unknown): error is Error {
  return error instanceof GradusError || (error instanceof Error && 'syscall' in error);
}

function describeBug(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
