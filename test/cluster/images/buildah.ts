import { join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { run } from '../command.ts';
import type { ImageArchive, ImageRecipe } from './image.ts';

/** Runs buildah on a storage of our own in the cache. */
export async function buildah(...args: string[]): Promise<string> {
  const storage = ['--root', cacheDir('buildah', 'storage'), '--runroot', cacheDir('buildah', 'run')];
  return run('buildah', [...storage, ...args]);
}

/** Builds an image from what this host has, and writes its archive. */
export async function buildWithBuildah(recipe: ImageRecipe, image: ImageArchive): Promise<void> {
  await recipe.base?.ensure();
  // Chroot isolation needs neither a container runtime nor rights that build machines often lack.
  // Steps that see the same files give the same layers, which containerd then need not unpack again.
  const build = ['bud', '--isolation', 'chroot', '--pull-never', '--layers', '--tag', image.name];
  const mounts = Object.entries(recipe.mounts ?? {}).map(([inside, path]) => `--volume=${path}:${inside}:ro`);
  await buildah(...build, ...mounts, '--file', join(recipe.context, recipe.dockerfile), recipe.context);
  // The older of the two archive formats: buildah compresses layers for the other, at five times the cost.
  await buildah('push', image.name, `docker-archive:${image.archive}:${image.name}`);
}

/** Forgets an image; one that is in use stays. */
export async function removeFromBuildah(name: string): Promise<void> {
  await buildah('rmi', '--force', name).catch(() => undefined);
}
