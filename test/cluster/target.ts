import type { ImageArchive } from './images/buildah.ts';
import { LocalCluster } from './local-cluster.ts';

/** A cluster that the project's commands and end-to-end tests bring up, use and remove, whatever it is made of. */
export interface Cluster {
  /** Path of a kubeconfig whose user may do everything. */
  readonly kubeconfig: string;
  /** File for a shell to read: puts kubectl, helm and millrace on the PATH, and sets KUBECONFIG. */
  readonly shellFile: string;
  /** Makes the cluster run, and repairs one that runs in part. */
  up(): Promise<void>;
  /** Removes it with everything in it. */
  down(): Promise<void>;
  /** Makes an image available to pods. */
  load(image: ImageArchive): Promise<void>;
  /** Runs a tool against the cluster and returns what it printed. Throws CommandError when it fails. */
  kubectl(...args: string[]): Promise<string>;
  helm(args: readonly string[], input?: string): Promise<string>;
  /** Applies manifests server-side: YAML or JSON texts, or objects. */
  apply(...manifests: (string | object)[]): Promise<void>;
  /** A URL under which the first port of a Service answers on this host, without a path. */
  serviceUrl(namespace: string, name: string): Promise<string>;
}

/** The kinds of cluster by the value of `--cluster`. */
const TARGETS = { local: (name) => LocalCluster.open(name) } satisfies Record<string, (name: string) => Promise<Cluster>>;

export type Target = keyof typeof TARGETS;

/** What `--cluster` takes; the first is the default. */
export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

export function isTarget(value: string): value is Target {
  return Object.hasOwn(TARGETS, value);
}

/** Takes up the cluster of this name, or prepares a new one. */
export async function openCluster(target: Target, name: string): Promise<Cluster> {
  return TARGETS[target](name);
}
