/**
 * Isolation from other origins: what a browser asks of a page before its threads may share memory.
 * https://developer.mozilla.org/docs/Web/API/Window/crossOriginIsolated
 */

/** The headers that every file of the page is served with. */
export const ISOLATION_HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const;

/** The same as a `_headers` file, which Netlify, Cloudflare Pages and others read from the root of what they serve. */
export function headersFile(): string {
  return `/*\n${Object.entries(ISOLATION_HEADERS)
    .map(([name, value]) => `  ${name}: ${value}\n`)
    .join('')}`;
}
