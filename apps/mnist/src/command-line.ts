/** Command lines: a table of options says what may be given, and everything else is refused with a message that says what is allowed. */

import { parseArgs } from 'node:util';

/** An option as the help text shows it. */
interface OptionText {
  /** What stands behind the name; none for a switch. */
  readonly value?: string;
  readonly default?: string;
  readonly text: string;
}

/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionText>>;

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The options that were given, each with the last value given; switches have `''`. @throws UsageError that says what was given and what is allowed */
export function parseArguments<T extends OptionTable>(table: T, args: readonly string[]): Map<keyof T & string, string> {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value }]) => [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }]),
  );
  const allowed = `allowed: ${Object.keys(table)
    .map((name) => `--${name}`)
    .join(' ')}`;
  const given = new Map<keyof T & string, string>();
  for (const token of parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw new UsageError(`nothing is known about ${JSON.stringify(token.value)}; ${allowed}`);
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (option === undefined) throw new UsageError(`there is no option ${token.rawName}; ${allowed}`);
    const wantsValue = option.value !== undefined;
    const missing = token.value === undefined || token.value === '' || (!token.inlineValue && token.value.startsWith('-'));
    if (wantsValue && missing) throw new UsageError(`${token.rawName} needs a value: ${option.text}`);
    if (!wantsValue && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, got ${JSON.stringify(token.value)}`);
    given.set(token.name, token.value ?? '');
  }
  return given;
}

/** A line of the help text for each option. */
export function helpLines(table: OptionTable): string[] {
  return Object.entries(table).map(([name, option]) => {
    const left = `  --${name}${option.value === undefined ? '' : ` ${option.value}`}`;
    return `${left.padEnd(34)}${option.text}${option.default === undefined ? '' : ` (default ${option.default})`}`;
  });
}

/** A whole number from `least` to `most`. @throws UsageError */
export function wholeNumber(name: string, text: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`--${name} must be a whole number ${range}, got ${JSON.stringify(text)}`);
  return value;
}

/** A number above 0. @throws UsageError */
export function positiveNumber(name: string, text: string): number {
  const value = Number(text);
  if (!(Number.isFinite(value) && value > 0)) throw new UsageError(`--${name} must be a number above 0, got ${JSON.stringify(text)}`);
  return value;
}

/** One of the choices. @throws UsageError */
export function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const found = choices.find((each) => each === text);
  if (found === undefined) throw new UsageError(`--${name} must be ${choices.join(' or ')}, got ${JSON.stringify(text)}`);
  return found;
}
