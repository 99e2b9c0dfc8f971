/** Paths from a module to what it holds, and PyTorch's keys for them. */

/** Arrays and plain objects are looked into; instances of classes are not. */
export function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The values that are properties of `holder`, or in arrays and plain objects that are, with dotted paths: `blocks.0.1`, `heads.a`. */
export function* valuesWithin(holder: object, prefix = '', around: readonly object[] = []): Generator<[string, unknown]> {
  for (const [name, value] of Object.entries(holder) as [string, unknown][]) {
    const path = joinPath(prefix, name);
    if (!isContainer(value)) yield [path, value];
    // What contains itself has been looked into.
    else if (!around.includes(value)) yield* valuesWithin(value, path, [...around, value]);
  }
}

/** `prefix.name`. */
export function joinPath(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}.${name}`;
}

/** Between a small letter or digit and a capital, and before the last capital of several if a word begins with it. */
const WORD_BOUNDARY = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/;
/** A capital that is a name, not the beginning of a word: `A` in `loraA`. */
const LONE_CAPITAL = /^[A-Z](?![A-Za-z])/;

/**
 * PyTorch's key for a path: camelCase as snake_case, `selfAttn.inProjWeight` as `self_attn.in_proj_weight`. Capitals that camelCase does
 * not explain stay: `loraA` is `lora_A`, `W` is `W`; and so does what is snake_case already.
 */
export function stateKey(path: string): string {
  return path.split('.').map(snakeCase).join('.');
}

function snakeCase(name: string): string {
  return name
    .split(WORD_BOUNDARY)
    .map((word, i) => (i === 0 || LONE_CAPITAL.test(word) ? word : word.toLowerCase()))
    .join('_');
}
