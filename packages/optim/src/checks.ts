/** Ranges of options, each refused by name. */

import { ArgumentError } from '@gradus/tensor';

/** What numbers there may be: their words, and the test. */
const RANGES = {
  'at least 0': (x: number) => x >= 0,
  'above 0': (x: number) => x > 0,
  'from 0 up to, without, 1': (x: number) => x >= 0 && x < 1,
  'from 0 to 1': (x: number) => x >= 0 && x <= 1,
  'above 1': (x: number) => x > 1,
  'an integer of at least 1': (x: number) => Number.isInteger(x) && x >= 1,
  'an integer of at least 0': (x: number) => Number.isInteger(x) && x >= 0,
} as const;

/** Requires numbers in a range. @throws ArgumentError naming the first that is not */
export function requireRange(op: string, range: keyof typeof RANGES, numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (typeof value === 'number' && Number.isFinite(value) && RANGES[range](value)) continue;
    throw new ArgumentError({ op, expected: `${name} ${range}`, got: String(value) });
  }
}
