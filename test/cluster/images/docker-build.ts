import { join } from 'node:path';

import { docker } from '../docker.ts';
import type { ImageArchive, ImageRecipe } from './image.ts';

/** Builds an image with the Docker engine, which fetches what the Dockerfile names, and writes its archive. */
export async function buildWithDocker(recipe: ImageRecipe, image: ImageArchive): Promise<void> {
  await docker('build', '--tag', image.name, '--file', join(recipe.context, recipe.dockerfile), recipe.context);
  await docker('save', '--output', image.archive, image.name);
}

/** Forgets an image; one that is in use stays. */
export async function removeFromDocker(name: string): Promise<void> {
  await docker('rmi', name).catch(() => undefined);
}
