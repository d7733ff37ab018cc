import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheDir } from '../cache-dir.ts';
import { run } from '../command.ts';
import { step } from '../progress.ts';
import { buildah } from './buildah.ts';

const SUITE = 'bookworm';
const PACKAGES = ['ca-certificates', 'libstdc++6'];

/** The name that a Dockerfile's `FROM node:24-slim` finds first. */
const NAME = 'localhost/node:24-slim';

/** What apt and dpkg need to install more, and documentation: of no use in an image. */
const UNUSED = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/locale'];

/**
 * A stand-in for `node:24-slim` where no image registry can be reached: a minimal Debian from its own archive, with
 * the Node binary that this process runs on.
 */
export const nodeBase = {
  key: `${SUITE} ${PACKAGES.join(' ')} node ${process.version}`,

  /** Makes it unless buildah has it. About a minute; call it under the lock of the image builds. */
  async ensure(): Promise<void> {
    const label = ['--format', '{{index .OCIv1.Config.Labels "key"}}'];
    const made = await buildah('inspect', '--type', 'image', ...label, NAME).catch(() => '');
    if (made.trim() === nodeBase.key) return;
    await step('Making the base image node:24-slim', makeBase);
  },
};

async function makeBase(): Promise<void> {
  await mkdir(cacheDir(), { recursive: true });
  const root = await mkdtemp(cacheDir('rootfs-'));
  try {
    await run('debootstrap', ['--variant=minbase', `--include=${PACKAGES.join(',')}`, SUITE, root]);
    for (const path of UNUSED) await rm(join(root, path), { recursive: true, force: true });
    await cp(process.execPath, join(root, 'usr', 'local', 'bin', 'node'), { dereference: true });
    const container = (await buildah('from', 'scratch')).trim();
    try {
      await buildah('add', '--quiet', container, root, '/');
      await buildah('config', '--env', `NODE_VERSION=${process.version.slice(1)}`, '--label', `key=${nodeBase.key}`, '--cmd', 'node', container);
      await buildah('commit', '--quiet', container, NAME);
    } finally {
      await buildah('rm', container);
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
