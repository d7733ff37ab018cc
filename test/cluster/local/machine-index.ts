import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { withFileLock } from '../file-lock.ts';

const FILE = 'index';

/** The lowest number that no machine has, given those that are taken. */
export function lowestFree(taken: readonly number[]): number {
  let index = 0;
  while (taken.includes(index)) index++;
  return index;
}

/** The machine's index, on which its addresses depend: the one in its folder, or a new one that no folder beside it has. */
export async function claimIndex(dir: string): Promise<number> {
  const parent = dirname(dir);
  return withFileLock(join(parent, 'machines.lock'), async () => {
    const taken = new Map<string, number>();
    for (const name of await readdir(parent)) {
      const text = await readFile(join(parent, name, FILE), 'utf8').catch(() => undefined);
      if (text !== undefined) taken.set(name, Number(text));
    }
    const own = taken.get(basename(dir));
    if (own !== undefined) return own;
    const index = lowestFree([...taken.values()]);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, FILE), `${String(index)}\n`);
    return index;
  });
}
