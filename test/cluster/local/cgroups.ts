import { mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../error-code.ts';

const ROOT = '/sys/fs/cgroup';

async function isUnified(): Promise<boolean> {
  return readFile(join(ROOT, 'cgroup.controllers')).then(
    () => true,
    () => false,
  );
}

/** Where cgroups are made: the root of version 2, or of each hierarchy of version 1. */
async function hierarchies(): Promise<string[]> {
  if (await isUnified()) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name));
}

/**
 * Makes the cgroup below which a kubelet puts its pods. On version 2 the controllers that pods are limited by are
 * handed down to it; the kernel refuses those that the host does not have, which the kubelet then reports.
 */
export async function createCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await mkdir(join(hierarchy, name), { recursive: true });
  if (!(await isUnified())) return;
  const available = (await readFile(join(ROOT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const wanted = ['cpu', 'cpuset', 'hugetlb', 'io', 'memory', 'pids'].filter((controller) => available.includes(controller));
  const line = wanted.map((controller) => `+${controller}`).join(' ');
  await writeFile(join(ROOT, 'cgroup.subtree_control'), line);
  await writeFile(join(ROOT, name, 'cgroup.subtree_control'), line);
}

/** Removes the cgroup and all below it. Their processes must have ended; the kernel may need a moment to notice. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, name));
}

async function removeTree(dir: string): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  for (let attempt = 1; ; attempt++) {
    try {
      await rmdir(dir);
      return;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      if (!hasCode(error, 'EBUSY') || attempt === 100) throw error;
      await sleep(50);
    }
  }
}

/** Whether the cgroup exists in any hierarchy. */
export async function cgroupExists(name: string): Promise<boolean> {
  const found = await Promise.all(
    (await hierarchies()).map((hierarchy) =>
      stat(join(hierarchy, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
