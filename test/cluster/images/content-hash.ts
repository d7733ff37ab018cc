import { createHash } from 'node:crypto';
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A short hash of the folder's files: names, contents, and whether they may be executed. Times and owners do not
 * count, so two clones of one commit agree. `salt` holds whatever else the result depends on.
 */
export async function contentHash(dir: string, ...salt: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const part of salt) hash.update(`salt ${String(part.length)} ${part}\n`);
  for (const path of (await filesBelow(dir)).toSorted()) {
    const { mode, isLink, content } = await readEntry(join(dir, path));
    hash.update(`${isLink ? 'link' : 'file'} ${(mode & 0o111) === 0 ? '-' : 'x'} ${path} ${String(content.length)}\n`);
    hash.update(content);
  }
  return hash.digest('hex').slice(0, 12);
}

async function filesBelow(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1));
}

async function readEntry(path: string): Promise<{ mode: number; isLink: boolean; content: Buffer }> {
  const { mode, ...stats } = await lstat(path).then((found) => ({ mode: found.mode, isLink: found.isSymbolicLink() }));
  return { mode, isLink: stats.isLink, content: stats.isLink ? Buffer.from(await readlink(path)) : await readFile(path) };
}
