import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { buildImage, type ImageArchive } from './image.ts';

/** An image that holds one static binary and nothing else. */
export async function binaryImage(name: string, binary: string): Promise<ImageArchive> {
  await mkdir(cacheDir(), { recursive: true });
  const context = await mkdtemp(cacheDir('context-'));
  try {
    const file = basename(binary);
    await copyFile(binary, join(context, file));
    await writeFile(join(context, 'Dockerfile'), `FROM scratch\nCOPY ${file} /${file}\nENTRYPOINT ["/${file}"]\n`);
    return await buildImage({ name, context, dockerfile: 'Dockerfile' });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
