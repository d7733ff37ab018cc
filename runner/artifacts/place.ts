import { mkdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TransferError } from './failure.ts';
import type { Place } from './plan.ts';

/** The path of a place to write to; directories above it are made. Throws TransferError for one that links lead out of its volume. */
export async function placeFor({ root, path }: Place): Promise<string> {
  const whole = join(root, path);
  if (path === '') return whole;
  await mkdir(dirname(whole), { recursive: true });
  const [top, directory] = await Promise.all([realpath(root), realpath(dirname(whole))]);
  if (directory !== top && !directory.startsWith(`${top}/`)) throw new TransferError('ArtifactInvalid', 'a symbolic link leads out of the volume');
  return join(directory, basename(whole));
}
