import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { run } from '../command.ts';
import { withFileLock } from '../file-lock.ts';
import { step } from '../progress.ts';
import { nodeBase } from './base-image.ts';
import { Builder, buildImage, type ImageArchive } from './image.ts';
import { withContext } from './image-context.ts';

/** How many lock files' dependencies stay in the cache besides the newest. */
const KEPT_FOLDERS = 2;

/** The image of every role, built from the Dockerfile of this checkout. A few seconds after a change, else none. */
export async function productImage(root: string, builder: Builder = Builder.Buildah): Promise<ImageArchive> {
  const mounts = builder === Builder.Buildah ? { '/production': await productionModules(root) } : {};
  return withContext(root, (context) => buildImage({ name: 'millrace', context, dockerfile: 'Dockerfile', base: nodeBase, mounts }, builder));
}

/**
 * A folder whose node_modules has production dependencies only, kept by the lock file's hash: what `npm ci --omit=dev` in
 * the Dockerfile would install, made where npm and its configuration are.
 */
async function productionModules(root: string): Promise<string> {
  const lock = await readFile(join(root, 'package-lock.json'));
  const key = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const folder = cacheDir(`production-${key}`);
  if (existsSync(folder)) return folder;
  await withFileLock(cacheDir('images.lock'), async () => {
    if (existsSync(folder)) return;
    await step('Installing production dependencies for the image', async () => {
      await removeOld();
      const partial = cacheDir('production-partial');
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      for (const file of ['package.json', 'package-lock.json']) await copyFile(join(root, file), join(partial, file));
      await run('npm', ['ci', '--omit=dev', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: partial });
      await rename(partial, folder);
    });
  });
  return folder;
}

/** Other checkouts that share the cache may be on another lock file; the newest few stay. */
async function removeOld(): Promise<void> {
  const folders = (await readdir(cacheDir())).filter((entry) => entry.startsWith('production-')).map((entry) => cacheDir(entry));
  const aged = await Promise.all(folders.map(async (folder) => ({ folder, time: (await stat(folder)).mtimeMs })));
  for (const { folder } of aged.toSorted((a, b) => b.time - a.time).slice(KEPT_FOLDERS)) await rm(folder, { recursive: true, force: true });
}
