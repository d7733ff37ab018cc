/** What the program in a pod is told to move, as JSON in the environment variable of this name. */
export const PLAN_VARIABLE = 'MILLRACE_TRANSFER';

/** Whom the tokens of pods are for: the api of the installation in this namespace, and no other. */
export function artifactAudience(namespace: string): string {
  return `artifacts.${namespace}.millrace.dev`;
}

export interface TransferPlan {
  /** Of the api that keeps the files, without a slash at the end. */
  url: string;
  /** File with the pod's token for it. */
  tokenFile: string;
  /** Milliseconds for which an api that does not answer is asked again. */
  patienceMs: number;
  /** In the order in which the api knows them. */
  in: readonly Incoming[];
  /** In the order in which the api knows them. */
  out: readonly Outgoing[];
  /** Of a file that goes out. */
  maxBytes: number;
}

/** A place in a volume that this container and the main one share. */
export interface Place {
  /** Where the volume is mounted here. Nothing outside is touched. */
  root: string;
  /** Below it. */
  path: string;
}

interface Shared extends Place {
  /** Where it is in the main container, for messages. */
  at: string;
}

export interface Outgoing extends Shared {
  /** A directory that becomes a tar.gz. */
  pack: boolean;
}

export interface Incoming extends Shared {
  /** Of the file. */
  mode: number;
  unpack: boolean;
  /** Lower-case hex digest; absent for text. */
  sha256?: string;
}

/** Why files were not moved: the container's last words, as JSON. Codes are those of docs/errors.md. */
export interface TransferFailure {
  code: 'ArtifactInvalid' | 'ArtifactMissing' | 'ArtifactNotTransferred' | 'ArtifactTooLarge' | 'BinaryNotFound';
  message: string;
}
