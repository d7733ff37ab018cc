/** Kubernetes objects as the API server sends them: plain JSON, dates are strings, quantities are strings. */

/** "namespace/name" of an object; "/name" when it is cluster-scoped. */
export type Key = `${string}/${string}`;

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  /** Grows with every write of the object. Compare with `resourceVersionOf`, never as text. */
  resourceVersion?: string;
  /** Grows with every change of the spec. Absent on kinds without a spec, such as ConfigMap. */
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** metav1.Condition. */
export interface Condition {
  type: string;
  status: ConditionStatus;
  /** CamelCase code; stable, documented, safe to match on. */
  reason: string;
  message: string;
  /** RFC 3339; when `status` last changed, not when the condition was last written. */
  lastTransitionTime: string;
  /** The generation this condition was computed from. */
  observedGeneration?: number;
}

/** What every kind with conditions has in its status. */
export interface CommonStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  /** Echo of the annotation by which a person asks for a reconciliation. */
  lastHandledReconcileAt?: string;
}

/** The least that every object has. */
export interface AnyObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** An object with the usual spec and status. */
export interface KubeObject<Spec = unknown, Status = unknown> extends AnyObject {
  spec: Spec;
  status?: Status & CommonStatus;
}

/** What to send to a client: the client knows apiVersion and kind from its resource. */
export type Draft<T extends AnyObject> = Omit<T, 'apiVersion' | 'kind' | 'status' | 'spec'> &
  Partial<Pick<T, Extract<keyof T, 'apiVersion' | 'kind' | 'status' | 'spec'>>>;

type Json<T> = T extends Date ? string : T extends (infer Item)[] ? Json<Item>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** A class of @kubernetes/client-node, which has Date where JSON has text, as raw JSON: `Raw<V1Pod>`. */
export type Raw<T> = Omit<Json<T>, 'apiVersion' | 'kind' | 'metadata'> & AnyObject;

export function keyOf(object: { metadata: Pick<ObjectMeta, 'name' | 'namespace'> }): Key {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

export function splitKey(key: Key): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  return slash === 0 ? { name } : { namespace: key.slice(0, slash), name };
}

/**
 * The resource version as a number: etcd's revision, one counter for the whole cluster, so two of them can be compared.
 * NaN (which compares false with everything) for servers whose versions are not numbers.
 */
export function resourceVersionOf(object: { metadata: Pick<ObjectMeta, 'resourceVersion'> }): number {
  return versionNumber(object.metadata.resourceVersion);
}

/** See `resourceVersionOf`. */
export function versionNumber(resourceVersion: string | undefined): number {
  return resourceVersion !== undefined && /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : Number.NaN;
}
