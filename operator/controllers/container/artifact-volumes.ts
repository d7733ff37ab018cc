import type { Incoming, Place } from '../../../runner/artifacts/plan.ts';
import type { ArtifactIn } from '../../../runner/nodes/container/artifact-spec.ts';
import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';

type Mount = NonNullable<ContainerSpec['volumeMounts']>[number];

/** What makes files appear in the main container. */
export interface ArtifactVolumes {
  /** Besides those it has. */
  mainMounts: Mount[];
  /** Of the container that moves files. */
  transferMounts: Mount[];
  in: Incoming[];
}

/** Volume for files that lie in none of the user's. */
export const FILES_VOLUME = 'millrace-files';
const FILES_ROOT = '/millrace/files';
const DEFAULT_MODE = 0o644;

/**
 * A path in a volume that the main container mounts is that of a file in this volume. Any other is mounted alone, so that what the image has
 * beside it stays to be seen.
 */
export function artifactVolumes({ volumeMounts = [] }: Pick<ContainerSpec, 'volumeMounts'>, incoming: readonly ArtifactIn[]): ArtifactVolumes {
  const mainMounts: Mount[] = [];
  const transferMounts = new Map<string, Mount>();
  const placeOf = (path: string, own: string): Place => {
    const mount = nearest(volumeMounts, path);
    if (mount) {
      const root = `/millrace/volumes/${volumeMounts.indexOf(mount)}`;
      transferMounts.set(root, { ...mount, mountPath: root });
      return { root, path: below(mount.mountPath, path) };
    }
    mainMounts.push({ name: FILES_VOLUME, mountPath: path, subPath: own });
    transferMounts.set(FILES_ROOT, { name: FILES_VOLUME, mountPath: FILES_ROOT });
    return { root: FILES_ROOT, path: own };
  };
  const placed = incoming.map(({ path, mode = DEFAULT_MODE, unpack = false, file }, index): Incoming => ({
    ...placeOf(path, `in/${index}`), at: path, mode, unpack, ...(file && { sha256: file.sha256 }),
  }));
  return { mainMounts, transferMounts: [...transferMounts.values()], in: placed };
}

/** The mount that a path is in: of several the one nearest to it. */
function nearest(mounts: readonly Mount[], path: string): Mount | undefined {
  return mounts.filter(({ mountPath }) => isIn(mountPath, path)).toSorted((a, b) => b.mountPath.length - a.mountPath.length)[0];
}

const isIn = (directory: string, path: string): boolean => path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
const below = (directory: string, path: string): string => path.slice(directory.length).replace(/^\/+/, '');
