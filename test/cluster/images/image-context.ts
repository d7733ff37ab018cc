import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';

import { cacheDir } from '../cache-dir.ts';

/** What a .dockerignore of this project says: the top-level entries that are taken, and endings and folders that are not. */
export interface ContextFilter {
  readonly taken: readonly string[];
  /** File name endings such as `.test.ts`. */
  readonly endings: readonly string[];
  /** Names of folders that are left out at any depth. */
  readonly folders: readonly string[];
}

// Reads the few forms that our .dockerignore uses: `*`, `!NAME`, `**/*ENDING` and `**/NAME`. Throws on any other.
export function parseDockerignore(text: string): ContextFilter {
  const filter = { taken: [] as string[], endings: [] as string[], folders: [] as string[] };
  const forms: [RegExp, string[]][] = [
    [/^!([^/*]+)$/, filter.taken],
    [/^\*\*\/\*(\.[^/*]+)$/, filter.endings],
    [/^\*\*\/([^/*]+)$/, filter.folders],
  ];
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line === '' || line === '*' || line.startsWith('#')) continue;
    const found = forms.map(([form, list]) => ({ name: form.exec(line)?.[1], list })).find(({ name }) => name !== undefined);
    if (found?.name === undefined) throw new Error(`The image's build does not understand this line of .dockerignore: ${line}`);
    found.list.push(found.name);
  }
  return filter;
}

/** Calls `use` with a folder that holds what a build of `root` would see, and removes the folder afterwards. */
export async function withContext<T>(root: string, use: (context: string) => Promise<T>): Promise<T> {
  const filter = parseDockerignore(await readFile(join(root, '.dockerignore'), 'utf8'));
  await mkdir(cacheDir(), { recursive: true });
  const context = await mkdtemp(cacheDir('context-'));
  const isTaken = (path: string): boolean => {
    const parts = relative(root, path).split('/');
    return !filter.endings.some((ending) => path.endsWith(ending)) && !parts.some((part) => filter.folders.includes(part));
  };
  try {
    for (const name of ['.dockerignore', 'Dockerfile', ...filter.taken]) {
      const source = join(root, name);
      if (existsSync(source)) await cp(source, join(context, name), { recursive: true, filter: isTaken });
    }
    return await use(context);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
