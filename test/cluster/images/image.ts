import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';

import { cacheDir } from '../cache-dir.ts';
import { withFileLock } from '../file-lock.ts';
import { buildWithBuildah, removeFromBuildah } from './buildah.ts';
import { contentHash } from './content-hash.ts';
import { buildWithDocker, removeFromDocker } from './docker-build.ts';

/** An image as a file that containerd imports. */
export interface ImageArchive {
  /** `localhost/NAME:HASH`; the hash covers everything the image is made of. */
  readonly name: string;
  /** Path of the archive, in Docker's format. */
  readonly archive: string;
}

export interface ImageRecipe {
  readonly name: string;
  /** The build context. Its files, the Dockerfile among them, decide whether a cached image is still right. */
  readonly context: string;
  /** Path of the Dockerfile, in the context. */
  readonly dockerfile: string;
  /** A stand-in for what `FROM` names, where no image registry can be reached. */
  readonly base?: { readonly key: string; ensure(): Promise<void> };
  /** Folders that RUN steps see, read-only, where they cannot reach a package registry: paths of this host by paths in the build. */
  readonly mounts?: Readonly<Record<string, string>>;
}

/** What builds an image: a Docker engine with its registries, or buildah with what this host has. */
export const Builder = { Buildah: 'buildah', Docker: 'docker' } as const;
export type Builder = (typeof Builder)[keyof typeof Builder];

/** How many versions of one image stay in the cache. */
const KEPT_VERSIONS = 3;

const builders = {
  [Builder.Buildah]: { build: buildWithBuildah, remove: removeFromBuildah },
  [Builder.Docker]: { build: buildWithDocker, remove: removeFromDocker },
} satisfies Record<Builder, { build(recipe: ImageRecipe, image: ImageArchive): Promise<void>; remove(name: string): Promise<void> }>;

/** The image for a recipe, from the cache when nothing in its context has changed. */
export async function buildImage(recipe: ImageRecipe, builder: Builder = Builder.Buildah): Promise<ImageArchive> {
  const salt = builder === Builder.Buildah ? (recipe.base?.key ?? '') : builder;
  const hash = await contentHash(recipe.context, recipe.dockerfile, salt);
  const image = { name: `localhost/${recipe.name}:${hash}`, archive: cacheDir('images', `${recipe.name}-${hash}.tar`) };
  if (existsSync(image.archive)) return image;
  await withFileLock(cacheDir('images.lock'), async () => {
    if (existsSync(image.archive)) return;
    await mkdir(cacheDir('images'), { recursive: true });
    const partial = `${image.archive}.partial`;
    await rm(partial, { force: true });
    await builders[builder].build(recipe, { ...image, archive: partial });
    await rename(partial, image.archive);
    await removeOldVersions(recipe.name, builder);
  });
  return image;
}

async function removeOldVersions(name: string, builder: Builder): Promise<void> {
  const pattern = new RegExp(`^${name}-([0-9a-f]{12})\\.tar$`);
  const hashes = (await readdir(cacheDir('images'))).map((file) => pattern.exec(file)?.[1]).filter((hash) => hash !== undefined);
  const archive = (hash: string): string => cacheDir('images', `${name}-${hash}.tar`);
  const aged = await Promise.all(hashes.map(async (hash) => ({ hash, time: (await stat(archive(hash))).mtimeMs })));
  for (const { hash } of aged.toSorted((a, b) => b.time - a.time).slice(KEPT_VERSIONS)) {
    await rm(archive(hash));
    await builders[builder].remove(`localhost/${name}:${hash}`);
  }
}
