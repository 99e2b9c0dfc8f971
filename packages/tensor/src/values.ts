/** How values that came in place of others look in messages. */

/** `'text'`, `3`, `undefined`, `[1, 2]`, `a plain object`, `a Linear`, `the function f`. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => (Array.isArray(each) ? '[…]' : showValue(each))).join(', ')}]`;
  const { constructor } = value;
  if (typeof constructor !== 'function' || constructor === Object) return 'a plain object';
  return `${/^[AEIOU]/.test(constructor.name) ? 'an' : 'a'} ${constructor.name}`;
}
