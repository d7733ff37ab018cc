import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { run } from '../command.ts';
import { withFileLock } from '../file-lock.ts';
import { contentHash } from './content-hash.ts';

/** An image as a file that containerd imports. */
export interface ImageArchive {
  /** `localhost/NAME:HASH`; the hash covers everything the image is made of. */
  readonly name: string;
  /** Path of the OCI archive. */
  readonly archive: string;
}

export interface ImageRecipe {
  readonly name: string;
  /** The build context. Its files, the Dockerfile among them, decide whether a cached image is still right. */
  readonly context: string;
  /** Path of the Dockerfile, in the context. */
  readonly dockerfile: string;
  /** What `FROM` names and the context does not hold. */
  readonly base?: { readonly key: string; ensure(): Promise<void> };
  /** Folders that RUN steps see, read-only: paths of this host by paths in the build. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** How many versions of one image stay in the cache. */
const KEPT_VERSIONS = 3;

/** Runs buildah on a storage of our own in the cache. */
export async function buildah(...args: string[]): Promise<string> {
  const storage = ['--root', cacheDir('buildah', 'storage'), '--runroot', cacheDir('buildah', 'run')];
  return run('buildah', [...storage, ...args]);
}

/** The image for a recipe, from the cache when nothing in its context has changed. */
export async function buildImage(recipe: ImageRecipe): Promise<ImageArchive> {
  const hash = await contentHash(recipe.context, recipe.dockerfile, recipe.base?.key ?? '');
  const image = { name: `localhost/${recipe.name}:${hash}`, archive: cacheDir('images', `${recipe.name}-${hash}.tar`) };
  if (existsSync(image.archive)) return image;
  await withFileLock(cacheDir('images.lock'), async () => {
    if (existsSync(image.archive)) return;
    await recipe.base?.ensure();
    await mkdir(cacheDir('images'), { recursive: true });
    // Chroot isolation needs neither a container runtime nor rights that build machines often lack.
    // Steps that see the same files give the same layers, which containerd then need not unpack again.
    const build = ['bud', '--isolation', 'chroot', '--pull-never', '--layers', '--tag', image.name];
    const mounts = Object.entries(recipe.mounts ?? {}).map(([inside, path]) => `--volume=${path}:${inside}:ro`);
    await buildah(...build, ...mounts, '--file', join(recipe.context, recipe.dockerfile), recipe.context);
    const partial = `${image.archive}.partial`;
    await rm(partial, { force: true });
    // The older of the two archive formats: buildah compresses layers for the other, at five times the cost.
    await buildah('push', image.name, `docker-archive:${partial}:${image.name}`);
    await rename(partial, image.archive);
    await removeOldVersions(recipe.name);
  });
  return image;
}

async function removeOldVersions(name: string): Promise<void> {
  const pattern = new RegExp(`^${name}-([0-9a-f]{12})\\.tar$`);
  const hashes = (await readdir(cacheDir('images'))).map((file) => pattern.exec(file)?.[1]).filter((hash) => hash !== undefined);
  const archive = (hash: string): string => cacheDir('images', `${name}-${hash}.tar`);
  const aged = await Promise.all(hashes.map(async (hash) => ({ hash, time: (await stat(archive(hash))).mtimeMs })));
  for (const { hash } of aged.toSorted((a, b) => b.time - a.time).slice(KEPT_VERSIONS)) {
    await rm(archive(hash));
    await buildah('rmi', '--force', `localhost/${name}:${hash}`).catch(() => undefined);
  }
}
