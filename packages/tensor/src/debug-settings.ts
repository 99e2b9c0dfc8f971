/** The switches of debug mode, read where they matter; `debug.ts` sets them. */

/** What debug mode checks. */
export interface DebugSettings {
  /** Flush after every op and look for NaN. */
  eager: boolean;
  /** Check every kernel and launch against the contract. */
  verify: boolean;
  /** Keep the stack of every op's call. */
  stacks: boolean;
}

/** The settings in force. */
export const debugSettings: DebugSettings = { eager: false, verify: false, stacks: false };
