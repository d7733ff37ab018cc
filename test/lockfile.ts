import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Completes package-lock.json with the optional packages of platforms other than this one that the registry would not
 * serve when it was written. npm leaves those out, and `npm ci` then refuses the whole file, here and everywhere.
 */

/** The part of a package's entry that matters here. */
interface LockEntry {
  readonly version?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
  readonly [field: string]: unknown;
}

export interface Lockfile {
  readonly packages: Readonly<Record<string, LockEntry>>;
  readonly [field: string]: unknown;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32'];

/** The system and processor that a platform package names, as in `@swc/core-linux-arm64-gnu`; undefined if it names none. */
export function platformOf(name: string): { os: string[]; cpu: string[] } | undefined {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  return os === undefined || cpu === undefined ? undefined : { os: [os], cpu: [cpu] };
}

/** Entries, by path, for optional packages that some package wants at a fixed version and that the file lacks. */
export function missingEntries({ packages }: Lockfile): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const platform = platformOf(name);
      const isThere = [`node_modules/${name}`, `${path}/node_modules/${name}`].some((place) => place in packages);
      if (isThere || platform === undefined || !/^\d/.test(version)) continue;
      const dev = entry.dev === true ? { dev: true } : {};
      // In npm's order of fields, so that npm does not rewrite them.
      missing[`node_modules/${name}`] = { version, cpu: platform.cpu, ...dev, optional: true, os: platform.os };
    }
  }
  return missing;
}

/** The file with those entries, in npm's order. */
export function completed(lockfile: Lockfile): Lockfile {
  const all = Object.entries({ ...lockfile.packages, ...missingEntries(lockfile) });
  return { ...lockfile, packages: Object.fromEntries(all.toSorted(([a], [b]) => a.localeCompare(b, 'en'))) };
}

function isLockfile(value: unknown): value is Lockfile {
  return typeof value === 'object' && value !== null && 'packages' in value && typeof value.packages === 'object';
}

/** Throws TypeError when the file is not a lock file. */
export async function readLockfile(path: string): Promise<Lockfile> {
  const value: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!isLockfile(value)) throw new TypeError(`${path} is not a lock file of npm`);
  return value;
}

if (import.meta.main) {
  const path = join(import.meta.dirname, '..', 'package-lock.json');
  const lockfile = await readLockfile(path);
  const names = Object.keys(missingEntries(lockfile));
  if (names.length > 0) await writeFile(path, `${JSON.stringify(completed(lockfile), null, 2)}\n`);
  process.stdout.write(`Added ${String(names.length)} optional packages of other platforms to package-lock.json\n`);
}
