/** The public surface of the controller runtime; see README.md. Kinds that Kubernetes brings along are in builtin.ts, a clock for tests in manual-clock.ts. */
export { Cache } from './cache.ts';
export { Client, client } from './client.ts';
export { findCondition, isTrue } from './conditions.ts';
export { connect } from './connection.ts';
export { Controller, PassResult } from './controller.ts';
export {
  KubeError,
  LeadershipLostError,
  StalledError,
  TerminalError,
  TransportReason,
  WaitingError,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
} from './errors.ts';
export { removeFinalizer } from './finalizer.ts';
export { Informer } from './informer.ts';
export { sameJson } from './json.ts';
export { Health, kstatus } from './kstatus.ts';
export { silentLog } from './log.ts';
export { Manager } from './manager.ts';
export { toIndex, toOwner } from './mapping.ts';
export { keyOf, splitKey } from './object.ts';
export { objectReconciler } from './object-reconciler.ts';
export { controllerOf, ownerReference } from './owner-reference.ts';
export { anyChange, anyOf, ignoreStatus, metadataChanged, specChanged, statusChanged } from './predicate.ts';
export { mergeRules, owns, patches, reads, writes, writesStatus } from './rbac.ts';
export { resource } from './resource.ts';
export { systemClock } from './system-clock.ts';
export { watch } from './watch.ts';

export type { Change } from './cache.ts';
export type { IndexBy } from './cache-index.ts';
export type { ApplyOptions, CallOptions, DeleteOptions, ListOptions, Patch } from './client.ts';
export type { Clock } from './clock.ts';
export type { Cluster, Impersonation, RequestOptions } from './cluster.ts';
export type { ControllerOptions, Pass, Result } from './controller.ts';
export type { EventDetails, EventRecorder, EventType } from './events.ts';
export type { InformerOptions } from './informer.ts';
export type { Log } from './log.ts';
export type { ManagerHealth, ManagerOptions } from './manager.ts';
export type { Mapping } from './mapping.ts';
export type { AnyObject, CommonStatus, Condition, ConditionStatus, Draft, Key, KubeObject, ObjectMeta, OwnerReference, Raw } from './object.ts';
export type { ObjectPass, ObjectReconcilerOptions } from './object-reconciler.ts';
export type { Predicate } from './predicate.ts';
export type { PolicyRule } from './rbac.ts';
export type { Resource } from './resource.ts';
export type { Watch } from './watch.ts';
