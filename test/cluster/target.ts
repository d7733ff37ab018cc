import { CurrentCluster } from './current-cluster.ts';
import { dockerAnswers } from './docker.ts';
import type { Builder, ImageArchive } from './images/image.ts';
import { KindCluster } from './kind-cluster.ts';
import { LocalCluster } from './local-cluster.ts';

/** A cluster that the project's commands and end-to-end tests bring up, use and remove, whatever it is made of. */
export interface Cluster {
  /** Path of a kubeconfig whose user may do everything. */
  readonly kubeconfig: string;
  /** File for a shell to read: puts kubectl, helm and millrace on the PATH, and sets KUBECONFIG. */
  readonly shellFile: string;
  /** Whether there is more in it than what these commands put there. */
  readonly shared: boolean;
  /** What builds the images that it takes. */
  readonly builder: Builder;
  /** Values that the chart needs there. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Makes the cluster run, and repairs one that runs in part. */
  up(): Promise<void>;
  /** Removes it with everything in it. */
  down(): Promise<void>;
  /** Makes an image available to pods, and returns the name they use. */
  load(image: ImageArchive): Promise<string>;
  /** Runs a tool against the cluster and returns what it printed. Throws CommandError when it fails. */
  kubectl(...args: string[]): Promise<string>;
  helm(args: readonly string[], input?: string): Promise<string>;
  /** Applies manifests server-side: YAML or JSON texts, or objects. */
  apply(...manifests: (string | object)[]): Promise<void>;
  /** A URL under which the first port of a Service answers on this host, without a path. */
  serviceUrl(namespace: string, name: string): Promise<string>;
}

/** The kinds of cluster by the value of `--cluster`. */
const TARGETS = {
  local: (name) => LocalCluster.open(name),
  kind: (name) => Promise.resolve(new KindCluster(name)),
  current: () => CurrentCluster.open(),
} satisfies Record<string, (name: string) => Promise<Cluster>>;

export type Target = keyof typeof TARGETS;

/** What `--cluster` takes. */
export const TARGET_NAMES: readonly string[] = Object.keys(TARGETS);

export function isTarget(value: string): value is Target {
  return Object.hasOwn(TARGETS, value);
}

/** Where nothing is named: kind if a Docker engine answers. The cluster of the user's kubeconfig only when it is named. */
export async function defaultTarget(): Promise<Target> {
  return (await dockerAnswers()) ? 'kind' : 'local';
}

/** Takes up the cluster of this name, or prepares a new one. */
export async function openCluster(target: Target, name: string): Promise<Cluster> {
  return TARGETS[target](name);
}
