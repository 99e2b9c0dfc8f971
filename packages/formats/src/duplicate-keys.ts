/**
 * What `JSON.parse` does not say: whether an object names a key twice. It takes the last one; another reader may take the first,
 * and then two readers see two different files.
 */

/** The characters that JSON skips between tokens. */
const isSpace = (c: string | undefined): boolean => c === ' ' || c === '\n' || c === '\r' || c === '\t';

/** A key that some object in `json` has twice, however its characters are escaped; null if there is none. `json` must be valid. */
export function findDuplicateKey(json: string): string | null {
  // The keys of each object that is open here, outermost first; null for an open array.
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < json.length; i++) {
    const c = json[i];
    if (c === '{') open.push(new Set());
    else if (c === '[') open.push(null);
    else if (c === '}' || c === ']') open.pop();
    else if (c === '"') {
      const start = i;
      i = endOfString(json, start);
      if (!isKey(json, i)) continue;
      const key = JSON.parse(json.slice(start, i + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return null;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(json: string, start: number): number {
  let i = start + 1;
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
  return i;
}

/** In valid JSON a string is a key exactly if a colon follows. */
function isKey(json: string, end: number): boolean {
  let i = end + 1;
  while (isSpace(json[i])) i++;
  return json[i] === ':';
}
