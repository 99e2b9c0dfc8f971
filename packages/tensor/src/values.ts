/** How values that came in place of others look in messages. */

/** More elements than this are not listed. */
const MAX_SHOWN = 8;

/** `'text'`, `3`, `undefined`, `[1, 2]`, `a plain object`, `a Linear`, `the function f`. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return showArray(value);
  const { constructor } = value;
  if (typeof constructor !== 'function' || constructor === Object) return 'a plain object';
  return `${/^[AEIOU]/.test(constructor.name) ? 'an' : 'a'} ${constructor.name}`;
}

function showArray(values: readonly unknown[]): string {
  const shown = values.slice(0, MAX_SHOWN).map((each) => (Array.isArray(each) ? '[…]' : showValue(each)));
  return `[${shown.join(', ')}${values.length > MAX_SHOWN ? ', …' : ''}]`;
}
