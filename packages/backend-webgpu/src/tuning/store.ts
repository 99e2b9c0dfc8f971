/**
 * Where measured tiles are kept: a JSON file in Node.js, IndexedDB in browsers. An entry belongs to one adapter and one table of tiles; what cannot
 * be read, or was not written by this version, counts as nothing measured.
 */

import { TILES } from '../product/tiles.ts';
import type { TileChoice, TileName, TunedTiles } from '../product/tiles.ts';

/** Changes whenever `TILES`, or what a class of shapes is, does. */
const TABLE_VERSION = 1;

/** Texts by name. */
export interface TextStore {
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
}

interface FilePromises {
  readFile(path: string, encoding: 'utf8'): Promise<string>;
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
}

interface NodeModules {
  (name: 'node:fs/promises'): FilePromises;
  (name: 'node:path'): { join(...parts: string[]): string; dirname(path: string): string };
  (name: 'node:os'): { homedir(): string };
}

/** The part of IndexedDB that is used here. */
interface DatabaseRequest<T> {
  readonly result: T;
  readonly error: unknown;
  addEventListener(type: 'success' | 'error' | 'upgradeneeded', listener: () => void): void;
}

interface Database {
  createObjectStore(name: string): unknown;
  transaction(
    name: string,
    mode: 'readonly' | 'readwrite',
  ): { objectStore(name: string): { get(key: string): DatabaseRequest<unknown>; put(value: unknown, key: string): DatabaseRequest<unknown> } };
  close(): void;
}

const environment = globalThis as unknown as {
  readonly process?: {
    readonly platform?: string;
    readonly pid?: number;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly getBuiltinModule?: NodeModules;
  };
  readonly indexedDB?: { open(name: string, version: number): DatabaseRequest<Database> };
};

/** The folder for what programs of this user may compute again. */
function cacheFolder(modules: NodeModules): string {
  const { env = {}, platform } = environment.process ?? {};
  const home = modules('node:os').homedir();
  const paths = modules('node:path');
  if (platform === 'darwin') return paths.join(home, 'Library', 'Caches');
  if (platform === 'win32') return env['LOCALAPPDATA'] ?? paths.join(home, 'AppData', 'Local');
  return env['XDG_CACHE_HOME'] ?? paths.join(home, '.cache');
}

/** A file that holds an object of texts. */
function fileStore(modules: NodeModules, given: string | undefined): TextStore {
  const files = modules('node:fs/promises');
  const paths = modules('node:path');
  const path = given ?? paths.join(cacheFolder(modules), 'gradus', 'webgpu-tiles.json');
  const all = async (): Promise<Record<string, unknown>> => {
    try {
      const parsed: unknown = JSON.parse(await files.readFile(path, 'utf8'));
      return isRecord(parsed) ? parsed : {};
    } catch {
      return {};
    }
  };
  return {
    async read(name) {
      const entry = (await all())[name];
      return entry === undefined ? null : JSON.stringify(entry);
    },
    async write(name, text) {
      const entries = { ...(await all()), [name]: JSON.parse(text) as unknown };
      await files.mkdir(paths.dirname(path), { recursive: true });
      // Written beside and renamed, so that no reader sees half of it.
      const beside = `${path}.${environment.process?.pid ?? 0}`;
      await files.writeFile(beside, `${JSON.stringify(entries, null, 2)}\n`);
      await files.rename(beside, path);
    },
  };
}

const DATABASE = 'gradus-webgpu';
const TABLE = 'tiles';

function settled<T>(request: DatabaseRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error instanceof Error ? request.error : new Error(String(request.error))));
  });
}

/** A table of a browser's database. */
function databaseStore(factory: NonNullable<typeof environment.indexedDB>): TextStore {
  const inTable = async <T>(use: (database: Database) => Promise<T>): Promise<T> => {
    const opening = factory.open(DATABASE, 1);
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(TABLE));
    const database = await settled(opening);
    try {
      return await use(database);
    } finally {
      database.close();
    }
  };
  return {
    read: (name) =>
      inTable(async (database) => {
        const found = await settled(database.transaction(TABLE, 'readonly').objectStore(TABLE).get(name));
        return typeof found === 'string' ? found : null;
      }),
    async write(name, text) {
      await inTable((database) => settled(database.transaction(TABLE, 'readwrite').objectStore(TABLE).put(text, name)));
    },
  };
}

/** The store of this environment, null where there is none. @param path the file in Node.js; by default one in the user's cache folder */
export function openStore(path: string | undefined): TextStore | null {
  const modules = environment.process?.getBuiltinModule;
  if (modules !== undefined) return fileStore(modules, path);
  return environment.indexedDB === undefined ? null : databaseStore(environment.indexedDB);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTileName(name: unknown): name is TileName {
  return typeof name === 'string' && Object.hasOwn(TILES, name);
}

function choiceOf(entry: unknown): TileChoice | null {
  if (!isRecord(entry)) return null;
  const { tile, split } = entry;
  return isTileName(tile) && typeof split === 'boolean' ? { tile, split } : null;
}

/** The name of an adapter's entry. */
export function entryName(adapter: string): string {
  return `${adapter}, tiles ${TABLE_VERSION}`;
}

/** The choices in an entry's text; whatever is not one is left out. */
function parseTiles(text: string): Map<string, TileChoice> {
  const choices = new Map<string, TileChoice>();
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed)) return choices;
  for (const [shape, entry] of Object.entries(parsed)) {
    const choice = choiceOf(entry);
    if (choice !== null) choices.set(shape, choice);
  }
  return choices;
}

/** The text of an entry. */
export function tilesText(choices: TunedTiles): string {
  return JSON.stringify(Object.fromEntries(choices));
}

/** What was measured on this adapter before; nothing where that cannot be read. */
export async function loadTiles(store: TextStore | null, adapter: string): Promise<Map<string, TileChoice>> {
  try {
    const text = (await store?.read(entryName(adapter))) ?? null;
    return text === null ? new Map() : parseTiles(text);
  } catch {
    return new Map();
  }
}
