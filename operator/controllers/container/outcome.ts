/** What has become of a pod. */
export type PodOutcome =
  | { kind: 'Running' }
  /** A container does not start; `sinceMs` is how old the pod is. */
  | { kind: 'Stuck'; code: 'ImageUnavailable' | 'ContainerNotStarted'; message: string; final: boolean; sinceMs: number }
  | { kind: 'Succeeded'; message: string }
  | { kind: 'Failed'; code: 'ContainerFailed' | 'ContainerOutOfMemory' | 'ContainerTimeout' | 'ArtifactInvalid' | 'ArtifactMissing' | 'ArtifactTooLarge' | 'BinaryNotFound'; message: string; exitCode?: number }
  /** Its surroundings ended it, not its command. */
  | { kind: 'Interrupted'; reason: string }
  /** Its files could not be moved; its command may or may not have run. */
  | { kind: 'NotTransferred'; reason: string };
