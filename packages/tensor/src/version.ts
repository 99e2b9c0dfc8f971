/** The version of this package, stamped on every tensor; `npm run version-packages` writes it. */
export const CORE_VERSION = '0.0.0';
