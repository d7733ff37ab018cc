import { posix } from 'node:path';
import type { Incoming, Outgoing, Place } from '../../../runner/artifacts/plan.ts';
import type { Artifacts } from '../../../runner/nodes/container/artifact-spec.ts';
import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';

type Mount = NonNullable<ContainerSpec['volumeMounts']>[number];

/** What makes files appear in the main container, and seen from beside it. */
export interface ArtifactVolumes {
  /** Besides those it has. */
  mainMounts: Mount[];
  /** Of the containers that move files. */
  transferMounts: Mount[];
  in: Incoming[];
  out: Outgoing[];
}

/** Volume for files that lie in none of the user's. */
export const FILES_VOLUME = 'millrace-files';
const FILES_ROOT = '/millrace/files';
const DEFAULT_MODE = 0o644;

/**
 * A path in a volume that the main container mounts is that of a file in this volume. Else the directory of a file that goes out is a new one, and
 * a file that goes in is mounted alone, so that what the image has beside it stays to be seen.
 */
export function artifactVolumes({ volumeMounts = [] }: Pick<ContainerSpec, 'volumeMounts'>, { in: incoming = [], out: outgoing = [] }: Artifacts): ArtifactVolumes {
  const mainMounts = outermost(outgoing.map(({ path, pack }) => (pack === true ? path : posix.dirname(path))))
    .filter((directory) => !nearest(volumeMounts, directory)).map((mountPath, index): Mount => ({ name: FILES_VOLUME, mountPath, subPath: `out/${index}` }));
  const shared = [...volumeMounts, ...mainMounts];
  const transferMounts = new Map<string, Mount>();
  const placeOf = (path: string, own: string): Place => {
    const mount = nearest(shared, path) ?? { name: FILES_VOLUME, mountPath: path, subPath: own };
    const index = volumeMounts.indexOf(mount);
    const below = path.slice(mount.mountPath.length).replace(/^\/+/, '');
    if (index >= 0) {
      const root = `/millrace/volumes/${index}`;
      transferMounts.set(root, { ...mount, mountPath: root });
      return { root, path: below };
    }
    if (!mainMounts.includes(mount)) mainMounts.push(mount);
    transferMounts.set(FILES_ROOT, { name: FILES_VOLUME, mountPath: FILES_ROOT });
    return { root: FILES_ROOT, path: posix.join(mount.subPath ?? '', below) };
  };
  const placedIn = incoming.map(({ path, mode = DEFAULT_MODE, unpack = false, file }, index): Incoming => ({
    ...placeOf(path, `in/${index}`), at: path, mode, unpack, ...(file && { sha256: file.sha256 }),
  }));
  const placedOut = outgoing.map(({ path, pack = false }): Outgoing => ({ ...placeOf(path, ''), at: path, pack }));
  return { mainMounts, transferMounts: [...transferMounts.values()], in: placedIn, out: placedOut };
}

/** The mount that a path is in: of several the innermost. */
function nearest(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts.filter(({ mountPath }) => isIn(mountPath, path)).toSorted((a, b) => b.mountPath.length - a.mountPath.length)[0];
}

/** Directories that are in no other of them. */
function outermost(directories: readonly string[]): string[] {
  const all = [...new Set(directories)];
  return all.filter((one) => !all.some((other) => other !== one && isIn(other, one)));
}

const isIn = (directory: string, path: string): boolean => path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
