import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { withFileLock } from '../file-lock.ts';
import { machineNetwork } from './network.ts';

const FILE = 'index';

/** The lowest index that no machine has, given those that are taken and the names of the host's network links. */
export function lowestFree(taken: readonly number[], links: readonly string[]): number {
  let index = 0;
  while (taken.includes(index) || links.includes(machineNetwork(index).link)) index++;
  return index;
}

/**
 * The machine's index, on which its addresses depend: the one in its folder, or a new one that no folder beside it has
 * and no machine uses whose folder is elsewhere.
 */
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
    const index = lowestFree([...taken.values()], await readdir('/sys/class/net'));
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, FILE), `${String(index)}\n`);
    return index;
  });
}
